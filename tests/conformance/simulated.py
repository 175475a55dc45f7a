"""A run in one process: the engine's own code, with dictionaries for rows and a list of due moments for messages.

Planning, deciding, resolving and the handlers are the engine's. Without an *order* things take the time that the nodes
say, on a clock that jumps. With one they happen in any order that the engine allows: nodes start late, report late,
several reports are folded at once, some are delivered twice, and the state is written down and read back.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import uuid4

from executions import containers, family, runner
from executions.core import (
    CancelNode,
    ChildMoved,
    CloseRun,
    CollectResults,
    Command,
    Due,
    EndContainer,
    EventType,
    NodeStatus,
    OpenContainer,
    Outcome,
    Respond,
    Retrying,
    RunNode,
    RunState,
    RunStatus,
    Step,
    TestCondition,
    advance,
    cancel,
    collect,
    continuation,
    hold,
    load_state,
    release,
    start,
)
from executions.core.opening import Opening
from executions.core.scopes import path
from executions.core.state import CHILD, RESTING
from executions.plans import Prepared
from executions.report import Ran
from handlers import Effect, HandlerError, JSONObject, JSONValue, Pause, StartChild
from tests.conformance.observation import Row, observed
from tests.conformance.planned import Planned
from tests.conformance.simulated_pauses import Waitpoints
from tests.conformance.simulated_rows import Rows
from tests.conformance.sources import Sources, Visit
from tests.conformance.world import World
from workflows.core.plan import ContainerKind
from workflows.fields import dumps

_TELL_PARENT = (EventType.EXECUTION_PAUSED, EventType.EXECUTION_RESUMED)


class Simulated:
    """One run, and those that it starts."""

    def __init__(
        self,
        planned: Planned,
        world: World,
        prepared: Prepared,
        *,
        inputs: JSONObject,
        parent: tuple[Simulated, Visit] | None = None,
        answers: Mapping[str, JSONValue] | None = None,
    ) -> None:
        """*answers*, by path: given at some moment after their waitpoint has opened."""
        self.planned, self.world, self.prepared, self.parent = planned, world, prepared, parent
        self.graph, self.inputs, self.answers = prepared.graph, json.dumps(inputs), answers or {}
        self.call: str = f"{parent[0].call}{path(parent[1].scope, parent[1].node_id)}/" if parent else ""
        self.depth: int = parent[0].depth + 1 if parent else 0
        self.id = uuid4()
        self.visits = Rows(prepared.graph)
        self.waitpoints = Waitpoints(self)
        self.children: list[tuple[Visit, Simulated]] = []  # with the visit that started it
        self._state: RunState | None = None
        self.close: CloseRun | None = None
        self.response: JSONValue = None
        self.ended_at: float | None = None
        self._inbox: list[Outcome] = []

    # ---- from its start to its end
    @property
    def state(self) -> RunState:
        if self._state is None:
            raise AssertionError("the run has not begun")
        return self._state

    @property
    def status(self) -> RunStatus:
        return RunStatus.PENDING if self._state is None else self._state.status

    def begin(self, *, entry: str | None = None, until: str | None = None, held: bool = False) -> None:
        if self._state is None:  # otherwise it was paused, or cancelled, before it had begun
            now, entry = self.world.moment(), entry or self.graph.plan.entry
            self._obey(start(self.graph, entry=entry, until=until, held=held, now=now))

    def pause(self) -> None:
        if self._state is None:
            self.begin(held=True)
        elif self.close is None:
            self._obey(hold(self.graph, self.state, now=self.world.moment()))
        for _, child in self.children:
            child.pause()

    def unpause(self) -> None:
        if self.close is None and self.state.held:
            self._obey(release(self.graph, self.state, now=self.world.moment()))
            self.world.later(partial(self._fold, even_without_news=True))
        for _, child in self.children:
            child.unpause()

    def cancel(self) -> None:
        self.begin()
        if self.close is None:
            outcomes, self._inbox = self._inbox, []
            self._obey(cancel(self.graph, self.state, outcomes, reason="", now=self.world.moment()))

    def answer(self, at: str, value: JSONValue) -> str:
        """What is replied to an answer to the waitpoint at that path, which may be that of a child's."""
        for visit, child in self.children:
            call = f"{path(visit.scope, visit.node_id)}/"
            if at.startswith(call):
                return child.answer(at.removeprefix(call), value)
        return self.waitpoints.answer(at, value)

    def open(self) -> Iterator[str]:
        """The paths of all waitpoints that take an answer, those of its children below the nodes that called them."""
        yield from (f"{self.call}{at}" for at in self.waitpoints.open())
        for _, child in self.children:
            yield from child.open()

    def check_is_over(self) -> None:
        if self.close is None:
            raise AssertionError(f"the run is stuck: {self.state}")
        for visit in self.visits.values():
            if not visit.is_over:
                raise AssertionError(f"the run is over and {path(visit.scope, visit.node_id)} is {visit.status}")
        if still_open := [*self.waitpoints.open()]:
            raise AssertionError(f"the run is over and waits for {still_open}")
        for _, child in self.children:
            child.check_is_over()

    def look_soon(self) -> None:
        """There is something to be folded."""
        if self.world.perhaps(0.4):
            self.world.later(self._fold)
        else:
            self._fold()

    def _watch_the_clock(self) -> None:
        """Have the run looked at when it will have taken too long; without a clock, things take no time of their own."""
        ends_at = self.state.ends_at(self.graph.plan.timeout_ms)
        if ends_at is not None and self.world.is_timed:
            in_ms = (ends_at - self.world.moment()) / timedelta(milliseconds=1)
            self.world.later(partial(self._fold, even_without_news=True), ms=in_ms)

    # ---- obeying
    def _obey(self, step: Step) -> None:
        """What is to be done at once is reported at once; in a random order perhaps one after the other."""
        reports: list[Outcome] = []
        while True:
            was, self._state = self.status, self._stored(step.state)
            for event in step.events:
                if event.type is EventType.NODE_SKIPPED:
                    self.visits.skip(event.scope, str(event.node_id))
                if event.type in _TELL_PARENT and self.parent is not None:
                    self.world.later(self.parent[0]._fold)
            if self.status is RunStatus.RUNNING and was is not RunStatus.RUNNING:
                self._watch_the_clock()
            reports += [outcome for command in step.commands if (outcome := self._do(command)) is not None]
            if not reports:
                return
            some = 1 if self.world.perhaps(0.3) else len(reports)
            told, reports = reports[:some], reports[some:]
            step = advance(self.graph, self.state, told, now=self.world.moment())

    def _do(self, command: Command) -> Outcome | None:
        """Returns what there is to report at once."""
        match command:
            case RunNode():
                node = self.graph.node(command.node_id)
                if node.pauses or node.delegates:  # in the turn that hands it out, as the engine has it
                    return self._begin(command)
                self.world.later(lambda: self._run(command), is_pure=self._is_pure(command.node_id))
            case OpenContainer():
                return self._open(command)
            case TestCondition():
                return self._test(command)
            case CollectResults():
                return self._collect(command)
            case EndContainer():
                visit, verdict = self.visits[command.scope, command.node_id], command.verdict
                visit.status, visit.handled, visit.end = verdict.status.value, verdict.handled, self.world.now
                visit.output = dumps(verdict.output) if verdict.handled else None
                visit.error = dumps(verdict.error)
            case CancelNode():
                self._cancel(self.visits[command.scope, command.node_id])
            case Respond():
                self.response = json.loads(self.visits[command.scope, command.node_id].output or "null")
            case CloseRun():
                self._close(command)
        return None

    def _open(self, command: OpenContainer) -> Outcome:
        visit = self._visited(command)
        begun = runner.open_container(self.prepared, visit.told(self.id), Sources(self), at=self.world.moment())
        if isinstance(begun, Opening):
            visit.items = begun.items
            return begun.opened
        return self.ended(visit, begun)

    def _test(self, command: TestCondition) -> Outcome:
        visit, now = self.visits[command.scope, command.node_id], self.world.moment()
        tested = runner.test_condition(
            self.prepared, visit.told(self.id), Sources(self), index=command.index, started_at=now, at=now
        )
        return self.ended(visit, tested) if isinstance(tested, Ran) else tested

    def _collect(self, command: CollectResults) -> Outcome:
        visit, node = self.visits[command.scope, command.node_id], self.graph.node(command.node_id)
        output: str | HandlerError
        try:
            results = self.visits.results(command.scope, command.node_id, command.count)
            output = containers.output(node.container or ContainerKind.LOOP, results)
        except HandlerError as error:
            output = error
        return self.ended(visit, self._completed(visit, output))

    def _close(self, command: CloseRun) -> None:
        self.close, self.ended_at = command, self.world.now
        for visit in self.visits.values():
            if not visit.is_over:
                self._cancel(visit)
        if self.parent is not None:
            parent, visit = self.parent
            self.world.later(lambda: parent._child_ended(visit, self))

    # ---- nodes
    def _run(self, command: RunNode) -> None:
        if self.close is not None:
            return  # handed out, and not wanted any more: its row is cancelled before a worker came
        visit = self._visited(command)
        ran = self._attempt(visit, command)
        if not isinstance(ran, Ran):
            raise TypeError(f"{visit.node_id} starts a run of its own or pauses, and yet was handed to a worker")
        self.world.later(lambda: self._report(visit, ran), ms=self.world.taken, is_pure=self._is_pure(visit.node_id))

    def _begin(self, command: RunNode) -> Outcome:
        """A node that waits for something else than a worker."""
        visit = self._visited(command)
        ran = self._attempt(visit, command)
        if isinstance(ran, Ran):
            return self.ended(visit, ran)
        if isinstance(ran, runner.Asked):
            return self._ask(visit, ran.pause)
        try:
            child = self._child(visit, ran.child)
        except HandlerError as error:
            return self.ended(visit, self._completed(visit, error))
        self.world.later(child.begin)
        return ran.outcome

    def _attempt(self, visit: Visit, command: RunNode) -> Ran | runner.Started | runner.Asked:
        visit.attempts, visit.status, self.world.taken = command.attempt, NodeStatus.RUNNING.value, 0.0
        return runner.run(self.prepared, visit.told(self.id), Sources(self), at=self.world.moment(), announced=True)

    def _ask(self, visit: Visit, pause: Pause) -> Outcome:
        visit.status, at = NodeStatus.WAITING.value, path(visit.scope, visit.node_id)
        asked = self.waitpoints.ask(visit, pause)
        if f"{self.call}{at}" in self.answers:
            self.world.later(partial(self.waitpoints.answer, at, self.answers[f"{self.call}{at}"]))
        return asked

    def _child(self, visit: Visit, asked: StartChild) -> Simulated:
        if self.depth >= family.MOST_LEVELS:
            raise HandlerError(f"more than {family.MOST_LEVELS} workflows started within each other", code="too_deep")
        prepared = self.planned.prepared(asked.workflow)
        parent = (self, visit)
        child = Simulated(self.planned, self.world, prepared, inputs=asked.inputs, parent=parent, answers=self.answers)
        self.children.append((visit, child))
        return child

    def _child_ended(self, visit: Visit, child: Simulated) -> None:
        if self.close is None and child.close is not None and not visit.is_over:
            closed = child.close
            output = family.result_of(child.id, closed.status, dumps(child.outputs()), closed.error)
            self._report(visit, self._completed(visit, output))

    def _moves(self) -> Iterator[Outcome]:
        """As `family.read_moves` has them: which children have paused, and which go on."""
        for visit, child in self.children:
            if child.close is None and not visit.is_over:
                mark = self.state.scopes[visit.scope].marks[self.graph.body(visit.scope).position[visit.node_id]]
                is_paused = child.status is RunStatus.PAUSED
                if mark == (CHILD if is_paused else RESTING):
                    yield ChildMoved(node_id=visit.node_id, scope=visit.scope, is_paused=is_paused)

    def _report(self, visit: Visit, ran: Ran) -> None:
        if self.close is not None:
            return
        outcome = self.ended(visit, ran)
        follower = continuation(self.graph, outcome)
        if follower is not None and self.state.lets_go_on() and self.world.perhaps(0.5):
            outcome = replace(outcome, continued=follower.id)  # type: ignore[call-arg]
            command = RunNode(node_id=follower.id, scope=visit.scope, attempt=1)
            self.world.later(lambda: self._run(command))
        self._hand_in(outcome)

    def ended(self, visit: Visit, ran: Ran) -> Outcome:
        recorded = ran.recorded
        visit.status, visit.handled, visit.end = recorded.status.value, recorded.handled, self.world.now
        visit.output, visit.error, visit.history = recorded.output, recorded.error, recorded.history
        if isinstance(ran.outcome, Retrying):
            wait = (ran.outcome.due_at - ran.outcome.ended_at).total_seconds() * 1000
            self.world.later(lambda: self._hand_in(Due(node_id=visit.node_id, scope=visit.scope)), ms=wait)
        return ran.outcome

    def _cancel(self, visit: Visit) -> None:
        visit.status, visit.end = NodeStatus.CANCELLED.value, self.world.now
        self.waitpoints.withdraw(path(visit.scope, visit.node_id))
        for caller, child in self.children:
            if caller is visit:
                self.world.later(child.cancel)

    def _visited(self, command: RunNode | OpenContainer) -> Visit:
        return self.visits.born(command.scope, command.node_id, at=self.world.now)

    def _completed(self, visit: Visit, output: str | HandlerError) -> Ran:
        return runner.completed(self.prepared, visit.told(self.id), output, at=self.world.moment())

    def _is_pure(self, node_id: str) -> bool:
        return self.graph.node(node_id).effect is Effect.PURE

    # ---- folding
    def _hand_in(self, outcome: Outcome) -> None:
        self._inbox.append(outcome)
        if not isinstance(outcome, Due) and self.world.perhaps(0.2):  # which is made of a row, and not delivered
            if self.world.perhaps(0.5):
                self._inbox.append(outcome)
            else:
                self.world.later(lambda: self._inbox.append(outcome))
        self.look_soon()

    def _fold(self, *, even_without_news: bool = False) -> None:
        if self.close is not None:
            return
        outcomes, self._inbox = [*self._inbox, *self.waitpoints.take_news(), *self._moves()], []
        if outcomes or even_without_news:
            self._obey(advance(self.graph, self.state, outcomes, now=self.world.moment()))

    def _stored(self, state: RunState) -> RunState:
        return load_state(json.loads(json.dumps(state.dump()))) if self.world.perhaps(0.2) else state

    # ---- observing
    def outputs(self) -> JSONObject:
        if self.close is None:
            return {}
        return collect(self.close.outputs_of, self.visits.top_outputs(), named=self.close.named)

    def observation(self) -> dict[str, Any]:
        return {
            "status": self.status.value,
            "outputs": self.outputs(),
            "error": self.close.error if self.close else None,
            "response": self.response,
            **observed(self.rows()),
            "open": sorted(self.open()),
            "effects": dict(self.world.effects),
            "variables": self.state.variables,
            "elapsed_ms": self.ended_at,
        }

    def rows(self) -> Iterator[Row]:
        """Its node runs, those of its children below the nodes that called them."""
        yield from self.visits.observed(self.call)
        for _, child in self.children:
            yield from child.rows()
