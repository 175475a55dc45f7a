"""What an edge's handle means: `sourceHandle` → edge type and port. Which ports a node has is its handler's to say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from handlers.registry import NodeType
from workflows.core.definition import Definition, Edge
from workflows.core.plan import EdgeType

SUCCESS_HANDLES: Final = frozenset({None, "", "output", "source"})
ERROR_HANDLE: Final = "error"
# Of containers only. An edge back to a container looks like any other: which it is, the drawing says (`loops`).
BODY_HANDLES: Final = frozenset({"body", "output-body", "loop-body"})
EXIT_HANDLES: Final = frozenset({"done", "loop-exit"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire:
    """An edge between two nodes that are there."""

    source: str
    target: str
    type: EdgeType | None  # None: its source has no such handle, or is of an unknown type
    port: str | None = None
    drawn: Edge | None = None  # None: a goto

    @property
    def opens(self) -> bool:
        """Whether it leads into the body of its source; nothing is in its own body."""
        return self.type is EdgeType.BODY and self.source != self.target


def read_edges(definition: Definition, types: Mapping[str, NodeType], *, gotos: Mapping[str, str]) -> Iterator[Wire]:
    """The edges of *definition*, and its *gotos*, node → target: error edges that are not drawn."""
    nodes = definition.nodes
    for edge in definition.edges:
        if edge.source not in nodes or edge.target not in nodes:
            continue
        meaning = None
        if edge.source in types:
            meaning = read_handle(edge.handle, types[edge.source], nodes[edge.source].config)
        kind, port = meaning or (None, None)
        yield Wire(source=edge.source, target=edge.target, type=kind, port=port, drawn=edge)
    for source, target in gotos.items():
        yield Wire(source=source, target=target, type=EdgeType.ERROR)


def read_handle(
    handle: str | None, node_type: NodeType, config: Mapping[str, Any]
) -> tuple[EdgeType, str | None] | None:
    """The type and port of an edge that leaves by *handle*; None when the node has no such handle."""
    if handle in SUCCESS_HANDLES:
        return EdgeType.SUCCESS, None
    if handle == ERROR_HANDLE:
        return EdgeType.ERROR, None
    if node_type.container is not None and handle in BODY_HANDLES:
        return EdgeType.BODY, None
    if node_type.container is not None and handle in EXIT_HANDLES:
        return EdgeType.SUCCESS, None
    port = node_type.handler.port_for(str(handle), config)
    return None if port is None else (EdgeType.PORT, port)
