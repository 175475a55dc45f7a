"""Which edges of a drawing were taken, read off how the nodes stand. The rules: `executions.core.state.EDGES`.

The page's script has the same rules (`static/realtime/edges.js`), for what happens while somebody looks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from executions.core.statuses import NodeStatus
from handlers import TIMEOUT_PORT
from workflows.core.handles import ERROR_HANDLE
from workflows.core.plan import EdgeType, PlanEdge


class Look(StrEnum):
    """How an edge is drawn."""

    OPEN = "open"  # not decided, or never to be
    TAKEN = "taken"
    DEAD = "dead"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What of a node decides about its edges."""

    status: NodeStatus
    handled: bool = False
    port: str | None = None
    disabled: bool = False
    pauses: bool = False  # it may wait for something outside

    @property
    def is_expired(self) -> bool:
        """Nobody answered it in time: it is completed, and leaves by its timeout and no other edge."""
        return self.pauses and self.status is NodeStatus.COMPLETED and self.port == TIMEOUT_PORT


def edge_looks(edges: Sequence[PlanEdge], nodes: Mapping[str, Standing]) -> list[Look]:
    """The look of each edge. *nodes* are in plan order, so that what a disabled node passes on is known in time."""
    order = {node_id: place for place, node_id in enumerate(nodes)}
    found: dict[int, Look] = {}
    into: dict[str, list[Look]] = {}
    for place in sorted(range(len(edges)), key=lambda place: order[edges[place].source]):
        edge = edges[place]
        if edge.type is EdgeType.BODY:
            found[place] = _body_look(nodes[edge.source], nodes[edge.target])
        else:
            found[place] = _look(edge, nodes[edge.source], into.get(edge.source, []))
        if edge.type is not EdgeType.BACK:  # whether its target was reached was settled before its body was
            into.setdefault(edge.target, []).append(found[place])
    return [found[place] for place in range(len(edges))]


def _body_look(container: Standing, first: Standing) -> Look:
    """Taken once there is an iteration, so that what was visited hangs together."""
    match container.status:
        case NodeStatus.SKIPPED:
            return Look.DEAD
        case NodeStatus.PENDING | NodeStatus.READY | NodeStatus.CANCELLED:
            return Look.OPEN
    is_untouched = first.status is NodeStatus.SKIPPED and not first.disabled
    if not is_untouched and first.status not in (NodeStatus.PENDING, NodeStatus.CANCELLED):
        return Look.TAKEN
    return Look.DEAD if container.status is NodeStatus.COMPLETED else Look.OPEN


def _look(edge: PlanEdge, source: Standing, into: Sequence[Look]) -> Look:
    kind = _leaves_by(edge)
    match source.status:
        case NodeStatus.COMPLETED if source.is_expired:
            return Look.TAKEN if kind is EdgeType.PORT and edge.port == TIMEOUT_PORT else Look.DEAD
        case NodeStatus.COMPLETED:
            chosen = kind is EdgeType.PORT and edge.port == source.port
            return Look.TAKEN if kind is EdgeType.SUCCESS or chosen else Look.DEAD
        case NodeStatus.FAILED if source.handled:
            return Look.TAKEN if kind is EdgeType.ERROR else Look.DEAD
        case NodeStatus.SKIPPED:
            # A disabled node is skipped and passes on; behind dead edges it is dead like any other.
            passes = source.disabled and (not into or Look.TAKEN in into)
            return Look.TAKEN if passes and kind is EdgeType.SUCCESS else Look.DEAD
        case _:
            return Look.OPEN


def _leaves_by(edge: PlanEdge) -> EdgeType:
    """SUCCESS, PORT or ERROR, also of an edge back to a container."""
    if edge.type is not EdgeType.BACK:
        return edge.type
    if edge.port is None:
        return EdgeType.SUCCESS
    return EdgeType.ERROR if edge.port == ERROR_HANDLE else EdgeType.PORT
