"""Which edges of a drawing were taken, read off how the nodes stand. The rules: `executions.core.state.EDGES`.

The page's script has the same rules (`static/realtime/client.js`), for what happens while somebody looks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from executions.core.statuses import NodeStatus
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


def edge_looks(edges: Sequence[PlanEdge], nodes: Mapping[str, Standing]) -> list[Look]:
    """The look of each edge. *nodes* are in plan order, so that what a disabled node passes on is known in time."""
    order = {node_id: place for place, node_id in enumerate(nodes)}
    found: dict[int, Look] = {}
    into: dict[str, list[Look]] = {}
    for place in sorted(range(len(edges)), key=lambda place: order[edges[place].source]):
        edge = edges[place]
        found[place] = _look(edge, nodes[edge.source], into.get(edge.source, []))
        into.setdefault(edge.target, []).append(found[place])
    return [found[place] for place in range(len(edges))]


def _look(edge: PlanEdge, source: Standing, into: Sequence[Look]) -> Look:
    match source.status:
        case NodeStatus.COMPLETED:
            chosen = edge.type is EdgeType.PORT and edge.port == source.port
            return Look.TAKEN if edge.type is EdgeType.SUCCESS or chosen else Look.DEAD
        case NodeStatus.FAILED if source.handled:
            return Look.TAKEN if edge.type is EdgeType.ERROR else Look.DEAD
        case NodeStatus.SKIPPED:
            # A disabled node is skipped and passes on; behind dead edges it is dead like any other.
            passes = source.disabled and (not into or Look.TAKEN in into)
            return Look.TAKEN if passes and edge.type is EdgeType.SUCCESS else Look.DEAD
        case _:
            return Look.OPEN
