"""Stage 4: every edge typed and drawn once, every first name of a reference resolved to what it reads."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from handlers.registry import NodeType
from workflows.core.ancestry import Ancestry
from workflows.core.definition import Definition
from workflows.core.handles import read_handle
from workflows.core.names import Names
from workflows.core.plan import Binding, EdgeType, PlanEdge


@dataclass(frozen=True, slots=True, kw_only=True)
class Wiring:
    edges: tuple[PlanEdge, ...]  # in the plan order of their sources
    reads: Mapping[str, Mapping[str, Binding]]  # node id → first name → what it means there


def plan_edges(
    definition: Definition,
    types: Mapping[str, NodeType],
    *,
    gotos: Mapping[str, str],
    mentioned: Mapping[str, Collection[str]],
    names: Names,
    ancestry: Ancestry,
) -> Wiring:
    """The edges between, and the names *mentioned* by, the nodes of a plan (the keys of *mentioned*).

    *gotos*, node → target, are error edges that are not drawn. Handles are known to be right.
    """
    edges = {PlanEdge(source=source, target=target, type=EdgeType.ERROR) for source, target in gotos.items()}
    for edge in definition.edges:
        meaning = read_handle(edge.handle, types[edge.source], definition.nodes[edge.source].config)
        if meaning is not None:
            edges.add(PlanEdge(source=edge.source, target=edge.target, type=meaning[0], port=meaning[1]))
    within = (edge for edge in edges if edge.source in mentioned and edge.target in mentioned)
    order = {node: place for place, node in enumerate(ancestry.order)}
    return Wiring(
        edges=tuple(
            sorted(within, key=lambda edge: (order[edge.source], order[edge.target], edge.type, edge.port or ""))
        ),
        reads={
            node: {name: names.bind(name, node=node, ancestry=ancestry) for name in sorted(roots)}
            for node, roots in mentioned.items()
        },
    )
