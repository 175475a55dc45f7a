"""How far each node of a run has come: the plan, the folded state and the rows put together for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, Final, overload

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
    status: NodeStatus
    handled: bool = False
    attempt: int = 0  # 0: never started
    port: str | None = None
    error: JSONObject | None = None
    usage: JSONObject | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None

    @property
    def duration_ms(self) -> int | None:
        if self.started_at is None or self.ended_at is None:
            return None
        return round((self.ended_at - self.started_at).total_seconds() * 1000)


def node_states(execution: Execution) -> list[NodeState]:
    """Each node that takes part in the run, in plan order: how its newest visit stands.

    Rows win over the state, which may be a fold behind.
    """
    graph = prepared(execution.version_id).graph
    rows = NodeRun.objects.filter(execution=execution).order_by("node_id", "-ready_at", "-id").distinct("node_id")
    newest = {row["node_id"]: row for row in rows.values(*_COLUMNS)}
    nodes = graph.taking_part(execution.entry, execution.until_node)
    marks = _marks(execution, graph)
    return [
        _of_row(node, newest[node.id]) if node.id in newest else _unvisited(execution, node, marks) for node in nodes
    ]


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
        states = list(self.top[first:last])
        before = len(self._top)
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
    "node_id", "scope", "status", "handled", "attempt", "port", "error", "usage", "started_at", "ended_at",
)  # fmt: skip


def _of_row(node: PlanNode, row: dict[str, Any]) -> NodeState:
    return NodeState(name=node.name, type=node.type, **{**row, "status": NodeStatus(row["status"])})


def _skipped(node: PlanNode, scope: str) -> NodeState:
    return NodeState(node_id=node.id, scope=scope, name=node.name, type=node.type, status=NodeStatus.SKIPPED)


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
    return NodeState(node_id=node.id, scope=TOP, name=node.name, type=node.type, status=status)
