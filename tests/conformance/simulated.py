"""A run in one process: the engine's own code, with dictionaries for rows and a list of due moments for messages.

Planning, deciding, resolving and the handlers are the engine's. Without an *order* things take the time that the nodes
say, on a clock that jumps. With one they happen in any order that the engine allows: nodes start late, report late,
several reports are folded at once, some are delivered twice, and the state is written down and read back.
"""

from __future__ import annotations

import heapq
import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from random import Random
from typing import Any, Final
from uuid import uuid4

from executions import runner
from executions.core import (
    CloseRun,
    EventType,
    NodeStatus,
    Outcome,
    RunNode,
    RunState,
    Step,
    advance,
    collect,
    lay_out,
    load_state,
    start,
)
from executions.plans import Prepared
from handlers import Effect, JSONObject, Lent, NodeTimeout
from handlers import catalogue as built_in
from handlers.registry import NodeType
from tests import nodes
from tests.conformance.observation import Row, observed
from workflows.core import Severity, build_plan, parse_definition, validate

BEGUN: Final = datetime(2026, 1, 1, tzinfo=UTC)
MOST_MOMENTS: Final = 1_000_000  # of one run; more is a run that does not end


def simulate(case: Mapping[str, Any], *, order: Random | None = None, **more: Any) -> dict[str, Any]:
    """What is to be seen of *case* when it is over, in the words of the suite."""
    issues = validate(case["definition"], catalogue=more.get("catalogue", built_in))
    told = [issue.to_json() for issue in issues]
    if any(issue.severity is Severity.ERROR for issue in issues):
        return {"status": "rejected", "issues": told}
    run = Simulated(case["definition"], inputs=case.get("inputs") or {}, order=order, **more)
    with nodes.played_by(run):
        run.play()
    return run.observation() | {"issues": told}


@dataclass
class Visit:
    """A node run, as its row would have it."""

    node_id: str
    scope: str
    status: str = NodeStatus.RUNNING.value
    handled: bool = False
    attempts: int = 0
    output: str | None = None  # JSON text
    error: str | None = None
    start: float | None = None  # milliseconds since the run began
    end: float | None = None


