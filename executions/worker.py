"""The shell around the scheduler: takes turns at a run, obeys its commands, goes on in line where it can.

    drive()      turns under the run's lock: fold what was recorded, decide, run the pure nodes, write, then act
    run_nodes()  claimed nodes without the lock; drives when what follows may be ready

A turn ends in one of three ways. **One** effect is runnable: it is claimed in the same write and run here, and its
outcome and the next claim are again one write, so that a straight line costs a commit per node and no message.
**Several** are: they are stored as ready and sent. **None** is: others will drive, or the run is over.

The baton. Who finds the run locked leaves it to the holder. The holder looks again after it has released the lock, so
no outcome is left lying: it was committed before its recorder tried the lock, and the look comes after the release.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Collection, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from time import monotonic
from typing import Final
from uuid import UUID

from django.db import transaction

from executions import containers, dispatch, family, hotpath, outage, quarantine, runner, services, store
from executions.alarm import alarm
from executions.attempts import in_flight
from executions.changes import Changes
from executions.core import NodeStatus, RunState, advance, start, worth_folding
from executions.core.context import container_context
from executions.core.scopes import TOP, around, path
from executions.core.state import deadline
from executions.decide import Decision, Held, InHand, decide
from executions.dispatch import Fold
from executions.drain import drain
from executions.environment import environment_of
from executions.leases import lease
from executions.plans import Prepared, prepared
from executions.report import Visit
from handlers import JSONObject
from workflows.variables.services import Environment

logger = logging.getLogger(__name__)

IN_LINE_FOR: Final = 30.0  # seconds after which a straight line gives way, so that one run cannot keep a worker


def drive(execution_id: UUID, *, until: float | None = None) -> None:
    """Take turns at a run until nothing is left that only we could do. Called twice, the second finds no news.

    *until* is the moment (monotonic seconds) after which it no longer goes on in line. Does not raise for what a run
    makes it do: a run whose drive raises three times is quarantined.
    """
    try:
        Driver(execution_id, until or monotonic() + IN_LINE_FOR).drive()
    except Exception:
        logger.exception("the drive of run %s raised", execution_id)
        _note_failure(execution_id)


def run_nodes(node_run_ids: Sequence[UUID], *, fold: Fold) -> None:
    """Claim and run these node runs, one after the other, and drive if what follows may be ready.

    *fold* says whether it may. The run is folded a few times a second, too, for those who watch it. Does not raise for
    what a node makes it do: the body of a chord comes only when every part of it has returned.
    """
    until, owner = monotonic() + IN_LINE_FOR, outage.retried(lease.id)
    to_drive: set[UUID] = set()
    for node_run_id in node_run_ids:
        if drain.is_wanted:
            break  # what is not claimed stays ready, and the sweep of another worker sends it
        claimed = outage.retried(partial(hotpath.claim, node_run_id, owner=owner))
        if claimed is None:
            continue  # another delivery took it, or nobody wants it any more
        try:
            recorded, watched = _run_claimed(claimed, owner)
        except Exception:  # the claim is given back by `leases.Orphans`: another attempt, or the third failure
            logger.exception("to run node %s of run %s raised", claimed.node_id, claimed.execution_id)
            _note_failure(claimed.execution_id)
            continue
        if recorded and (watched or _has_to_drive(claimed, fold)):
            to_drive.add(claimed.execution_id)
    for execution_id in to_drive:
        drive(execution_id, until=until)


def _has_to_drive(claimed: hotpath.ClaimedRow, fold: Fold) -> bool:
    """Whether nobody else will drive for what we have just recorded.

    Who looks, looks after its own outcome is committed: of those that wait for one another, the last sees nobody out.
    """
    if fold is not Fold.LOOK:
        return fold is Fold.DRIVE
    graph = prepared(claimed.version_id).graph
    body = graph.body(claimed.scope)
    followers = [arc.other for arc in body.out[body.position[claimed.node_id]]]
    is_out = partial(hotpath.is_out, claimed.execution_id)
    if not followers:  # the end of a branch, or of the run
        within = None if claimed.scope == TOP else f"{path(*around(claimed.scope)[:2])}["
        return not outage.retried(partial(is_out, within=within))
    parents = [[body.nodes[arc.other].id for arc in body.into[place]] for place in followers]
    return not all(outage.retried(partial(is_out, scope=claimed.scope, nodes=nodes)) for nodes in parents)


def _note_failure(execution_id: UUID) -> None:
    outage.retried(lambda: quarantine.note_failure(execution_id))


def _run_claimed(claimed: hotpath.ClaimedRow, owner: int) -> tuple[bool, bool]:
    """Run and record. Returns whether the outcome is recorded, and whether a fold is due for the run's watchers."""
    visit = Visit(
        row_id=claimed.id,
        execution_id=claimed.execution_id,
        workspace_id=claimed.workspace_id,
        node_id=claimed.node_id,
        scope=claimed.scope,
        number=claimed.attempt,
        lost=claimed.lost,
        history=claimed.history,
    )
    plan = outage.retried(lambda: prepared(claimed.version_id))
    sources = Stored(claimed.execution_id, claimed.workspace_id, claimed.inputs, plan)
    ran = runner.run_claimed(plan, visit, sources, at=datetime.now(UTC), announced=False)
    recorded, is_watched = outage.retried(
        lambda: hotpath.record(ran.recorded, owner=owner),
        check=lambda: (hotpath.is_recorded(ran.recorded, owner=owner), False),
    )
    if recorded and ran.recorded.due_at is not None:
        alarm.at(ran.recorded.due_at, claimed.execution_id)
        return recorded, True  # that it waits for another attempt, its run must know
    return recorded, is_watched


