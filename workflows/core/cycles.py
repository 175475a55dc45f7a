"""Cycles. A drawing must not have any: what repeats is the body of a loop."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Cycle:
    members: frozenset[str]  # nodes that lie on cycles with one another
    spelled: tuple[str, ...]  # a shortest cycle among them, its first node again at the end


def find_cycles(nodes: Collection[str], pairs: Iterable[tuple[str, str]]) -> tuple[Cycle, ...]:
    """One Cycle for each knot of *nodes* along *pairs* of (source, target); cutting what is spelled may leave others.

    A cycle is spelled from a node at which a path enters it; where none does, from the first by id.
    """
    after: dict[str, list[str]] = {node: [] for node in nodes}
    before: dict[str, list[str]] = {node: [] for node in nodes}
    for source, target in pairs:
        after[source].append(target)
        before[target].append(source)
    cycles: list[Cycle] = []
    for members in _knots(after, before):
        doors = [node for node in members if not members.issuperset(before[node])]
        cycles.append(Cycle(members=members, spelled=_shortest_cycle(min(doors or members), members, after)))
    return tuple(sorted(cycles, key=lambda cycle: cycle.spelled))


def _knots(after: Mapping[str, Sequence[str]], before: Mapping[str, Sequence[str]]) -> list[frozenset[str]]:
    """Strongly connected components that hold a cycle: of two nodes or more, or of one with an edge to itself.

    Source: S. R. Kosaraju, as in Aho, Hopcroft, Ullman, "Data Structures and Algorithms", 1983, section 6.7.
    """
    knots: list[frozenset[str]] = []
    placed: set[str] = set()
    for root in reversed(_finish_order(after)):
        members: set[str] = set()
        todo = [root]
        while todo:
            node = todo.pop()
            if node not in placed:
                placed.add(node)
                members.add(node)
                todo += before[node]
        if len(members) > 1 or (members and root in after[root]):
            knots.append(frozenset(members))
    return knots


def _finish_order(after: Mapping[str, Sequence[str]]) -> list[str]:
    """The nodes in the order in which a depth-first search leaves them; without recursion, as drawings may be deep."""
    order: list[str] = []
    seen: set[str] = set()
    todo = [(node, False) for node in after]
    while todo:
        node, is_left = todo.pop()
        if is_left:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            todo.append((node, True))
            todo += [(target, False) for target in after[node]]
    return order


def _shortest_cycle(start: str, members: frozenset[str], after: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    came_from: dict[str, str] = {}
    todo = deque([start])
    while start not in came_from:
        node = todo.popleft()
        for target in after[node]:
            if target in members and target not in came_from:
                came_from[target] = node
                todo.append(target)
    cycle = [start]
    while len(cycle) == 1 or cycle[-1] != start:
        cycle.append(came_from[cycle[-1]])
    return tuple(reversed(cycle))
