"""Rows on their way out of the database and into it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from executions.core import NodeStatus, Parts, RunStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """A run as a drive finds it, its state row locked."""

    workspace_id: UUID
    version_id: UUID
    entry: str
    until: str | None  # the node it goes no further than
    inputs: str  # JSON text
    drive_failures: int
    parent_id: UUID | None
    depth: int  # parents above it
    state: Any  # None until the first drive; the run's status is in it
    ver: int
    seq: int
    replayed: Any  # before the first drive of a run that keeps something: `Execution.replayed`


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxRow:
    """A node run that ended and is not folded yet, or that is to be tried again."""

    id: UUID
    node_id: str
    scope: str
    attempt: int  # of one that is to be tried again: the next
    status: str
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
    due_at: datetime | None
    history: str | None  # JSON text
    continued: str | None  # the node its worker went on with


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
    history: str | None  # JSON text of the attempts before
    inputs: str  # JSON text, the run's
    asked_at: float  # monotonic seconds, before it was


@dataclass(slots=True, kw_only=True)  # not frozen: a burst makes hundreds, and freezing doubles what each costs
class Recorded:
    """An outcome on its way into its row. READY: there will be another attempt, when it is due."""

    id: UUID
    attempt: int  # the one that ended
    status: NodeStatus
    handled: bool
    started_at: datetime
    ended_at: datetime
    input: str | None = None  # JSON texts, all of them
    output: str | None = None  # whole, wherever it is stored
    output_ref: str | None = None  # its `blobs.Blob`, when it is too large for the row
    error: str | None = None
    port: str | None = None
    writes: str | None = None
    usage: str | None = None
    logs: str | None = None
    due_at: datetime | None = None  # READY only
    history: str | None = None

    @property
    def next_attempt(self) -> int:
        """The fence of its row from now on."""
        return self.attempt + (self.status is NodeStatus.READY)


@dataclass(slots=True, kw_only=True)  # not frozen: a burst makes hundreds, and freezing doubles what each costs
class NewRow:
    """A node run to be born: ready for others, running under us or by itself, or (a pure node) already over."""

    id: UUID
    node_id: str
    scope: str
    node_type: str
    lane: str
    status: NodeStatus
    ready_at: datetime
    ended: Recorded | None = None  # pure nodes, and containers that were opened and closed in one step
    is_ours: bool = True  # RUNNING: under us; otherwise no worker stands behind it


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A row that no worker holds comes to its end: of a container, of a node that waited, of one that was stopped."""

    node_id: str
    scope: str
    status: NodeStatus
    ended_at: datetime
    handled: bool = False
    output: str | None = None  # JSON text, whole, wherever it is stored
    output_ref: str | None = None  # its `blobs.Blob`, when it is too large for the row
    error: str | None = None  # JSON text
    port: str | None = None
    usage: str | None = None  # JSON text


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """A row that waited for its next attempt is handed out: ready for others, or running under us."""

    id: UUID
    attempt: int
    status: NodeStatus
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """Items of a container that opens, from index *first* on."""

    node_id: str
    scope: str
    first: int
    total: int | None
    items: str  # JSON text of a list


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """What a run's row becomes when it starts or ends."""

    status: RunStatus
    started_at: datetime
    ended_at: datetime | None = None
    outputs: str | Parts | None = None  # JSON text, or what they are made of
    error: str | None = None
    deadline_at: datetime | None = None
