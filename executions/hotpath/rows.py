"""Rows on their way out of the database and into it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from executions.core import NodeStatus, RunStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """A run as a drive finds it, its state row locked."""

    workspace_id: UUID
    version_id: UUID
    entry: str
    inputs: str  # JSON text
    drive_failures: int
    state: Any  # None until the first drive; the run's status is in it
    ver: int
    seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxRow:
    """A node run that ended and is not folded yet."""

    id: UUID
    node_id: str
    scope: str
    attempt: int
    completed: bool
    handled: bool
    port: str | None
    error: Any
    writes: Any
    usage: Any
    output: str | None  # JSON text; None when it is too wide to travel
    output_width: int | None  # characters
    announced: bool
    started_at: datetime
    ended_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedRow:
    """A node run that has just become ours."""

    id: UUID
    execution_id: UUID
    workspace_id: UUID
    version_id: UUID
    node_id: str
    scope: str
    attempt: int
    inputs: str  # JSON text, the run's


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """An outcome on its way into its row."""

    id: UUID
    attempt: int
    status: NodeStatus
    handled: bool
    started_at: datetime
    ended_at: datetime
    input: str | None = None  # JSON texts, all of them
    output: str | None = None
    error: str | None = None
    port: str | None = None
    writes: str | None = None
    usage: str | None = None
    logs: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRow:
    """A node run to be born: ready for others, running under us, or (a pure node) already over."""

    id: UUID
    node_id: str
    scope: str
    node_type: str
    lane: str
    status: NodeStatus
    ready_at: datetime
    ended: Recorded | None = None  # pure nodes


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """What a run's row becomes when it starts or ends."""

    status: RunStatus
    started_at: datetime
    ended_at: datetime | None = None
    outputs: str | None = None
    error: str | None = None