class Simulated:
    """One run; also what its nodes have for time and for counters."""

    def __init__(
        self,
        definition: JSONObject,
        *,
        inputs: JSONObject,
        order: Random | None = None,
        catalogue: Mapping[str, NodeType] = built_in,
    ) -> None:
        plan = build_plan(parse_definition(definition), catalogue=catalogue)
        self.prepared = PreparedWith(lay_out(plan), {}, catalogue)
        self.graph = self.prepared.graph
        self.inputs, self.order = json.dumps(inputs), order
        self.id, self.now = uuid4(), 0.0  # now: milliseconds since the run began
        self.visits: dict[tuple[str, str], Visit] = {}
        self.skipped: set[tuple[str, str]] = set()
        self.state: RunState | None = None
        self.close: CloseRun | None = None
        self.counters: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        self._taken = 0.0  # milliseconds that the node at hand has slept
        self._agenda: list[tuple[float, int, Callable[[], None]]] = []
        self._inbox: list[Outcome] = []
        self._numbers = count()

    # ---- what the nodes have outside
    def sleep(self, ms: float, lent: Lent) -> None:
        limit = lent.remaining() * 1000
        self._taken += min(ms, limit)
        if ms > limit:
            raise NodeTimeout

    def count(self, what: str, execution_id: str, node_id: str) -> int:
        del execution_id
        self.counters[what][node_id] += 1
        return self.counters[what][node_id]

    # ---- playing
    def play(self) -> None:
        """From the start to the end of the run. Raises AssertionError when it does not end."""
        self._obey(start(self.graph, entry=self.graph.plan.entry, now=self._moment()))
        for _ in range(MOST_MOMENTS):
            if not self._agenda:
                break
            self.now, _, act = heapq.heappop(self._agenda)
            act()
        if self.close is None or self._agenda:
            raise AssertionError(f"the run is stuck: {self.state}")

    def _obey(self, step: Step) -> None:
        self.state = self._stored(step.state)
        for event in step.events:
            if event.type is EventType.NODE_SKIPPED:
                self.skipped.add((event.scope, event.node_id or ""))
        for command in step.commands:
            match command:
                case RunNode():
                    self._later(lambda command=command: self._run(command), is_pure=self._is_pure(command.node_id))
                case CloseRun():
                    self.close = command

    def _run(self, command: RunNode) -> None:
        if self.close is not None:
            return  # handed out, and not wanted any more: its row is cancelled before a worker came
        key = (command.scope, command.node_id)
        visit = self.visits.setdefault(key, Visit(command.node_id, command.scope, start=self.now))
        visit.attempts += 1
        self._taken = 0.0
        ran = runner.run(
            self.prepared,
            runner.Visit(
                row_id=uuid4(),
                execution_id=self.id,
                workspace_id=self.id,
                node_id=command.node_id,
                scope=command.scope,
                number=visit.attempts,
                is_claimed=False,
            ),
            self._Sources(self),
            at=self._moment(),
            announced=True,
        )
        self._later(lambda: self._report(visit, ran), ms=self._taken, is_pure=self._is_pure(command.node_id))

    def _report(self, visit: Visit, ran: runner.Ran) -> None:
        visit.end = self.now
        if self.close is not None:
            visit.status = NodeStatus.CANCELLED.value
            return
        recorded = ran.recorded
        visit.status, visit.handled = recorded.status.value, recorded.handled
        visit.output, visit.error = recorded.output, recorded.error
        self._inbox += [ran.outcome] * (2 if self._perhaps(0.1) else 1)
        if self._perhaps(0.4):
            self._later(self._fold)
        else:
            self._fold()

    def _fold(self) -> None:
        if self._inbox and self.state is not None:
            outcomes, self._inbox = self._inbox, []
            self._obey(advance(self.graph, self.state, outcomes, now=self._moment()))

    def _later(self, act: Callable[[], None], *, ms: float = 0.0, is_pure: bool = False) -> None:
        """*act* after so long; in a random order at any moment, or at once when it is pure, as half of them are."""
        if self.order is not None:
            ms = 0.0 if is_pure and self._perhaps(0.5) else self.order.random() * 1000
        heapq.heappush(self._agenda, (self.now + ms, next(self._numbers), act))

    def _perhaps(self, chance: float) -> bool:
        return self.order is not None and self.order.random() < chance

    def _stored(self, state: RunState) -> RunState:
        return load_state(json.loads(json.dumps(state.dump()))) if self._perhaps(0.2) else state

    def _is_pure(self, node_id: str) -> bool:
        return self.graph.node(node_id).effect is Effect.PURE

    def _moment(self) -> datetime:
        return BEGUN + timedelta(milliseconds=self.now)

    @dataclass(frozen=True)
    class _Sources:
        """`runner.Sources` over what has been folded."""

        run: Simulated

        @property
        def inputs(self) -> str:
            return self.run.inputs

        def outputs(self, scope: str, nodes: set[str]) -> Mapping[str, str]:
            found = {node_id: self.run.visits.get((scope, node_id)) for node_id in nodes}
            return {node_id: visit.output for node_id, visit in found.items() if visit and visit.output is not None}

        def variables(self) -> JSONObject:
            return json.loads(json.dumps(self.run.state.variables)) if self.run.state else {}

    # ---- observing
    def observation(self) -> dict[str, Any]:
        if self.close is None or self.state is None:
            raise AssertionError("the run is not over")
        known = {visit.node_id: json.loads(visit.output) for visit in self.visits.values() if visit.output}
        return {
            "status": self.close.status.value,
            "outputs": collect(self.close.outputs_of, known, named=self.close.named),
            "error": self.close.error,
            "response": None,
            **observed(self._rows()),
            "log": [],
            "open": [],
            "effects": dict(self.counters[nodes.STARTS]),
            "variables": self.state.variables,
            "elapsed_ms": self.now,
        }

    def _rows(self) -> Iterator[Row]:
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
            )
        for scope, node_id in self.skipped:
            yield Row(node_id=node_id, scope=scope, type=self.graph.node(node_id).type, status="skipped")


@dataclass(frozen=True, slots=True)
class PreparedWith(Prepared):
    """A plan whose node types come from a catalogue of one's own."""

    catalogue: Mapping[str, NodeType] = field(default_factory=dict)

    def node_type(self, node_id: str) -> NodeType:
        return self.catalogue[self.graph.node(node_id).type]
