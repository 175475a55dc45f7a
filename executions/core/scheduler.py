"""The whole decision: what a run does next. Pure: no clock, no chance, no I/O.

    start()    a new run                    → its first Step
    advance()  what nodes reported          → the next Step
    cancel()   somebody wants it to end     → the last Step

One rule carries it. A node is looked at whenever the node behind one of its edges changed. It runs **once**, when none
of its incoming edges is unknown and at least one is taken; when all are dead it is skipped, and its own edges are dead
in turn, to any depth. What an edge is, is read off the letter of the node it comes from (`state.EDGES`).

A Step says what to do and what to tell; the shell obeys (`executions.drive`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from executions.core.commands import CloseRun, Command, RunNode
from executions.core.errors import NotCancellable
from executions.core.events import EventType, RunEvent
from executions.core.graph import Arc, Graph
from executions.core.outcomes import Failed, Outcome, Succeeded
from executions.core.results import outputs_of
from executions.core.state import (
    CANCELLED,
    COMPLETED,
    EDGES,
    FAILED,
    GIVEN,
    HANDLED,
    OUT,
    PASSED,
    PENDING,
    QUEUED,
    SKIPPED,
    Edge,
    RunState,
    ScopeState,
)
from executions.core.statuses import RunStatus, step_run
from handlers import JSONObject, JSONValue, VariableWrite
from workflows.core.plan import EdgeType, OnFailure

TOP = ""  # the path of the top-level scope
# When a run ends early, what has not ended by itself is cancelled.
_ENDED = bytes.maketrans(bytes([PENDING, QUEUED, GIVEN]), bytes([CANCELLED] * 3))


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One decision: the next state, what to do, what to tell, and which outcomes were not news."""

    state: RunState
    commands: tuple[Command, ...] = ()
    events: tuple[RunEvent, ...] = ()
    stale: tuple[Outcome, ...] = ()  # of nodes that are not out any more: duplicates, or late


def start(graph: Graph, *, entry: str, now: datetime) -> Step:
    """A new run from *entry*, which is a root, and from every root of an input kind."""
    members = graph.members(entry)
    draft = _Draft(
        graph,
        RunState(
            status=RunStatus.RUNNING,
            started_at=now,
            scopes={TOP: ScopeState(marks=bytes(PENDING if i in members else OUT for i in range(len(graph.out))))},
            variables=dict(graph.plan.variables),
        ),
        now,
    )
    draft.settle([place for place in members if not any(arc.other in members for arc in graph.into[place])])
    return draft.step()


def advance(graph: Graph, state: RunState, outcomes: Sequence[Outcome], *, now: datetime) -> Step:
    """Fold what nodes reported into the run: its next state, what to do, what to tell.

    Equal arguments give an equal Step. An outcome of a node that is not out any more, which is what a duplicate
    delivery looks like, is left out and named in Step.stale.
    """
    if state.status.is_final:
        return Step(state=state, stale=tuple(outcomes))
    draft = _Draft(graph, state, now)
    draft.fold(outcomes)
    return draft.step()


def cancel(graph: Graph, state: RunState, outcomes: Sequence[Outcome], *, reason: str, now: datetime) -> Step:
    """End the run now. *outcomes* that are in already are part of it; what is still out will be stale.

    Raises NotCancellable when it is over already.
    """
    if state.status.is_final:
        raise NotCancellable(state.status)
    draft = _Draft(graph, state, now)
    draft.fold(outcomes)
    return draft.close(RunStatus.CANCELLED, reason=reason)


