"""Stage 4: every edge typed and drawn once, every first name of a reference resolved to what it reads."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from workflows.core.ancestry import Ancestry
from workflows.core.contexts import needs_of
from workflows.core.expressions import Reference
from workflows.core.handles import ERROR_HANDLE, Wire
from workflows.core.names import Names
from workflows.core.plan import Binding, EdgeType, PlanEdge


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a node refers to, and in whose context."""

    node: str
    around: Sequence[str]  # containers, innermost first
    references: Sequence[Reference]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wiring:
    edges: tuple[PlanEdge, ...]  # in the plan order of their sources
    reads: tuple[Mapping[str, Binding], ...]  # of each reading: first name → what it means


def plan_edges(
    wires: Iterable[Wire],
    readings: Iterable[Reading],
    *,
    order: Sequence[str],
    parents: Mapping[str, str | None],
    names: Names,
    ancestry: Ancestry,
) -> Wiring:
    """The edges between, and the names read by, the nodes of a plan, which are those in *order*.

    *parents*: node → innermost container around it. Handles are known to be right, and no edge to cross a border.
    """
    place = {node: index for index, node in enumerate(order)}
    edges: set[PlanEdge] = set()
    for wire in wires:
        if wire.type is None or wire.source not in place or wire.target not in place:
            continue
        if not wire.opens and parents[wire.source] == wire.target:
            leaves_by = ERROR_HANDLE if wire.type is EdgeType.ERROR else wire.port
            edges.add(PlanEdge(source=wire.source, target=wire.target, type=EdgeType.BACK, port=leaves_by))
        else:
            edges.add(PlanEdge(source=wire.source, target=wire.target, type=wire.type, port=wire.port))
    return Wiring(
        edges=tuple(
            sorted(edges, key=lambda edge: (place[edge.source], place[edge.target], edge.type, edge.port or ""))
        ),
        reads=tuple(_bind(reading, names, ancestry) for reading in readings),
    )


def _bind(reading: Reading, names: Names, ancestry: Ancestry) -> Mapping[str, Binding]:
    by_root: defaultdict[str, list[Reference]] = defaultdict(list)
    for reference in reading.references:
        by_root[reference.root].append(reference)
    bound: dict[str, Binding] = {}
    for root in sorted(by_root):
        binding = names.bind(root, node=reading.node, around=reading.around, ancestry=ancestry)
        needs = needs_of(binding.source, by_root[root])
        bound[root] = replace(binding, needs=needs) if needs else binding
    return bound