@dataclass(frozen=True, slots=True)
class Stored:
    """Values of a run that is not in our hands: its rows."""

    execution_id: UUID
    workspace_id: UUID
    inputs: str
    prepared: Prepared

    def outputs(self, visits: Collection[hotpath.Visit]) -> dict[hotpath.Visit, str]:
        return outage.retried(lambda: hotpath.outputs(self.execution_id, visits))

    def variables(self) -> JSONObject:
        return outage.retried(lambda: hotpath.variables(self.execution_id))

    def environment(self) -> Environment:
        return environment_of(self.prepared, self.workspace_id)

    def container(self, scope: str, node_id: str, index: int, needs: Collection[str]) -> JSONObject:
        context = container_context(node_id, index)
        if {"item", "total"} & set(needs):
            item, total = outage.retried(lambda: containers.item_at(self.execution_id, scope, node_id, index))
            context = container_context(node_id, index, total=total, item=item)
        if "results" in needs:
            results = outage.retried(
                lambda: containers.gather(self.execution_id, self.prepared, scope, node_id, index, Changes())
            )
            context["results"] = [json.loads(result) for result in results]
        return context


class Driver:
    """Our turns at one run: the node we hold meanwhile, and the run as we last wrote it."""

    def __init__(self, execution_id: UUID, until: float) -> None:
        self.execution_id, self.until = execution_id, until
        # Before any transaction of ours: others must see the lease when they see what it owns.
        self.owner = outage.retried(lease.id)
        self.run: store.Run | None = None
        self.held: Held | None = None

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
        ended = [(scope, node_id) for scope, node_id, status in rows if status is not NodeStatus.READY]
        if worth_folding(graph, state, ended, any_failed=any(status is NodeStatus.FAILED for *_, status in rows)):
            return True
        postponed = [(scope, node_id) for scope, node_id, status in rows if status is NodeStatus.READY]
        return any(state.is_out(graph.body(scope).position[node_id], scope) for scope, node_id in postponed) or (
            state.has_children() and family.has_ended_children(self.execution_id, state, run.prepared)
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
                step = start(run.prepared.graph, entry=run.entry, until=run.until, now=now)
                ends_at = deadline(now, run.prepared.graph.plan.timeout_ms)
                changes.moments += [] if ends_at is None else [ends_at]
            else:
                outcomes, rows = store.read_inbox(run, now=now)
                outcomes += family.read_ends(run, changes)
                step = advance(run.prepared.graph, run.state, outcomes, now=now)
                if len(step.stale) == len(outcomes) and not rows and step.state.status is run.state.status:
                    self.run = run  # the second look is to compare with what we have just seen
                    return True
            decision = decide(run, step, changes, in_line=self._may_go_on())
            _, news = store.write(run, decision.step, changes, now=datetime.now(UTC), owner=self.owner, folded=rows)
            if news is None:
                raise AssertionError("the run's version changed under its lock")
            family.start_children(run, decision.children)
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
            lost=held.lost,
            history=held.history,
        )
        changes = Changes()
        run.environment = None
        sources = InHand(run, run.state, changes)
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
        if decision.step.state.status.is_final and self.run is not None:
            services.after_end(self.run)

    def _may_go_on(self) -> bool:
        return monotonic() < self.until and not drain.is_wanted
