"""Drawings in drawings: what a container repeats stands in a frame below its card, laid out on its own.

drawing = draw_nested([None, None, 1], [Link(source=0, target=1), Link(source=1, target=2)])  # 2 is in the body of 1
drawing.frames[0].owner, drawing.cards[2].x
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from realtime.core.layout import MARGIN, Box, Card, Drawing, Line, Link, draw

PADDING: Final = 20.0  # of a frame, above and below what is in it; beside it, the margin of a drawing
_PAIR: Final = re.compile(r"(-?[\d.]+) (-?[\d.]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """The room of a container and its body."""

    owner: int
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Nested(Drawing):
    """A drawing with a frame around each container and its body."""

    frames: tuple[Frame, ...]  # the outer ones first


def draw_nested(parents: Sequence[int | None], links: Sequence[Link]) -> Nested:
    """The drawing of nodes that stand in the body of *parents*, or of none.

    Links stay in one body, or join it to its container. In each body those down lead from a lower number to a higher
    one, and a container has a lower number than its body.
    """
    level = _Level(None, parents, links)
    cards, lines, frames = dict[int, Card](), dict[int, Line](), list[Frame]()
    level.put(0.0, 0.0, cards, lines, frames)
    return Nested(
        width=level.drawing.width,
        height=level.drawing.height,
        cards=tuple(cards[node] for node in range(len(parents))),
        lines=tuple(lines[place] for place in range(len(links))),
        frames=tuple(frames),
    )


class _Level:
    """The top level, or a container's card with its body."""

    def __init__(self, owner: int | None, parents: Sequence[int | None], links: Sequence[Link]) -> None:
        self.owner = owner
        body = [node for node, parent in enumerate(parents) if parent == owner]
        self._nodes = body if owner is None else [owner, *body]
        place = {node: at for at, node in enumerate(self._nodes)}
        self._links = [
            at
            for at, link in enumerate(links)
            if link.source in place and link.target in place and {link.source, link.target} != {owner}
        ]
        holders = {parent for parent in parents if parent is not None}
        self._inner = {place[node]: _Level(node, parents, links) for node in body if node in holders}
        self.drawing = draw(
            len(self._nodes),
            [replace(links[at], source=place[links[at].source], target=place[links[at].target]) for at in self._links],
            {at: inner.box for at, inner in self._inner.items()},
        )

    @property
    def box(self) -> Box:
        """Its room in the drawing around it, from the upper border of its card: the frame begins above that."""
        height = self.drawing.height - 2 * MARGIN + PADDING
        return Box(width=self.drawing.width, height=height, card_x=self.drawing.cards[0].x)

    def put(self, x: float, y: float, cards: dict[int, Card], lines: dict[int, Line], frames: list[Frame]) -> None:
        """Note where all is when its drawing begins at *x*, *y*."""
        if self.owner is not None:
            top, height = y + MARGIN - PADDING, self.drawing.height - 2 * (MARGIN - PADDING)
            frames.append(Frame(owner=self.owner, x=x, y=top, width=self.drawing.width, height=height))
        for place, line in zip(self._links, self.drawing.lines, strict=True):
            lines[place] = Line(
                path=_PAIR.sub(lambda pair: f"{float(pair[1]) + x:g} {float(pair[2]) + y:g}", line.path),
                label_x=line.label_x + x,
                label_y=line.label_y + y,
            )
        for at, (node, card) in enumerate(zip(self._nodes, self.drawing.cards, strict=True)):
            cards[node] = Card(x=card.x + x, y=card.y + y)
            if (inner := self._inner.get(at)) is not None:
                inner.put(card.x + x - inner.box.card_x, card.y + y - MARGIN, cards, lines, frames)