class _Draft:
    """A state being changed by one Step."""

    def __init__(self, graph: Graph, state: RunState, now: datetime) -> None:
        self.graph, self.before, self.now = graph, state, now
        self.marks = bytearray(state.scopes[TOP].marks)
        self.ports = dict(state.scopes[TOP].ports)
        self.status, self.variables = state.status, state.variables
        self.error = state.error
        self.events: list[RunEvent] = []
        self.stale: list[Outcome] = []

    # ---- folding
    def fold(self, outcomes: Sequence[Outcome]) -> None:
        """Note what nodes reported, then look at what follows them: once, however many of them lead there."""
        touched: dict[int, None] = {}  # a set in the order of its making
        for outcome in outcomes:
            self._note(outcome)
            touched |= dict.fromkeys(arc.other for arc in self.graph.out[self.graph.position[outcome.node_id]])
        self.settle(list(touched))

    def _note(self, outcome: Outcome) -> None:
        place = self.graph.position[outcome.node_id]
        if self.marks[place] != GIVEN:
            self.stale.append(outcome)
            return
        if not outcome.announced:
            self.events.append(started(self.graph, outcome.node_id, attempt=outcome.attempt, at=outcome.started_at))
        match outcome:
            case Succeeded():
                self.marks[place] = COMPLETED
                if outcome.port is not None:
                    self.ports[place] = outcome.port
                for write in outcome.writes:
                    self.variables = _written(self.variables, write)
                self._tell(EventType.NODE_COMPLETED, outcome, port=outcome.port, usage=outcome.usage)
            case Failed():
                self.marks[place] = HANDLED if outcome.handled else FAILED
                if not outcome.handled:
                    self.error = self.error or outcome.error
                self._tell(EventType.NODE_FAILED, outcome, error=outcome.error, handled=outcome.handled)
            case _:
                assert_never(outcome)

    def settle(self, places: list[int]) -> None:
        """Look at these nodes again, and at every node that this touches."""
        while places:
            place = places.pop()
            if self.marks[place] != PENDING:
                continue
            coming = self._coming(place)
            if coming is Edge.UNKNOWN:
                continue
            if coming is Edge.DEAD:
                self.marks[place] = SKIPPED
                self._tell_skipped(place, "dead_path")
            elif self.graph.plan.nodes[place].disabled:
                self.marks[place] = PASSED
                self._tell_skipped(place, "disabled")
            else:
                self.marks[place] = QUEUED
                continue
            places += [arc.other for arc in self.graph.out[place]]

    def _coming(self, place: int) -> Edge:
        """What the incoming edges come to: unknown while one is, taken when one is, else dead; absent at a root."""
        coming = Edge.ABSENT
        for arc in self.graph.into[place]:
            edge = self._edge(arc)
            if edge is Edge.UNKNOWN:
                return edge
            if edge is Edge.TAKEN or coming is Edge.ABSENT:
                coming = edge
        return coming

    def _edge(self, arc: Arc) -> Edge:
        mark = self.marks[arc.other]
        if mark == COMPLETED and arc.type is EdgeType.PORT:
            return Edge.TAKEN if self.ports.get(arc.other) == arc.port else Edge.DEAD
        return EDGES[mark][arc.type]

    # ---- deciding
    def step(self) -> Step:
        """Hand out what is ready, or close the run when nothing is out."""
        commands: list[Command] = []
        if self.error is None or self.graph.plan.on_failure is OnFailure.FINISH_BRANCHES:
            room = self.graph.plan.max_concurrent_nodes - self.marks.count(GIVEN)
            while room > 0 and (place := self.marks.find(QUEUED)) >= 0:  # in plan order
                room -= 1
                self.marks[place] = GIVEN
                commands.append(RunNode(node_id=self.graph.plan.nodes[place].id, scope=TOP))
        if GIVEN not in self.marks:
            return self.close(RunStatus.FAILED if self.error else RunStatus.COMPLETED)
        return self._finish(commands)

    def close(self, status: RunStatus, *, reason: str | None = None) -> Step:
        nodes, named = outputs_of(self.graph, self.marks, self.ports)
        if status is not RunStatus.COMPLETED:
            self.marks = self.marks.translate(_ENDED)
        data: JSONObject = {"duration_ms": _milliseconds(self.before.started_at, self.now)}
        match status:
            case RunStatus.COMPLETED:
                kind = EventType.EXECUTION_COMPLETED
            case RunStatus.FAILED:
                kind, data["error"] = EventType.EXECUTION_FAILED, self.error
            case _:
                kind, data["reason"] = EventType.EXECUTION_CANCELLED, reason
        self.events.append(RunEvent(type=kind, at=self.now, data=data))
        self.status = step_run(self.status, status)
        return self._finish([CloseRun(status=status, at=self.now, error=self.error, outputs_of=nodes, named=named)])

    def _finish(self, commands: Sequence[Command]) -> Step:
        state = RunState(
            status=self.status,
            started_at=self.before.started_at,
            scopes={TOP: ScopeState(marks=bytes(self.marks), ports=self.ports)},
            variables=self.variables,
            error=self.error,
        )
        return Step(state=state, commands=tuple(commands), events=tuple(self.events), stale=tuple(self.stale))

    # ---- telling
    def _tell(self, kind: EventType, outcome: Outcome, **data: JSONValue) -> None:
        node = self.graph.node(outcome.node_id)
        data |= {
            "node_type": node.type,
            "node_name": node.name,
            "attempt": outcome.attempt,
            "duration_ms": _milliseconds(outcome.started_at, outcome.ended_at),
        }
        self.events.append(
            RunEvent(type=kind, at=outcome.ended_at, node_id=outcome.node_id, scope=outcome.scope, data=data)
        )

    def _tell_skipped(self, place: int, reason: str) -> None:
        node = self.graph.plan.nodes[place]
        data: JSONObject = {"node_type": node.type, "node_name": node.name, "reason": reason}
        self.events.append(RunEvent(type=EventType.NODE_SKIPPED, at=self.now, node_id=node.id, data=data))


def started(graph: Graph, node_id: str, *, attempt: int, at: datetime, scope: str = TOP) -> RunEvent:
    """The event of a claim. Made by whoever claims: only the claim knows when a node starts."""
    node = graph.node(node_id)
    data: JSONObject = {"node_type": node.type, "node_name": node.name, "attempt": attempt}
    return RunEvent(type=EventType.NODE_STARTED, at=at, node_id=node_id, scope=scope, data=data)


def _written(variables: JSONObject, write: VariableWrite) -> JSONObject:
    old, new = variables.get(write.name), write.value
    match write.how:
        case "increment":
            new = (old if isinstance(old, int | float) else 0) + (new if isinstance(new, int | float) else 0)
        case "append":
            new = [*(old if isinstance(old, list) else []), new]
    return {**variables, write.name: new}


def _milliseconds(since: datetime, until: datetime) -> int:
    return max(0, round((until - since).total_seconds() * 1000))
