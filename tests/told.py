"""What a run has told so far, as its clients see it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from executions import frames


def read_back(execution_id: UUID, **page: int) -> list[dict[str, Any]]:
    """The run's frames, read from the rows."""
    return [frame.value() for frame in frames.load(execution_id, **page)]
