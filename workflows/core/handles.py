"""What an edge's handle means: `sourceHandle` → edge type and port. Which ports a node has is its handler's to say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from handlers.registry import NodeType
from workflows.core.plan import EdgeType

SUCCESS_HANDLES: Final = frozenset({None, "", "output", "source"})
ERROR_HANDLE: Final = "error"
# Of containers only. An edge back to a container looks like any other: which it is, the drawing says (`loops`).
BODY_HANDLES: Final = frozenset({"body", "output-body", "loop-body"})
EXIT_HANDLES: Final = frozenset({"done", "loop-exit"})


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
