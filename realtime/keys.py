"""Names in Redis. All of them expire: Redis may forget."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from django.conf import settings

KEPT_SECONDS: Final = 3600  # after the last write
MOST_ENTRIES: Final = 2_000  # of a run's stream, about, each of some events; older events are in the rows


def run(execution_id: UUID) -> str:
    """The stream of one run."""
    return f"{settings.REDIS_PREFIX}run:{execution_id}"


def workspace(workspace_id: UUID) -> str:
    """The stream of what changes in the runs of a workspace."""
    return f"{settings.REDIS_PREFIX}workspace:{workspace_id}"


def text(execution_id: UUID, stream: str) -> str:
    """What a token stream has said so far."""
    return f"{settings.REDIS_PREFIX}text:{execution_id}:{stream}"


def wake(hub: str) -> str:
    """The stream that wakes one hub's reader."""
    return f"{settings.REDIS_PREFIX}hub:{hub}"
