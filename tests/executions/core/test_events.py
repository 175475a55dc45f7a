from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from executions.core import EventType, RunEvent
from executions.core.events import BadEvent, without_overtaken

AT = datetime(2026, 1, 1, tzinfo=UTC)


def event(kind: EventType, node_id: str, scope: str = "", **data: Any) -> RunEvent:
    told = {"node_type": "loop", "node_name": node_id, **data}
    return RunEvent(type=kind, at=AT, node_id=node_id, scope=scope, data=told)


def progress(done: int, node_id: str = "loop", scope: str = "") -> RunEvent:
    return event(EventType.NODE_PROGRESS, node_id, scope, done=done)


def test_event_with_other_fields_than_its_type_has_is_refused() -> None:
    with pytest.raises(BadEvent, match="'done', 'total'"):
        event(EventType.NODE_PROGRESS, "loop", total=3)


def test_progress_that_is_overtaken_is_not_told() -> None:
    """Who goes through a thousand iterations at once tells where it got to; all else stays, in its order."""
    skipped = event(EventType.NODE_SKIPPED, "a", "loop[1]", reason="dead_path")
    told = [progress(1), progress(1, "in", "loop[1]"), progress(2, "in", "loop[1]"), skipped, progress(2), progress(3)]

    assert without_overtaken([*told, progress(1, "in", "loop[2]")]) == [
        progress(2, "in", "loop[1]"), skipped, progress(3), progress(1, "in", "loop[2]"),
    ]  # fmt: skip
