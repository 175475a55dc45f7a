"""What a client and the server can be asked alike of the nodes of a run."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

FIELDS = (
    "scope", "name", "type", "status", "handled", "kept", "attempt", "port", "error", "usage", "started_at", "ended_at",
    "duration_ms", "due_at", "visits", "progress",
)  # fmt: skip


def comparable(nodes: Iterable[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """By node id."""
    return {node["node_id"]: {name: _comparable(node, name) for name in FIELDS} for node in nodes}


def _comparable(node: dict[str, Any], name: str) -> Any:
    # When a visit was cancelled no event says: that of the run's end is near enough.
    if node["status"] == "cancelled" and name in ("ended_at", "duration_ms"):
        return None
    return node[name]
