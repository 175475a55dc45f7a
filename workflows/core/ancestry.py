"""Who is upstream of whom, as bit sets: one integer per node, one bit per node upstream of it.

Each scope has an order of its own: upstream is what leads to a node by the edges of its scope. Visible is that and what
is upstream of the containers around it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Ancestry:
    order: tuple[str, ...]  # plan order: by number of nodes upstream, then by id; in each scope a topological order
    bits: Mapping[str, int]  # the bit of each node
    upstream: Mapping[str, int]  # bits of the nodes upstream of it
    visible: Mapping[str, int]  # bits of the nodes whose output it may read

    def is_upstream(self, node: str, *, of: str) -> bool:
        """Whether *node*, of the same scope, is finished, one way or another, whenever *of* starts."""
        return bool(self.upstream[of] & self.bits[node])

    def is_visible(self, node: str, *, to: str) -> bool:
        """Whether *node* is finished whenever *to* starts, and there is one run of it that is meant."""
        return bool(self.visible[to] & self.bits[node])

    def rank(self, node: str) -> tuple[int, str]:
        """Sorts nodes into plan order."""
        return self.upstream[node].bit_count(), node


def trace(parents: Mapping[str, str | None], pairs: Iterable[tuple[str, str]]) -> Ancestry | None:
    """The ancestry of nodes along *pairs* of (source, target) of one scope; None when there is a cycle.

    *parents*: node → innermost container around it, containers before what is in them.

    Big integers do a machine word of nodes at a time: 2,000 nodes and 10,000 edges take a few milliseconds.
    """
    after: dict[str, list[str]] = {node: [] for node in parents}
    waits_for = dict.fromkeys(parents, 0)
    for source, target in pairs:
        after[source].append(target)
        waits_for[target] += 1
    bits: dict[str, int] = {}
    upstream = dict.fromkeys(parents, 0)
    todo = [node for node, count in waits_for.items() if not count]
    while todo:
        node = todo.pop()
        bits[node] = 1 << len(bits)
        passed_on = upstream[node] | bits[node]
        for target in after[node]:
            upstream[target] |= passed_on
            waits_for[target] -= 1
            if not waits_for[target]:
                todo.append(target)
    if len(bits) < len(upstream):
        return None
    order = sorted(upstream, key=lambda node: (upstream[node].bit_count(), node))
    visible: dict[str, int] = {}
    for node, parent in parents.items():
        visible[node] = upstream[node] if parent is None else upstream[node] | visible[parent]
    return Ancestry(order=tuple(order), bits=bits, upstream=upstream, visible=visible)
