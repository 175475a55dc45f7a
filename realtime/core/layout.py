"""A workflow's graph as a drawing: cards in layers from top to bottom, edges as curves. All lengths are SVG units.

drawing = draw(3, [Link(source=0, target=1), Link(source=0, target=2, port="error")])
drawing.cards[1].x, drawing.lines[0].path
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from realtime.core.layers import layer
from realtime.core.ordering import order
from realtime.core.placing import place

CARD_WIDTH: Final = 264.0  # of a card: some 22 characters of 13.5 px between its icon and its status
CARD_HEIGHT: Final = 60.0
ASIDE: Final = 32.0  # between cards of a layer
BETWEEN: Final = 56.0  # between layers: a curve and its label
BEND: Final = 28.0  # what an edge that passes through a layer keeps free around itself
MARGIN: Final = 36.0

# How far aside an edge that passes through a layer goes there, per unit down, at most: 12 to either side of its middle,
# of the 30 that it has to the next card.
_LEAN = 0.4
_RAIL = 20.0  # how far beside all cards edges back lead up, inside the margin
_TURN = 16.0  # the radius in which they turn
_EXIT = 48.0  # between the ports of a card: a short label
_LABEL_AT = 0.42  # how far along the first stretch of an edge its label is: nearer to the port than to the end


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """An edge between two nodes, numbered in plan order."""

    source: int
    target: int
    port: str = ""  # edges by the same port leave the card at the same point
    back: bool = False  # leads up again, beside all cards, and has no part in where they stand


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """The room of a node that is more than a card: its card at the top, and what it holds below."""

    width: float = CARD_WIDTH
    height: float = CARD_HEIGHT
    card_x: float = 0.0  # of the card's left side, from the box's


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    x: float  # of its left upper corner
    y: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    path: str  # for the `d` of an SVG path
    label_x: float  # centre
    label_y: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """A graph as it is drawn: how large, where its cards are, how its lines run."""

    width: float
    height: float
    cards: tuple[Card, ...]  # by node
    lines: tuple[Line, ...]  # by link


def draw(count: int, links: Sequence[Link], boxes: Mapping[int, Box] | None = None) -> Drawing:
    """Where *count* nodes and their links are drawn. Every link down leads from a lower number to a higher one.

    *boxes*: the nodes that are more than a card. Links come to their cards, and leave from below the box.
    """
    down = [link for link in links if not link.back]
    layered = layer(count, [(link.source, link.target) for link in down])
    layers = order(layered)
    box = dict.fromkeys(range(count), Box()) | dict(boxes or {})
    width = {item: box[item].width for item in range(count)}
    centre = place(
        layers,
        layered.chains,
        gap=lambda a, b: sum(width[item] + ASIDE if item < count else BEND for item in (a, b)) / 2,
        is_bend=lambda item: item >= count,
    )
    left = min((centre[item] - width.get(item, 0.0) / 2 for item in centre), default=0.0)
    right = max((centre[item] + width.get(item, 0.0) / 2 for item in centre), default=0.0)
    rows = _rows(layers, box)
    x = {item: round(at - left + MARGIN) for item, at in centre.items()}
    cards = tuple(Card(x=x[item] - box[item].width / 2 + box[item].card_x, y=rows[item].top) for item in range(count))
    middle = x | {item: round(card.x + CARD_WIDTH / 2) for item, card in enumerate(cards)}
    leaving = _exits(down, [chain[1] for chain in layered.chains], middle)
    lines = (
        _line(start, rows[chain[0]].top + box[chain[0]].height, [(middle[item], rows[item]) for item in chain])
        for start, chain in zip(leaving, layered.chains, strict=True)
    )
    rail = round(right - left) + MARGIN + _RAIL
    borders = [x[item] + box[item].width / 2 for item in range(count)]
    return Drawing(
        width=round(right - left) + 2 * MARGIN,
        height=max((row.bottom for row in rows.values()), default=MARGIN) + MARGIN,
        cards=cards,
        lines=tuple(_line_back(link, borders, cards, rail) if link.back else next(lines) for link in links),
    )


@dataclass(frozen=True, slots=True)
class _Row:
    """The stripe of a layer: as high as the highest box in it."""

    top: float
    bottom: float


def _rows(layers: Sequence[Sequence[int]], box: Mapping[int, Box]) -> dict[int, _Row]:
    """By item."""
    rows: dict[int, _Row] = {}
    top = MARGIN
    for items in layers:
        row = _Row(top, top + max((box[item].height for item in items if item in box), default=CARD_HEIGHT))
        rows.update(dict.fromkeys(items, row))
        top = row.bottom + BETWEEN
    return rows


def _exits(links: Sequence[Link], first: Sequence[int], x: dict[int, int]) -> list[float]:
    """Where each link leaves its card: the ports of a card side by side, ordered by where they lead."""
    ports: dict[int, dict[str, list[int]]] = {}
    for link, item in zip(links, first, strict=True):
        ports.setdefault(link.source, {}).setdefault(link.port, []).append(x[item])
    at: dict[tuple[int, str], float] = {}
    for source, towards in ports.items():
        means = {name: sum(ends) / len(ends) for name, ends in towards.items()}
        names = sorted(means, key=means.__getitem__)
        step = min(_EXIT, (CARD_WIDTH - _EXIT) / max(1, len(names) - 1))
        for place_of, name in enumerate(names):
            at[source, name] = x[source] + (place_of - (len(names) - 1) / 2) * step
    return [at[link.source, link.port] for link in links]


def _line(start: float, leaves_at: float, points: Sequence[tuple[float, _Row]]) -> Line:
    """From below the first card, leaning through the layers between, to the upper border of the last."""
    xs = [start, *(x for x, _ in points[1:])]
    inner = zip(xs, xs[1:], xs[2:], (row for _, row in points[1:]), strict=False)
    leans = [0.0, *(_lean(*ways, height=row.bottom - row.top) for *ways, row in inner), 0.0]
    x, y = start, points[0][1].bottom
    path, label = [f"M{x:g} {leaves_at:g}"], (0.0, 0.0)
    if leaves_at < y:  # beside a higher box: straight down to where that ends
        path.append(f"L{x:g} {y:g}")
    last = len(points) - 1
    for at, (middle, row) in enumerate(points[1:], 1):
        aside = leans[at] * (row.bottom - row.top) / 2 if at < last else 0.0
        height, width = row.top - y, abs(middle - aside - x)
        leaves, comes = _reach(width, height, bends=at > 1), _reach(width, height, bends=at < last)
        first = x + leans[at - 1] * leaves, y + leaves
        second = middle - aside - leans[at] * comes, row.top - comes
        end = middle - aside, row.top
        path.append(f"C{first[0]:g} {first[1]:g} {second[0]:g} {second[1]:g} {end[0]:g} {end[1]:g}")
        if at == 1:
            label = _on_curve((x, y), first, second, end)
        x, y = end
        if at < last:
            x, y = middle + aside, row.bottom
            path.append(f"L{x:g} {y:g}")
    return Line(path="".join(path), label_x=round(label[0]), label_y=round(label[1]))


def _reach(width: float, height: float, *, bends: bool) -> float:
    """How far a curve of this width and height keeps to its direction at an end.

    Half its height at a card, where others set out with it and are to part early. More where it *bends* to go on: the
    wider it is, the rounder it has to turn.
    """
    return height * (0.5 + (0.35 * width / (width + 2 * height) if bends else 0.0))


def _on_curve(*controls: tuple[float, float]) -> tuple[float, float]:
    """The place of the label on a cubic Bézier curve."""
    t = _LABEL_AT
    weights = (1 - t) ** 3, 3 * (1 - t) ** 2 * t, 3 * (1 - t) * t**2, t**3
    x, y = (sum(weight * at for weight, at in zip(weights, axis, strict=True)) for axis in zip(*controls, strict=True))
    return x, y


def _lean(before: float, here: float, after: float, *, height: float = CARD_HEIGHT) -> float:
    """How steeply an edge passes *here*: as the gentler of its two ways, so that a staircase becomes a straight line.

    Where it turns back it passes upright. *height*: of what it passes; it goes no further aside beside a higher box.
    """
    coming, going = here - before, after - here
    if coming * going <= 0:
        return 0.0
    gentler = min(coming, going, key=abs) / (CARD_HEIGHT + BETWEEN)
    most = _LEAN * CARD_HEIGHT / height
    return max(-most, min(most, gentler))


def _line_back(link: Link, borders: Sequence[float], cards: Sequence[Card], rail: float) -> Line:
    """From the right border of its first card, up beside all cards, to that of the last."""
    x, next_x = borders[link.source], borders[link.target]
    y, next_y = (cards[item].y + CARD_HEIGHT / 2 for item in (link.source, link.target))
    path = (
        f"M{x:g} {y:g}L{rail - _TURN:g} {y:g}C{rail:g} {y:g} {rail:g} {y:g} {rail:g} {y - _TURN:g}"
        f"L{rail:g} {next_y + _TURN:g}C{rail:g} {next_y:g} {rail:g} {next_y:g} {rail - _TURN:g} {next_y:g}"
        f"L{next_x:g} {next_y:g}"
    )
    return Line(path=path, label_x=round(rail), label_y=round((y + next_y) / 2))
