"""A plan with its edges laid out for walking. Made once per plan and process; read by every drive."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from workflows.core.plan import EdgeType, Plan, PlanNode


@dataclass(frozen=True, slots=True, kw_only=True)
class Arc:
    """One end of an edge, seen from the other. Nodes are positions in plan order."""

    other: int
    type: EdgeType
    port: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    plan: Plan
    position: Mapping[str, int]  # node id → place in plan order
    out: tuple[tuple[Arc, ...], ...]
    into: tuple[tuple[Arc, ...], ...]

    def node(self, node_id: str) -> PlanNode:
        return self.plan.nodes[self.position[node_id]]

    def has_error_edge(self, node_id: str) -> bool:
        return any(arc.type is EdgeType.ERROR for arc in self.out[self.position[node_id]])

    def members(self, entry: str) -> frozenset[int]:
        """What takes part in a run that starts at *entry*: what it reaches, and what the input kinds reach."""
        todo = [self.position[entry], *(place for place, node in enumerate(self.plan.nodes) if node.source)]
        seen: set[int] = set()
        while todo:
            place = todo.pop()
            if place not in seen:
                seen.add(place)
                todo += [arc.other for arc in self.out[place]]
        return frozenset(seen)


def lay_out(plan: Plan) -> Graph:
    """The graph of a plan, in time proportional to its size."""
    position = {node.id: place for place, node in enumerate(plan.nodes)}
    out: list[list[Arc]] = [[] for _ in plan.nodes]
    into: list[list[Arc]] = [[] for _ in plan.nodes]
    for edge in plan.edges:
        source, target = position[edge.source], position[edge.target]
        out[source].append(Arc(other=target, type=edge.type, port=edge.port))
        into[target].append(Arc(other=source, type=edge.type, port=edge.port))
    return Graph(plan=plan, position=position, out=tuple(map(tuple, out)), into=tuple(map(tuple, into)))
