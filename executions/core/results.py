"""What a run returns: a function of which nodes ran and which edges were taken, never of when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from executions.core.graph import Body
from executions.core.state import COMPLETED, EXPIRED, HANDLED, OUT, Edge, edge
from handlers import JSONObject, JSONValue

_RAN = (COMPLETED, EXPIRED, HANDLED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Outputs of a run that are too large for its row: which nodes' outputs they are put together of by who reads them.

    Nothing is written a second time for them, and a run can end, or be cancelled, while blob storage is away.
    """

    nodes: tuple[str, ...]  # top-level, in plan order
    named: bool  # as in CloseRun
    characters: int  # of what they are made of, together
    bytes: int

    def dump(self) -> JSONObject:
        return {"nodes": [*self.nodes], "named": self.named, "characters": self.characters, "bytes": self.bytes}


def outputs_of(
    body: Body, marks: bytes | bytearray, ports: Mapping[int, str], *, until: str | None = None
) -> tuple[tuple[str, ...], bool]:
    """The top-level nodes whose outputs are the run's, in plan order, and whether they are `output` nodes.

    Of a run that goes no further than *until*: that node, if it ran. Else:
    With an `output` node among those that take part: the ones that ran. With none drawn: the terminal nodes, which are
    those that ran and none of whose edges was taken.
    """
    nodes = body.nodes
    if until is not None:
        place = body.position[until]
        return ((until,) if marks[place] in _RAN else ()), nodes[place].terminal
    if any(node.terminal and mark != OUT for node, mark in zip(nodes, marks, strict=True)):
        return tuple(node.id for node, mark in zip(nodes, marks, strict=True) if node.terminal and mark in _RAN), True
    return (
        tuple(
            node.id
            for place, (node, mark) in enumerate(zip(nodes, marks, strict=True))
            if mark in _RAN and not _goes_on(body, place, mark, ports)
        ),
        False,
    )


def load_parts(data: Mapping[str, Any]) -> Parts:
    """The parts of their JSON form."""
    return Parts(**{**data, "nodes": tuple(data["nodes"])})


def collect(nodes: Iterable[str], outputs: Mapping[str, JSONValue], *, named: bool) -> JSONObject:
    """The run's outputs from its nodes' outputs: merged by name, the later in plan order wins; else by node id."""
    if not named:
        return {node: outputs[node] for node in nodes}
    merged: JSONObject = {}
    for node in nodes:
        produced = outputs[node]
        merged |= produced if isinstance(produced, dict) else {node: produced}
    return merged


def _goes_on(body: Body, place: int, mark: int, ports: Mapping[int, str]) -> bool:
    return any(edge(mark, arc.type, drawn=arc.port, chosen=ports.get(place)) is Edge.TAKEN for arc in body.out[place])
