"""The shell around the scheduler: takes turns at a run, obeys its commands, goes on in line where it can.

    drive()  turns under the run's lock: fold what was recorded, decide, run the pure nodes, write, then act
    look()   one such turn, by a worker that has a node in its hands

A turn ends in one of three ways. **One** effect is runnable: it is claimed in the same write and run here, and its
outcome and the next claim are again one write, so that a straight line costs a commit per node and no message.
**Several** are: they are stored as ready and sent. **None** is: others will drive, or the run is over.

The baton. Who finds the run locked leaves it to the holder. The holder looks again after it has released the lock, so
no outcome is left lying: it was committed before its recorder tried the lock, and the look comes after the release.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from datetime import UTC, datetime
from functools import partial
from time import monotonic
from typing import Final
from uuid import UUID

from django.db import transaction

from executions import answers, dispatch, family, hotpath, kept, outage, quarantine, runner, services, store
from executions.alarm import alarm
from executions.attempts import in_flight
from executions.changes import Changes
from executions.core import (
    EventType,
    NodeStatus,
    Outcome,
    RunState,
    Step,
    advance,
    after_segments,
    worth_folding,
)
from executions.decide import Decision, Held, decide
from executions.drain import drain
from executions.faults import Fault, reach
from executions.in_hand import InHand
from executions.leases import lease
from executions.report import Visit

logger = logging.getLogger(__name__)

_TELL_PARENT: Final = (EventType.EXECUTION_PAUSED, EventType.EXECUTION_RESUMED)
IN_LINE_FOR: Final = 30.0  # seconds after which a straight line gives way, so that one run cannot keep a worker


def drive(execution_id: UUID, *, until: float | None = None) -> None:
    """Take turns at a run until nothing is left that only we could do. Called twice, the second finds no news.

    *until* is the moment (monotonic seconds) after which it no longer goes on in line. Does not raise for what a run
    makes it do: a run whose drive raises three times is quarantined.
    """
    _guarded(execution_id, lambda: Driver(execution_id, until or monotonic() + IN_LINE_FOR).drive())


def look(execution_id: UUID) -> None:
    """Take one turn at a run, for those who watch it, and hold nothing. Does not raise either."""
    _guarded(execution_id, lambda: Driver(execution_id, until=0).look())


def _guarded(execution_id: UUID, take_turns: Callable[[], None]) -> None:
    try:
        take_turns()
    except Exception:
        logger.exception("the drive of run %s raised", execution_id)
        note_failure(execution_id)


def note_failure(execution_id: UUID) -> None:
    outage.retried(lambda: quarantine.note_failure(execution_id))


class Driver:
    """Our turns at one run: the node we hold meanwhile, and the run as we last wrote it."""

    def __init__(self, execution_id: UUID, until: float) -> None:
        self.execution_id, self.until = execution_id, until
        # Before any transaction of ours: others must see the lease when they see what it owns.
        self.owner = outage.retried(lease.id)
        self.run: store.Run | None = None
        self.held: Held | None = None

    def look(self) -> None:
        """A single turn, by one who has something else to do: if there is more, another worker gets it."""
        if outage.retried(self._turn) and self._has_news():
            dispatch.drive(self.execution_id)

    def drive(self) -> None:
        self._take_turns()
        while self.held is not None and self.run is not None:
            with in_flight.kept(self.held.row_id):
                self._run_held(self.run, self.held)

    def _take_turns(self) -> None:
        """Turns under the lock for as long as there is news."""
        while outage.retried(self._turn) and self._has_news():
            pass

    def _has_news(self) -> bool:
        """The second look, after a release. With a node in our hands, which must not wait, another worker gets it."""
        if self.run is None or self.run.state is None:
            raise AssertionError("there is no second look without a first")
        state = self.run.state
        if state.status.is_final:
            return False
        if state.in_flight() == (self.held is not None) and not state.is_awaited():
            return False  # nobody else is out who could have left us anything
        if not outage.retried(partial(self._is_worth_folding, self.run, state)):
            return False
        if self.held is None:
            return True
        dispatch.drive(self.execution_id)
        return False

    def _is_worth_folding(self, run: store.Run, state: RunState) -> bool:
        graph, rows = run.prepared.graph, hotpath.news(self.execution_id)
        continued = [(row.scope, row.node_id, row.continued) for row in rows if row.continued is not None]
        if continued:
            state = after_segments(graph, state, continued)
        ended = [(row.scope, row.node_id) for row in rows if row.status is not NodeStatus.READY and not row.continued]
        if worth_folding(graph, state, ended, any_failed=any(row.status is NodeStatus.FAILED for row in rows)):
            return True
        postponed = [(row.scope, row.node_id) for row in rows if row.status is NodeStatus.READY]
        if state.is_waiting() and answers.are_in(self.execution_id, now=datetime.now(UTC)):
            return True
        return any(state.is_out(graph.body(scope).position[node_id], scope) for scope, node_id in postponed) or (
            state.has_children() and family.has_news(self.execution_id, state, run.prepared)
        )

    def _turn(self) -> bool:
        """One transaction. Returns whether it was ours to take."""
        with transaction.atomic():
            run = store.take(self.execution_id, wait=False)
            if run is None:
                return False
            now, changes = datetime.now(UTC), Changes()
            if run.state is None:
                rows: list[UUID] = []
                step = kept.begin(run, now=now)
            else:
                outcomes, rows = store.read_inbox(run, now=now)
                outcomes += answers.read_answers(run, changes, now=now)
                outcomes += family.read_ends(run, changes)
                outcomes += family.read_moves(run)
                step = advance(run.prepared.graph, run.state, outcomes, now=now)
                if not (rows or changes.folded_waitpoints or _is_news(run.state, step, outcomes)):
                    self.run = run  # the second look is to compare with what we have just seen
                    return True
            decision = decide(run, step, changes, in_line=self._may_go_on())
            _, news = store.write(run, decision.step, changes, now=datetime.now(UTC), owner=self.owner, folded=rows)
            if news is None:
                raise AssertionError("the run's version changed under its lock")
            family.start_children(run, decision.children)
        reach(Fault.AFTER_COMMIT)
        self.run, self.held = run, decision.held
        self._act(decision, news)
        return True

    def _run_held(self, run: store.Run, held: Held) -> None:
        """Run the node we hold; write its outcome and what follows, the next claim among it, in one statement."""
        if run.state is None:
            raise AssertionError("a node is held of a run that was never driven")
        self.held = None
        visit = Visit(
            row_id=held.row_id,
            execution_id=run.id,
            workspace_id=run.workspace_id,
            node_id=held.node_id,
            scope=held.scope,
            number=held.attempt,
            history=held.history,
            asked_at=held.asked_at,
        )
        changes = Changes()
        run.environment = None
        sources = InHand(run, None, changes)
        ran = runner.run_claimed(run.prepared, visit, sources, at=held.started_at, announced=True)
        run.keep(held.scope, held.node_id, ran.recorded.output)
        changes.note(held.scope, held.node_id, ran.recorded)
        step = advance(run.prepared.graph, run.state, [ran.outcome], now=datetime.now(UTC))
        decision = decide(run, step, changes, in_line=self._may_go_on())

        def write() -> tuple[bool, store.News | None]:
            if changes.ends(held.scope, held.node_id):
                # Its scope was stopped, it gets no further attempt. But a statement writes a row once: what it came to
                # goes to the inbox, and the next turn ends it.
                return hotpath.record(ran.recorded, owner=self.owner)[0], None
            with transaction.atomic() if decision.children else nullcontext():
                recorded, news = store.write(
                    run, decision.step, changes, now=datetime.now(UTC), owner=self.owner, done=ran.recorded
                )
                if news is not None:
                    family.start_children(run, decision.children)
            if recorded:
                reach(Fault.AFTER_OUTCOME)
                reach(Fault.AFTER_COMMIT)
            return recorded, news

        recorded, news = outage.retried(
            write, check=lambda: (hotpath.is_recorded(ran.recorded, owner=self.owner), None)
        )
        if recorded and ran.recorded.due_at is not None:
            alarm.at(ran.recorded.due_at, self.execution_id)
        if news is not None:
            self.held = decision.held
            self._act(decision, news)
            if self._has_news():
                self._take_turns()
        elif recorded or self._has_news():
            # Somebody else drove meanwhile, and the outcome waits in the inbox. Or we were fenced off: whoever took the
            # node over goes on with it, but who came while our write had the lock has left the baton to us.
            self._take_turns()

    def _act(self, decision: Decision, news: store.News) -> None:
        news.send()
        if decision.ready:
            dispatch.run_nodes(self.execution_id, decision.ready, wave=decision.wave)
        for moment in decision.changes.moments:
            alarm.at(moment, self.execution_id)
        if self.run is None:
            raise AssertionError("who acts has taken a turn")
        if decision.changes.orphaned:
            services.cancel_children(self.execution_id, decision.changes.orphaned)
        if decision.step.state.status.is_final:
            services.after_end(self.run)
        elif self.run.parent_id is not None and any(event.type in _TELL_PARENT for event in decision.changes.events):
            dispatch.drive(self.run.parent_id)

    def _may_go_on(self) -> bool:
        return monotonic() < self.until and not drain.is_wanted


def _is_news(state: RunState, step: Step, outcomes: Sequence[Outcome]) -> bool:
    """Whether a step changes anything: one of what was reported, the run's status, or that it is held no more."""
    return len(step.stale) < len(outcomes) or step.state.status is not state.status or state.was_released
