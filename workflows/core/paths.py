"""Stage 1: where a run can start and what it reaches from there."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Paths:
    roots: tuple[str, ...]  # nodes that nothing leads to, by id
    entry: str | None  # where a run starts that was told no other root; None: cannot be said
    reached: frozenset[str]  # from any root or the entry: what a plan holds
    visited: frozenset[str]  # from the entry, a trigger or an input: what can take part in a run


def find_paths(
    nodes: Collection[str],
    pairs: Iterable[tuple[str, str]],
    *,
    entry_point: str | None,
    inputs: Collection[str],
    triggers: Collection[str],
) -> Paths:
    """The paths through *nodes* along *pairs* of (source, target).

    A run starts at the trigger that fired or at the entry, and at every root among *inputs*. The entry is
    *entry_point*, else the only root that is no input, else, where all roots are inputs, the first of them by id.
    A plan holds what any root reaches: which one a run starts from is known when it starts.
    """
    after: dict[str, list[str]] = {node: [] for node in nodes}
    targets: set[str] = set()
    for source, target in pairs:
        after[source].append(target)
        targets.add(target)
    roots = sorted(node for node in after if node not in targets)
    others = [root for root in roots if root not in inputs]
    entry: str | None = None
    if entry_point is not None:
        entry = entry_point if entry_point in after else None
    elif len(others) == 1:
        entry = others[0]
    elif roots and not others:
        entry = roots[0]
    starts = [root for root in roots if root in inputs or root in triggers]
    known = [] if entry is None else [entry]
    return Paths(
        roots=tuple(roots),
        entry=entry,
        reached=_reach(after, [*roots, *known]),
        visited=_reach(after, [*starts, *known]),
    )


def _reach(after: dict[str, list[str]], starts: Iterable[str]) -> frozenset[str]:
    seen: set[str] = set()
    todo = list(starts)
    while todo:
        node = todo.pop()
        if node not in seen:
            seen.add(node)
            todo += after[node]
    return frozenset(seen)
