"""Nodes to layers, so that every edge leads down, and long edges to chains that pass through the layers between.

Source: K. Sugiyama, S. Tagawa, M. Toda, "Methods for Visual Understanding of Hierarchical System Structures", IEEE
Transactions on Systems, Man, and Cybernetics 11 (1981), steps 1 and 2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, TypeAlias

Pair: TypeAlias = "tuple[int, int]"  # source and target; nodes are numbered from 0 in an order that edges follow

# Bends for all edges of the drawing together. Beyond it the longest edges are drawn as one sweep: thousands of bends
# would cost seconds, and nobody follows such an edge with the eye.
MOST_BENDS: Final = 4_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Layered:
    """Items by layer. The first *nodes* items are the nodes, the others are bends of long edges."""

    nodes: int
    layers: tuple[tuple[int, ...], ...]  # items from top to bottom, in the order in which they were found
    chains: tuple[tuple[int, ...], ...]  # by edge: source, its bends, target

    def segments(self) -> list[Pair]:
        """Edges between one layer and a later one, nearly always the next: those that can cross."""
        return [pair for chain in self.chains for pair in pairwise(chain)]


def layer(count: int, edges: Sequence[Pair], *, most_bends: int = MOST_BENDS) -> Layered:
    """Longest-path layering. Every edge must lead from a lower number to a higher one, as plan order has it."""
    depth = _depths(count, edges)
    layers: list[list[int]] = [[] for _ in range(max(depth, default=-1) + 1)]
    for item in range(count):
        layers[depth[item]].append(item)

    chains: dict[int, tuple[int, ...]] = {}
    items, room = count, most_bends
    for place in sorted(range(len(edges)), key=lambda place: _span(edges[place], depth)):
        source, target = edges[place]
        bends = _span(edges[place], depth) - 1
        if bends > room:
            chains[place] = (source, target)
            continue
        room -= bends
        chain = range(items, items + bends)
        items += bends
        for bend, row in zip(chain, range(depth[source] + 1, depth[target]), strict=True):
            layers[row].append(bend)
        chains[place] = (source, *chain, target)
    return Layered(
        nodes=count, layers=tuple(map(tuple, layers)), chains=tuple(chains[place] for place in range(len(edges)))
    )


def _depths(count: int, edges: Sequence[Pair]) -> list[int]:
    """As high as possible; a node without parents as low as its children allow, so that it stands near them."""
    out: list[list[int]] = [[] for _ in range(count)]
    has_parent = [False] * count
    for source, target in edges:
        out[source].append(target)
        has_parent[target] = True
    depth = [0] * count
    for item in range(count):
        for target in out[item]:
            depth[target] = max(depth[target], depth[item] + 1)
    for item in range(count):
        if not has_parent[item] and out[item]:
            depth[item] = min(depth[target] for target in out[item]) - 1
    return depth


def _span(edge: Pair, depth: Sequence[int]) -> int:
    return depth[edge[1]] - depth[edge[0]]
