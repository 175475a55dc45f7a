"""Loops and parallels to be played, drawn with the fewest words."""

from __future__ import annotations

from typing import Any

from executions.core import Graph
from tests.executions.core.play import Played, graph_of

LOOP = "start -> loop -> z, loop:body -> a -> b"
PAR = "start -> par -> z, par:body -> a -> b"


def looped(drawing: str = LOOP, *, settings: Any = None, nodes: Any = None, **config: Any) -> Graph:
    """A graph whose node `loop` has that configuration."""
    more = {"settings": settings} if settings else {}
    return graph_of(
        drawing, nodes={**(nodes or {}), "loop": {**(nodes or {}).get("loop", {}), "config": config}}, **more
    )


def branched(drawing: str = PAR, *, settings: Any = None, nodes: Any = None, **config: Any) -> Graph:
    """A graph whose node `par` has that configuration, three branches by default."""
    more = {"settings": settings} if settings else {}
    config = {"count": 3, **config}
    return graph_of(drawing, nodes={**(nodes or {}), "par": {**(nodes or {}).get("par", {}), "config": config}}, **more)


def begun(graph: Graph, *done: str, answers: Any = None) -> Played:
    """A run after *done* have reported, one after the other."""
    played = Played(graph, answers)
    for visit in ("start", *done):
        played.report(visit)
    return played
