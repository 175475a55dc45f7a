"""How far each node of a run has come: the plan, the folded state and the rows put together for people."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from executions.core import NodeStatus, RunStatus, load_state
from executions.core.state import STATUS
from executions.models import Execution, ExecutionState, NodeRun
from executions.plans import prepared
from handlers import JSONObject


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
    """Every node that takes part in the run, in plan order; rows win over the state, which may be a fold behind."""
    graph = prepared(execution.version_id).graph
    stored = ExecutionState.objects.values_list("state", flat=True).get(pk=execution.pk)
    state = load_state(stored) if stored else None
    members = graph.members(execution.entry)
    is_over = RunStatus(execution.status).is_final
    columns = ("node_id", "scope", "status", "handled", "attempt", "port", "error", "usage", "started_at", "ended_at")
    rows = {row["node_id"]: row for row in NodeRun.objects.filter(execution=execution).values(*columns)}
    states = []
    for place, node in enumerate(graph.plan.nodes):
        if place not in members:
            continue
        if row := rows.get(node.id):
            row["status"] = NodeStatus(row["status"])
            states.append(NodeState(name=node.name, type=node.type, **row))
        else:
            status = STATUS[state.scopes[""].marks[place]] if state else NodeStatus.PENDING
            if is_over and not status.is_final:
                status = NodeStatus.CANCELLED
            states.append(NodeState(node_id=node.id, scope="", name=node.name, type=node.type, status=status))
    return states
