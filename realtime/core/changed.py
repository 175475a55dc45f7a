"""Which runs of each workspace have changed, told in batches: at once after a silence, then at a bounded pace."""

from __future__ import annotations

from typing import Final
from uuid import UUID

# A page that lists runs is read by people: ten looks a second are a film, whatever a thousand runs do meanwhile.
TELLINGS_PER_SECOND: Final = 10


class Changed:
    """Runs that wait to be told of, by workspace. Time is seconds of any steady clock, given by the caller."""

    def __init__(self, *, per_second: float = TELLINGS_PER_SECOND) -> None:
        self._pause = 1 / per_second
        self._waiting: dict[UUID, set[UUID]] = {}
        self._free_at: dict[UUID, float] = {}  # workspaces that were just told of, and when they may be again

    def add(self, workspace_id: UUID, execution_id: UUID) -> None:
        self._waiting.setdefault(workspace_id, set()).add(execution_id)

    def take_due(self, now: float) -> dict[UUID, set[UUID]]:
        """The workspaces whose turn it is, each with its runs that have changed."""
        self._free_at = {workspace: at for workspace, at in self._free_at.items() if at > now}
        return self._take([workspace for workspace in self._waiting if workspace not in self._free_at], now)

    def take_all(self, now: float) -> dict[UUID, set[UUID]]:
        return self._take([*self._waiting], now)

    def next_due(self, now: float) -> float | None:
        """Seconds until there is something to take; None while nothing waits."""
        if not self._waiting:
            return None
        return max(0.0, min(self._free_at.get(workspace, now) for workspace in self._waiting) - now)

    def _take(self, workspaces: list[UUID], now: float) -> dict[UUID, set[UUID]]:
        self._free_at |= dict.fromkeys(workspaces, now + self._pause)
        return {workspace: self._waiting.pop(workspace) for workspace in workspaces}
