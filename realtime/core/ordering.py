"""The order of items within their layers: few crossings. Barycentre sweeps, the best order seen is kept.

Source: Sugiyama, Tagawa, Toda (1981), step 3; the count of crossings is that of inversions, as in W. Barth, M. Jünger,
P. Mutzel, "Simple and Efficient Bilayer Cross Counting", Graph Drawing 2002.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Mapping, Sequence
from typing import Final

from realtime.core.layers import Layered, Pair

SWEEPS: Final = 12  # down and up count as two; drawings of a hundred nodes settle after four


def order(layered: Layered) -> tuple[tuple[int, ...], ...]:
    """The layers of *layered*, each reordered."""
    segments = layered.segments()
    above, below = _neighbours(segments)
    best = current = [list(row) for row in layered.layers]
    fewest = crossings(current, segments)
    for sweep in range(SWEEPS):
        if fewest == 0:
            break
        current = _sweep(current, above if sweep % 2 == 0 else below, downwards=sweep % 2 == 0)
        count = crossings(current, segments)
        if count < fewest:
            best, fewest = current, count
    return tuple(map(tuple, best))


def crossings(layers: Sequence[Sequence[int]], segments: Sequence[Pair]) -> int:
    """How often segments between neighbouring layers cross."""
    place = {item: (row, column) for row, items in enumerate(layers) for column, item in enumerate(items)}
    between: dict[int, list[Pair]] = {}
    for source, target in segments:
        (row, start), (end_row, end) = place[source], place[target]
        if end_row == row + 1:
            between.setdefault(row, []).append((start, end))
    total = 0
    for ends in between.values():
        seen: list[int] = []
        for _, end in sorted(ends):
            total += len(seen) - bisect_right(seen, end)
            insort(seen, end)
    return total


def _sweep(
    layers: Sequence[Sequence[int]], towards: Mapping[int, Sequence[int]], *, downwards: bool
) -> list[list[int]]:
    """Each layer sorted by where the neighbours on the side we come from stand; who has none keeps its place."""
    result = [list(row) for row in layers]
    column = {item: place for row in result for place, item in enumerate(row)}
    for row in result if downwards else reversed(result):
        row.sort(key=lambda item: _mean([column[other] for other in towards.get(item, ())], default=column[item]))
        column.update({item: place for place, item in enumerate(row)})
    return result


def _neighbours(segments: Sequence[Pair]) -> tuple[dict[int, list[int]], dict[int, list[int]]]:
    above: dict[int, list[int]] = {}
    below: dict[int, list[int]] = {}
    for source, target in segments:
        above.setdefault(target, []).append(source)
        below.setdefault(source, []).append(target)
    return above, below


def _mean(values: Sequence[float], *, default: float) -> float:
    return sum(values) / len(values) if values else default
