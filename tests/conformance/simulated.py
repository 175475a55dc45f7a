"""A run in one process: the engine's own code, with dictionaries for rows and a list of due moments for messages.

Planning, deciding, resolving and the handlers are the engine's. Without an *order* things take the time that the nodes
say, on a clock that jumps. With one they happen in any order that the engine allows: nodes start late, report late,
several reports are folded at once, some are delivered twice, and the state is written down and read back.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import fields
from random import Random
from types import SimpleNamespace
from typing import Any, Final
from unittest.mock import patch
from uuid import uuid4

from executions import containers, family, runner
from executions.core import (
    CancelNode,
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
    Step,
    TestCondition,
    advance,
    cancel,
    collect,
    load_state,
    start,
)
from executions.core.opening import Opening
from executions.core.scopes import TOP, inside, path
from executions.core.state import deadline
from executions.plans import Prepared, prepare
from executions.report import Ran
from handlers import Effect, HandlerError, JSONObject, JSONValue, StartChild
from handlers import catalogue as built_in
from handlers.registry import NodeType
from tests import nodes
from tests.conformance.observation import Row, observed
from tests.conformance.sources import PreparedWith, Sources, Visit, environment_of
from tests.conformance.world import World
from workflows.core import Severity, build_plan, parse_definition, validate
from workflows.core.plan import ContainerKind
from workflows.fields import dumps

# Half of the longest wait before each retry, as the suite has it.
_JITTER: Final = SimpleNamespace(random=lambda: 0.5)


def simulate(case: Mapping[str, Any], *, order: Random | None = None, **more: Any) -> dict[str, Any]:
    """What is to be seen of *case* when it is over, in the words of the suite."""
    return Simulation(case, **more).observe(order=order)


class Simulation:
    """A case that is checked and planned once, and run as often as wanted."""

    def __init__(self, case: Mapping[str, Any], *, catalogue: Mapping[str, NodeType] = built_in) -> None:
        issues = validate(case["definition"], catalogue=catalogue)
        self.issues = [issue.to_json() for issue in issues]
        self.is_rejected = any(issue.severity is Severity.ERROR for issue in issues)
        self.inputs: JSONObject = case.get("inputs") or {}
        begun = case.get("start") or {}
        self.entry, self.until = begun.get("entry"), begun.get("stop_after")
        self.environment = environment_of(case.get("env") or {})
        self._catalogue, self._drawn = catalogue, dict(case.get("workflows") or {})
        self._prepared: dict[str | None, Prepared] = {}
        if not self.is_rejected:
            self._prepared[None] = self._prepare(case["definition"])

    def observe(self, *, order: Random | None = None) -> dict[str, Any]:
        if self.is_rejected:
            return {"status": "rejected", "issues": self.issues}
        return self.run(order=order).observation() | {"issues": self.issues}

    def run(self, *, order: Random | None = None) -> Simulated:
        """A run that is over. Raises AssertionError when it does not end."""
        world = World(order)
        run = Simulated(self, world, self.prepared(None), inputs=self.inputs)
        with nodes.played_by(world), patch("executions.report.random", _JITTER):
            run.begin(entry=self.entry, until=self.until)
            world.play()
        run.check_is_over()
        return run

    def prepared(self, name: str | None) -> Prepared:
        """The workflow itself, or a sub-workflow by its name. Raises HandlerError when there is none."""
        if name not in self._prepared:
            if name not in self._drawn:
                raise HandlerError(f"there is no workflow {name!r}", code="not_found")
            self._prepared[name] = self._prepare(self._drawn[name])
        return self._prepared[name]

    def _prepare(self, definition: JSONObject) -> Prepared:
        made = prepare(build_plan(parse_definition(definition), catalogue=self._catalogue))
        return PreparedWith(**{each.name: getattr(made, each.name) for each in fields(made)}, catalogue=self._catalogue)


class Simulated:
    """One run, and those that it starts."""

    def __init__(
        self,
        simulation: Simulation,
        world: World,
        prepared: Prepared,
        *,
        inputs: JSONObject,
        parent: tuple[Simulated, Visit] | None = None,
    ) -> None:
        self.simulation, self.world, self.prepared, self.parent = simulation, world, prepared, parent
        self.graph, self.inputs = prepared.graph, json.dumps(inputs)
        self.depth: int = parent[0].depth + 1 if parent else 0
        self.id = uuid4()
        self.visits: dict[tuple[str, str], Visit] = {}
        self.skipped: set[tuple[str, str]] = set()
        self.children: list[tuple[str, Simulated]] = []  # with the path of the node that started it
        self.state: RunState
        self.close: CloseRun | None = None
        self.response: JSONValue = None
        self.ended: float | None = None
        self._inbox: list[Outcome] = []

    # ---- from its start to its end
    def begin(self, *, entry: str | None = None, until: str | None = None) -> None:
        now = self.world.moment()
        ends_at = deadline(now, self.graph.plan.timeout_ms)
        if ends_at is not None and self.world.is_timed:  # otherwise things take no time of their own
            self.world.later(self._look_at_the_clock, ms=self.graph.plan.timeout_ms or 0)
        self._obey(start(self.graph, entry=entry or self.graph.plan.entry, until=until, now=now))

    def cancel(self) -> None:
        if self.close is None:
            outcomes, self._inbox = self._inbox, []
            self._obey(cancel(self.graph, self.state, outcomes, reason="", now=self.world.moment()))

    def check_is_over(self) -> None:
        if self.close is None:
            raise AssertionError(f"the run is stuck: {self.state}")
        for visit in self.visits.values():
            if not visit.is_over:
                raise AssertionError(f"the run is over and {path(visit.scope, visit.node_id)} is {visit.status}")
        for _, child in self.children:
            child.check_is_over()

    def _look_at_the_clock(self) -> None:
        if self.close is None:
            self._fold(even_without_news=True)

    # ---- obeying
    def _obey(self, step: Step) -> None:
        """What is to be done at once is reported at once; in a random order perhaps one after the other."""
        reports: list[Outcome] = []
        while True:
            self.state = self._stored(step.state)
            for event in step.events:
                if event.type is EventType.NODE_SKIPPED:
                    self.skipped.add((event.scope, event.node_id or ""))
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
        begun = runner.open_container(self.prepared, self._told(visit), Sources(self), at=self.world.moment())
        if isinstance(begun, Opening):
            visit.items = begun.items
            return begun.opened
        return self._ended(visit, begun)

    def _test(self, command: TestCondition) -> Outcome:
        visit, now = self.visits[command.scope, command.node_id], self.world.moment()
        tested = runner.test_condition(
            self.prepared, self._told(visit), Sources(self), index=command.index, started_at=now, at=now
        )
        return self._ended(visit, tested) if isinstance(tested, Ran) else tested

    def _collect(self, command: CollectResults) -> Outcome:
        visit, node = self.visits[command.scope, command.node_id], self.graph.node(command.node_id)
        output: str | HandlerError
        try:
            results = self.results(command.scope, command.node_id, command.count)
            output = containers.output(node.container or ContainerKind.LOOP, results)
        except HandlerError as error:
            output = error
        return self._ended(visit, self._completed(visit, output))

    def _close(self, command: CloseRun) -> None:
        self.close, self.ended = command, self.world.now
        for visit in self.visits.values():
            if not visit.is_over:
                self._cancel(visit)
        for _, child in self.children:
            self.world.later(child.cancel)
        if self.parent is not None:
            parent, visit = self.parent
            self.world.later(lambda: parent._child_ended(visit, self))

    # ---- nodes
    def _run(self, command: RunNode) -> None:
        if self.close is not None:
            return  # handed out, and not wanted any more: its row is cancelled before a worker came
        visit = self._visited(command)
        visit.attempts, visit.status, self.world.taken = command.attempt, NodeStatus.RUNNING.value, 0.0
        ran = runner.run(self.prepared, self._told(visit), Sources(self), at=self.world.moment(), announced=True)
        if isinstance(ran, Ran):
            self.world.later(
                lambda: self._report(visit, ran), ms=self.world.taken, is_pure=self._is_pure(visit.node_id)
            )
            return
        try:
            child = self._child(visit, ran.child)
        except HandlerError as error:
            self._report(visit, self._completed(visit, error))
        else:
            self._hand_in(ran.outcome)
            self.world.later(child.begin)

    def _child(self, visit: Visit, asked: StartChild) -> Simulated:
        if self.depth >= family.MOST_LEVELS:
            raise HandlerError(f"more than {family.MOST_LEVELS} workflows started within each other", code="too_deep")
        prepared = self.simulation.prepared(asked.workflow)
        child = Simulated(self.simulation, self.world, prepared, inputs=asked.inputs, parent=(self, visit))
        self.children.append((path(visit.scope, visit.node_id), child))
        return child

    def _child_ended(self, visit: Visit, child: Simulated) -> None:
        if self.close is None and child.close is not None:
            closed = child.close
            output = family.result_of(child.id, closed.status, dumps(child.outputs()), closed.error)
            self._report(visit, self._completed(visit, output))

    def _report(self, visit: Visit, ran: Ran) -> None:
        if self.close is None:
            self._hand_in(self._ended(visit, ran))

    def _ended(self, visit: Visit, ran: Ran) -> Outcome:
        recorded = ran.recorded
        visit.status, visit.handled, visit.end = recorded.status.value, recorded.handled, self.world.now
        visit.output, visit.error = recorded.output, recorded.error
        if isinstance(ran.outcome, Retrying):
            wait = (ran.outcome.due_at - ran.outcome.ended_at).total_seconds() * 1000
            self.world.later(lambda: self._hand_in(Due(node_id=visit.node_id, scope=visit.scope)), ms=wait)
        return ran.outcome

    def _cancel(self, visit: Visit) -> None:
        visit.status, visit.end = NodeStatus.CANCELLED.value, self.world.now

    def _visited(self, command: RunNode | OpenContainer) -> Visit:
        key = (command.scope, command.node_id)
        return self.visits.setdefault(key, Visit(command.node_id, command.scope, start=self.world.now))

    def _told(self, visit: Visit) -> runner.Visit:
        return runner.Visit(
            row_id=uuid4(),
            execution_id=self.id,
            workspace_id=self.id,
            node_id=visit.node_id,
            scope=visit.scope,
            number=visit.attempts,
            is_claimed=False,
        )

    def _completed(self, visit: Visit, output: str | HandlerError) -> Ran:
        return runner.completed(self.prepared, self._told(visit), output, at=self.world.moment())

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
        if self.world.perhaps(0.4):
            self.world.later(self._fold)
        else:
            self._fold()

    def _fold(self, *, even_without_news: bool = False) -> None:
        if self.close is None and (self._inbox or even_without_news):
            outcomes, self._inbox = self._inbox, []
            self._obey(advance(self.graph, self.state, outcomes, now=self.world.moment()))

    def _stored(self, state: RunState) -> RunState:
        return load_state(json.loads(json.dumps(state.dump()))) if self.world.perhaps(0.2) else state

    # ---- values
    def results(self, scope: str, container: str, count: int) -> list[str]:
        body = [node.id for node in self.graph.bodies[container].nodes]
        scopes = [inside(scope, container, index) for index in range(count)]
        found = [visit for at in scopes for node in body if (visit := self.visits.get((at, node)))]
        ended = [visit for visit in found if visit.output is not None or _is_unhandled(visit)]
        rows = [
            (visit.scope, visit.node_id, visit.output, visit.error if _is_unhandled(visit) else None)
            for visit in sorted(ended, key=lambda visit: visit.end or 0.0)
        ]
        return containers.assemble(body, scopes, rows)

    # ---- observing
    def outputs(self) -> JSONObject:
        if self.close is None:
            raise AssertionError("the run is not over")
        known = {visit.node_id: json.loads(visit.output) for visit in self._top_visits() if visit.output is not None}
        return collect(self.close.outputs_of, known, named=self.close.named)

    def observation(self) -> dict[str, Any]:
        if self.close is None:
            raise AssertionError("the run is not over")
        return {
            "status": self.close.status.value,
            "outputs": self.outputs(),
            "error": self.close.error,
            "response": self.response,
            **observed(self.rows()),
            "log": [],
            "open": [],
            "effects": dict(self.world.effects),
            "variables": self.state.variables,
            "elapsed_ms": self.ended,
        }

    def rows(self, call: str = "") -> Iterator[Row]:
        """Its node runs, those of sub-workflows below the node that called them."""
        for (scope, node_id), visit in self.visits.items():
            yield Row(
                node_id=node_id,
                scope=scope,
                type=self.graph.node(node_id).type,
                status=visit.status,
                handled=visit.handled,
                attempts=visit.attempts,
                output=None if visit.output is None else json.loads(visit.output),
                error=None if visit.error is None else json.loads(visit.error),
                start=visit.start,
                end=visit.end,
                call=call,
            )
        for scope, node_id in self.skipped:
            yield Row(node_id=node_id, scope=scope, type=self.graph.node(node_id).type, status="skipped", call=call)
        for at, child in self.children:
            yield from child.rows(f"{call}{at}/")

    def _top_visits(self) -> Iterator[Visit]:
        return (visit for (scope, _), visit in self.visits.items() if scope == TOP)


def _is_unhandled(visit: Visit) -> bool:
    return visit.status == NodeStatus.FAILED.value and not visit.handled
