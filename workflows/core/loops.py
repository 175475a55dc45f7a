"""Stage 2: which nodes make up the body of which container.

A container is one plan node that opens and closes its body; the body is what its openings (edges from the handle
`body`) reach without passing through the container again. Every node lies directly in one scope: that of its innermost
container, or the top level. An edge stays in the scope of its source, opens the body of its source, or leads from a
body back to its container; whatever else it does crosses a border.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from typing import Final, TypeAlias

from workflows.core.cycles import find_cycles

MAX_DEPTH: Final = 8  # containers around a node

Pair: TypeAlias = tuple[str, str]  # source, target


@dataclass(frozen=True, slots=True, kw_only=True)
class Bodies:
    parents: Mapping[str, str | None]  # node → innermost container around it; containers come before their bodies
    depths: Mapping[str, int]  # node → containers around it
    open: frozenset[str]  # containers that have a body

    def around(self, node: str) -> Iterator[str]:
        """The containers around *node*, innermost first; in a drawing that is too deep, only as many as are allowed."""
        parent = self.parents[node]
        for _ in range(MAX_DEPTH):
            if parent is None:
                return
            yield parent
            parent = self.parents[parent]

    def path(self, node: str) -> tuple[str, ...]:
        """The containers around *node*, outermost first, and itself."""
        return (*reversed([*self.around(node)]), node)

    def is_inside(self, source: str, target: str) -> bool:
        """Whether an edge stays in one scope."""
        return self.parents[source] == self.parents[target]

    def leads_back(self, source: str, target: str) -> bool:
        """Whether an edge that opens nothing ends an iteration."""
        return self.parents[source] == target

    def crosses(self, source: str, target: str, *, opens: bool) -> bool:
        """Whether an edge crosses a border."""
        if opens:
            return self.parents[target] != source
        return not self.is_inside(source, target) and not self.leads_back(source, target)


def find_bodies(
    nodes: Collection[str], *, pairs: Iterable[Pair], openings: Iterable[Pair], gotos: Iterable[Pair] = ()
) -> Bodies:
    """The bodies in a drawing of *nodes*, whatever is wrong with it.

    *openings* lead from a container to a node of its body, *pairs* are the other edges that are drawn. *gotos* are not
    drawn: they say where a node belongs only when nothing else does. A node that is reached from two scopes belongs to
    the outer one: most likely an edge was drawn out of a body, and nothing is wrong with what comes after it.
    """
    after: dict[str, list[_Step]] = {node: [] for node in nodes}
    reached: set[str] = set()
    opened: set[str] = set()
    for late, kind, opens in ((0, pairs, False), (0, openings, True), (1, gotos, False)):
        for source, target in kind:
            after[source].append((late, target, opens))
            reached.add(target)
            if opens:
                opened.add(source)
    parents: dict[str, str | None] = {}
    depths: dict[str, int] = {}
    _spread([node for node in after if node not in reached], after, parents, depths)
    if left := [node for node in after if node not in parents]:
        _spread(_doors(left, after), after, parents, depths)
    return Bodies(parents=parents, depths=depths, open=frozenset(opened))


_Step: TypeAlias = tuple[int, str, bool]  # 1 when it is a goto, target, whether it opens a body


def _spread(
    starts: Iterable[str],
    after: Mapping[str, Sequence[_Step]],
    parents: dict[str, str | None],
    depths: dict[str, int],
) -> None:
    """Put what *starts* reach into scopes, which are at the top level: gotos last, outer scopes first, then by id."""
    todo: list[tuple[int, int, str, str]] = [(0, 0, node, "") for node in starts]
    heapify(todo)
    while todo:
        _, depth, node, parent = heappop(todo)
        if node in parents:
            continue
        parents[node] = parent or None
        depths[node] = depth
        for late, target, opens in after[node]:
            if target not in parents:
                heappush(todo, (late, depth + opens, target, node if opens else parent))


def _doors(left: Collection[str], after: Mapping[str, Sequence[_Step]]) -> Iterator[str]:
    """Where to enter what goes round in circles and has no edge from outside: at its outermost container.

    That one opens a body from which everything comes back to it, and has no other edge into the circle.
    """
    sources: dict[str, list[str]] = {node: [] for node in left}
    pairs = [(node, target) for node in left for _, target, _ in after[node] if target in sources]
    for source, target in pairs:
        sources[target].append(source)
    for cycle in find_cycles(left, pairs):
        members = cycle.members
        if all(members.issuperset(sources[node]) for node in members):
            inside = {node: [step for step in after[node] if step[1] in members] for node in members}
            outermost = [node for node, steps in inside.items() if all(opens for _, _, opens in steps)]
            yield min(outermost or members)
