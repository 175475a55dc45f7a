"""Where items stand in their layers: near their neighbours, never nearer to each other than they may.

A layer is placed at once and exactly: the positions with the least squared distance from the wished ones, under the
layer's order and gaps, are an isotonic regression. Sweeps over all layers draw neighbours together.
Source: R. Barlow et al., "Statistical Inference under Order Restrictions" (1972): pool adjacent violators.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Final

SWEEPS: Final = 24
# How strongly the two ends of a segment pull each other, by how many of them are bends. The inside of a long edge wants
# to be straight most of all; its ends give way, so that neighbours who are cards stand under each other.
_PULL: Final = (3, 1, 8)
_STAYS: Final = 1e6  # the weight of what should not move


def place(
    layers: Sequence[Sequence[int]],
    chains: Sequence[Sequence[int]],
    *,
    gap: Callable[[int, int], float],
    is_bend: Callable[[int], bool],
) -> dict[int, float]:
    """Centres by item. *gap* is the least distance between the centres of two items that stand side by side."""
    x: dict[int, float] = {}
    for row in layers:
        x.update(_packed(row, gap))
    above: dict[int, dict[int, int]] = {}
    below: dict[int, dict[int, int]] = {}
    for source, target in (segment for chain in chains for segment in pairwise(chain)):
        pull = _PULL[is_bend(source) + is_bend(target)]
        above.setdefault(target, {})[source] = pull
        below.setdefault(source, {})[target] = pull
    for sweep in range(SWEEPS):
        downwards = sweep % 2 == 0
        for row in layers if downwards else reversed(layers):
            # First by the side we come from, so that the drawing unfolds; at the end by both, so that it balances.
            sides = (above, below) if sweep >= SWEEPS // 2 else (above,) if downwards else (below,)
            _pull(row, x, sides, gap)
    _straighten(layers, chains, x, gap)
    return x


def _pull(
    row: Sequence[int],
    x: dict[int, float],
    sides: Sequence[Mapping[int, Mapping[int, int]]],
    gap: Callable[[int, int], float],
) -> None:
    wished, weights = [], []
    for item in row:
        pulls = [pull for side in sides for pull in side.get(item, {}).items()]
        weight = sum(weight for _, weight in pulls)
        wished.append(sum(x[other] * weight for other, weight in pulls) / weight if weight else x[item])
        weights.append(weight or 0.1)  # who has no neighbour on that side stays where it is, but gives way
    _settle(row, x, wished, weights, gap)


def _straighten(
    layers: Sequence[Sequence[int]],
    chains: Sequence[Sequence[int]],
    x: dict[int, float],
    gap: Callable[[int, int], float],
) -> None:
    """The bends of an edge under each other, as far as the cards beside them, which stay, leave room."""
    middle = {
        bend: sum(x[other] for other in chain[1:-1]) / (len(chain) - 2) for chain in chains for bend in chain[1:-1]
    }
    for row in layers:
        wished = [middle.get(item, x[item]) for item in row]
        _settle(row, x, wished, [1.0 if item in middle else _STAYS for item in row], gap)


def _settle(
    row: Sequence[int],
    x: dict[int, float],
    wished: Sequence[float],
    weights: Sequence[float],
    gap: Callable[[int, int], float],
) -> None:
    x.update(zip(row, spread(wished, weights, [gap(a, b) for a, b in pairwise(row)]), strict=True))


def spread(wished: Sequence[float], weights: Sequence[float], gaps: Sequence[float]) -> list[float]:
    """The positions nearest to *wished*, by weighted squares, whose neighbours are at least *gaps* apart."""
    starts = [0.0]
    for distance in gaps:
        starts.append(starts[-1] + distance)
    blocks: list[tuple[float, float, int]] = []  # mean, weight, items
    for wish, weight, start in zip(wished, weights, starts, strict=False):
        mean, total, items = wish - start, weight, 1
        while blocks and blocks[-1][0] > mean:
            other_mean, other_total, other_items = blocks.pop()
            mean = (mean * total + other_mean * other_total) / (total + other_total)
            total, items = total + other_total, items + other_items
        blocks.append((mean, total, items))
    means = [mean for mean, _, items in blocks for _ in range(items)]
    return [mean + start for mean, start in zip(means, starts, strict=False)]


def _packed(row: Sequence[int], gap: Callable[[int, int], float]) -> dict[int, float]:
    """Side by side around zero."""
    x = [0.0]
    for left, right in pairwise(row):
        x.append(x[-1] + gap(left, right))
    middle = x[-1] / 2
    return {item: at - middle for item, at in zip(row, x, strict=False)}
