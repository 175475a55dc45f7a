"""What the engine tells, handed to the publisher. Called in the thread that committed: a put on a queue, no more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from executions.frames import Frame
from realtime.core import wire
from realtime.publisher import publisher


def on_events(*, execution_id: UUID, workspace_id: UUID, frames: Sequence[Frame], **_: Any) -> None:
    publisher.events(execution_id, frames)
    publisher.changed(workspace_id, execution_id)


def on_tokens(*, execution_id: UUID, stream: str, offset: int, text: str, **_: Any) -> None:
    publisher.tokens(execution_id, stream, offset, text)


def on_progress(*, execution_id: UUID, stream: str, fraction: float, message: str, **_: Any) -> None:
    publisher.notice(execution_id, wire.progress(stream, fraction, message))


def on_metadata(*, execution_id: UUID, key: str, value: str, revision: int, **_: Any) -> None:
    publisher.notice(execution_id, wire.metadata(key, value, revision))


def on_worker_end(**_: Any) -> None:
    """A worker's child process ends without running what `atexit` holds."""
    publisher.flush()
