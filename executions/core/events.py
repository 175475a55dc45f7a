"""The numbered facts about a run: their types and the fields each carries. This is the wire contract with clients.

Bulk rides beside: the output of a completed node and the outputs of a completed run live in their own rows and are
joined to the event when it is read, so that nothing large is written twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from handlers import JSONObject


class EventType(StrEnum):
    """Everything that is numbered, as clients are told of it."""

    EXECUTION_STARTED = "execution:started"
    EXECUTION_PAUSED = "execution:paused"
    EXECUTION_RESUMED = "execution:resumed"
    EXECUTION_COMPLETED = "execution:completed"
    EXECUTION_FAILED = "execution:failed"
    EXECUTION_CANCELLED = "execution:cancelled"
    NODE_STARTED = "node:started"
    NODE_PROGRESS = "node:progress"  # of a container that is open
    NODE_WAITING = "node:waiting"  # for an answer, an event, a moment
    NODE_COMPLETED = "node:completed"
    NODE_FAILED = "node:failed"
    NODE_RETRYING = "node:retrying"
    NODE_SKIPPED = "node:skipped"
    NODE_CANCELLED = "node:cancelled"  # its branch was stopped; what the end of the run cuts off has none


# Fields of `data`, all always present. `output` and `outputs` are joined when the event is read.
EVENT_FIELDS: Final[Mapping[EventType, frozenset[str]]] = {
    EventType.EXECUTION_STARTED: frozenset({"workflow_id", "workflow_name", "total_nodes", "rerun_of"}),
    EventType.EXECUTION_PAUSED: frozenset({"reason"}),  # statuses.PauseReason
    EventType.EXECUTION_RESUMED: frozenset({"paused_ms"}),
    EventType.EXECUTION_COMPLETED: frozenset({"duration_ms"}),
    EventType.EXECUTION_FAILED: frozenset({"error", "duration_ms"}),
    EventType.EXECUTION_CANCELLED: frozenset({"reason", "duration_ms"}),
    EventType.NODE_STARTED: frozenset({"node_type", "node_name", "attempt", "total"}),
    EventType.NODE_PROGRESS: frozenset({"node_type", "node_name", "done"}),
    EventType.NODE_WAITING: frozenset({"node_type", "node_name", "waitpoint"}),  # waitpoint: WAITPOINT_FIELDS
    EventType.NODE_COMPLETED: frozenset({"node_type", "node_name", "attempt", "duration_ms", "port", "usage"}),
    EventType.NODE_FAILED: frozenset({"node_type", "node_name", "attempt", "duration_ms", "error", "handled"}),
    EventType.NODE_RETRYING: frozenset(
        {"node_type", "node_name", "attempt", "attempts", "duration_ms", "error", "due_at"}
    ),
    EventType.NODE_SKIPPED: frozenset({"node_type", "node_name", "reason"}),
    EventType.NODE_CANCELLED: frozenset({"node_type", "node_name"}),
}

# What is told of a waitpoint: `votes` is {"needed", "voters"} or null, `event` {"type", "matches"} or null, `since` the
# moment at which its node came to it; times are ISO 8601 or null.
WAITPOINT_FIELDS: Final = (
    "id", "kind", "prompt", "schema", "form", "votes", "event", "since", "wakes_at", "expires_at",
)  # fmt: skip

FINAL_EVENTS: Final = frozenset(
    {EventType.EXECUTION_COMPLETED, EventType.EXECUTION_FAILED, EventType.EXECUTION_CANCELLED}
)


class BadEvent(ValueError):
    """An event does not carry the fields of its type."""


@dataclass(slots=True, kw_only=True)  # not frozen, as the outcomes
class RunEvent:
    """A fact before it has its number."""

    type: EventType
    at: datetime
    data: JSONObject
    node_id: str | None = None
    scope: str = ""

    def __post_init__(self) -> None:
        if self.data.keys() != EVENT_FIELDS[self.type]:
            raise BadEvent(f"{self.type}: {sorted(self.data.keys() ^ EVENT_FIELDS[self.type])} should not differ")


def without_overtaken(events: Sequence[RunEvent]) -> list[RunEvent]:
    """*events* that are told together, with the last progress of each visit only.

    A burst goes through a thousand iterations in one write: who follows it is told where it got to.
    """
    last = {(event.scope, event.node_id): event for event in events if event.type is EventType.NODE_PROGRESS}
    return [
        event
        for event in events
        if event.type is not EventType.NODE_PROGRESS or last[event.scope, event.node_id] is event
    ]
