"""Runs as the API gives them."""

from __future__ import annotations

from typing import Any

RUN = "01a1fa78-2dc0-7458-90fb-7d03b3e44480"


def summary(**changes: Any) -> dict[str, Any]:
    """One in a list."""
    told = {
        "id": RUN,
        "workflow_name": "Refund",
        "version": 3,
        "status": "completed",
        "trigger": "api",
        "parent": None,
        "rerun_of": None,
        "rerun_from": None,
        "tags": [],
        "error": None,
        "created_at": "2030-01-01T12:00:00Z",
        "started_at": "2030-01-01T12:00:01Z",
        "duration_ms": 4210,
        "outputs": None,
    }
    return told | changes


def whole(**changes: Any) -> dict[str, Any]:
    """One by itself."""
    more = {
        "pause": None,
        "waiting_for": [],
        "progress": {"completed": 2, "total": 2, "percentage": 100},
        "tokens": {"total_tokens": 0, "cost_usd": 0.0, "unpriced_tokens": 0},
        "metadata": {},
        "outputs_omitted": None,
    }
    return summary(**more) | changes


def node(node_id: str, **changes: Any) -> dict[str, Any]:
    blank = dict.fromkeys(("due_at", "port", "error", "usage"))
    told = {
        "node_id": node_id,
        "name": node_id,
        "type": "http",
        "status": "completed",
        "handled": False,
        "kept": False,
        "attempt": 1,
        "attempts": [],
        "duration_ms": 12,
    }
    return {**blank, **told, **changes}
