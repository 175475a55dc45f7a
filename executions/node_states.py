"""How far each node of a run has come: the plan, the folded state and the rows put together for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any, Final, overload

from django.db.models import F

from executions.body_visits import Progress, Told, VisitCounts, told_of_nodes
from executions.core import EventType, Graph, NodeStatus, RunStatus, load_state
from executions.core.scopes import TOP
from executions.core.state import STATUS
from executions.models import Event, Execution, ExecutionState, NodeRun
from executions.plans import prepared
from handlers import JSONObject
from workflows.core import PlanNode


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeState:
    """One visit of a node, or a node that was not visited."""

    node_id: str
    scope: str
    name: str
    type: str
    parent: str | None = None  # the container whose body it is in
    status: NodeStatus
    handled: bool = False
    kept: bool = False  # it ran in the run before
    attempt: int = 0  # 0: never started
    port: str | None = None
    error: JSONObject | None = None
    usage: JSONObject | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None  # of one that waits for its next attempt: of the last one
    due_at: datetime | None = None  # when its next attempt begins, at the earliest
    visits: VisitCounts | None = None  # of a node in a body, where all of them are told as one
    progress: Progress | None = None  # of a container, likewise

    @property
    def duration_ms(self) -> int | None:
        if self.started_at is None or self.ended_at is None:
            return None
        return round((self.ended_at - self.started_at).total_seconds() * 1000)


def node_states(execution: Execution, *, upto: int | None = None) -> list[NodeState]:
    """Each node that takes part in the run, in plan order: how its newest visit stands, and what came of all of them.

    The newest is the one that began last, by the number of the event that tells so (at most *upto*): who folds the
    events comes to the same. How it stands, its row says, which may be ahead of what was told, or of the state.
    """
    graph = prepared(execution.version_id).graph
    nodes = {node.id: node for node in graph.taking_part(execution.entry, execution.until_node)}
    scopes, told = _newest(execution, nodes, upto)
    rows = NodeRun.objects.filter(execution=execution, scope__in=set(scopes.values()))
    rows = rows.filter(node_id__in=scopes) if told else rows
    found = {(row["node_id"], row["scope"]): row for row in rows.values(*_COLUMNS)}
    marks = _marks(execution, graph)
    states: dict[str, NodeState] = {}
    bodies = [TOP]
    for body in bodies:  # grows: each container is there before what is in it
        for node in graph.bodies[body].nodes:
            if node.id not in nodes:
                continue
            scope = scopes.get(node.id)
            if (row := found.get((node.id, scope or TOP))) is not None and scope is not None:
                state = _of_row(node, row)
            elif body == TOP:
                state = _unvisited(execution, node, marks)
            else:
                state = _unvisited_in(states[body], execution, node) if scope is None else _skipped(node, scope)
            states[node.id] = _with_told(state, told.get(node.id, Told()), in_body=body != TOP)
            bodies += [node.id] if node.id in graph.bodies else []
    return [states[node_id] for node_id in nodes]


class Visits(Sequence[NodeState]):
    """Every visit of a run: its top-level nodes in plan order, visited or not, then those in bodies: first what ran, as
    it came, then what was skipped. *node_id* and *scope* narrow them to one node, to one scope.

    Read in slices: a loop may have ten thousand iterations.
    """

    def __init__(self, execution: Execution, *, node_id: str | None = None, scope: str | None = None) -> None:
        self._execution = execution
        self._graph = prepared(execution.version_id).graph
        members = self._graph.members(execution.entry, execution.until_node) if not scope else ()
        top = [node for place, node in enumerate(self._graph.top.nodes) if place in members]
        self._top = [node for node in top if node_id in (None, node.id)]
        self._has_inner = scope != TOP and len(self._graph.bodies) > 1
        wanted: dict[str, Any] = {"execution": execution}
        wanted |= {"node_id": node_id} if node_id is not None else {}
        wanted |= {"scope": scope} if scope is not None else {}
        self._inner = NodeRun.objects.filter(**wanted).exclude(scope=TOP).order_by("ready_at", "id")
        skipped = Event.objects.filter(type=EventType.NODE_SKIPPED.value, **wanted)
        self._skipped = skipped.exclude(scope=TOP).order_by("seq")

    @cached_property
    def top(self) -> list[NodeState]:
        """Those of the top level."""
        if not self._top:
            return []
        rows = NodeRun.objects.filter(execution=self._execution, scope=TOP)
        found = {row["node_id"]: row for row in rows.values(*_COLUMNS)}
        marks = _marks(self._execution, self._graph)
        return [
            _of_row(node, found[node.id]) if node.id in found else _unvisited(self._execution, node, marks)
            for node in self._top
        ]

    @cached_property
    def _counts(self) -> tuple[int, int]:
        """Visits in bodies: that have rows, that were skipped."""
        return (self._inner.count(), self._skipped.count()) if self._has_inner else (0, 0)

    def __len__(self) -> int:
        return len(self._top) + sum(self._counts)

    @overload
    def __getitem__(self, place: int) -> NodeState: ...
    @overload
    def __getitem__(self, place: slice) -> list[NodeState]: ...
    def __getitem__(self, place: int | slice) -> NodeState | list[NodeState]:
        if isinstance(place, int):
            return self[place : place + 1][0]
        first, last, _ = place.indices(len(self))
        before = len(self._top)
        states = list(self.top[first:last]) if first < before else []
        if last > before:
            rows = self._inner.values(*_COLUMNS)[max(0, first - before) : last - before]
            states += [_of_row(self._graph.node(row["node_id"]), row) for row in rows]
        before += self._counts[0]
        if last > before:
            for event in self._skipped[max(0, first - before) : last - before]:
                states.append(_skipped(self._graph.node(str(event.node_id)), event.scope))
        return states


def visit_state(execution: Execution, node_id: str, scope: str) -> NodeState | None:
    """One visit; at the top level also of a node that was not visited yet. None: there is no such visit."""
    return next(iter(Visits(execution, node_id=node_id, scope=scope)), None)


_COLUMNS: Final = (
    "node_id", "scope", "status", "handled", "kept", "attempt", "port", "error", "usage", "started_at", "ended_at",
    "due_at",
)  # fmt: skip


def _of_plan(node: PlanNode) -> dict[str, Any]:
    return {"name": node.name, "type": node.type, "parent": node.parent}


def _of_row(node: PlanNode, row: dict[str, Any]) -> NodeState:
    status = NodeStatus(row["status"])
    # A row keeps what it knows of the attempt before while the next one runs.
    current = {"error": None, "ended_at": None} if status is NodeStatus.RUNNING else {}
    due_at = row["due_at"] if status is NodeStatus.READY else None
    return NodeState(**_of_plan(node), **{**row, **current, "status": status, "due_at": due_at})


def _skipped(node: PlanNode, scope: str) -> NodeState:
    return NodeState(node_id=node.id, scope=scope, status=NodeStatus.SKIPPED, **_of_plan(node))


def _marks(execution: Execution, graph: Graph) -> Mapping[str, int]:
    """The letters of the top level, by node id; none before the first drive."""
    stored = ExecutionState.objects.values_list("state", flat=True).get(pk=execution.pk)
    if stored is None:
        return {}
    marks = load_state(stored).scopes[TOP].marks
    return {node.id: mark for node, mark in zip(graph.top.nodes, marks, strict=True)}


def _unvisited(execution: Execution, node: PlanNode, marks: Mapping[str, int]) -> NodeState:
    status = STATUS[marks[node.id]] if node.id in marks else NodeStatus.PENDING
    if RunStatus(execution.status).is_final and not status.is_final:
        status = NodeStatus.CANCELLED
    return NodeState(node_id=node.id, scope=TOP, status=status, **_of_plan(node))


def _unvisited_in(container: NodeState, execution: Execution, node: PlanNode) -> NodeState:
    """Of a body whose container is through without it, nothing was to be done."""
    status = NodeStatus.CANCELLED if RunStatus(execution.status).is_final else NodeStatus.PENDING
    if container.kept or container.status in (NodeStatus.COMPLETED, NodeStatus.SKIPPED):
        status = NodeStatus.SKIPPED
    return NodeState(node_id=node.id, scope=TOP, status=status, **_of_plan(node))


def _newest(
    execution: Execution, nodes: Mapping[str, PlanNode], upto: int | None
) -> tuple[dict[str, str], dict[str, Told]]:
    """The scope of the newest visit of each of *nodes* that has one, and what was told of them."""
    scopes = {node.id: TOP for node in nodes.values() if node.parent is None}
    if len(scopes) == len(nodes):
        return scopes, {}
    told = told_of_nodes(execution.pk, upto=upto)
    inside = {node_id: seen.scope for node_id, seen in told.items() if node_id in nodes and node_id not in scopes}
    scopes |= {node_id: scope for node_id, scope in inside.items() if scope is not None}
    # Handed out, perhaps claimed by message: what will be told of them is newer than all that has been.
    waiting = NodeRun.objects.filter(execution=execution, folded=False, announced=False, attempt=1).exclude(scope=TOP)
    by_start = waiting.order_by(F("started_at").asc(nulls_first=True), "ready_at", "id")
    return scopes | dict(by_start.values_list("node_id", "scope")), told


def _with_told(state: NodeState, told: Told, *, in_body: bool) -> NodeState:
    progress = told.progress if told.scope == state.scope else None
    return replace(state, visits=told.counts if in_body else None, progress=progress)
