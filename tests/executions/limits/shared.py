"""Limits as an attempt is lent them."""

from __future__ import annotations

from time import monotonic

from executions.limits import SharedLimits
from tests.handlers.fakes import RecordingLent


def limits(*, seconds: float = 5, lent: RecordingLent | None = None) -> SharedLimits:
    return SharedLimits(lent or RecordingLent(seconds=seconds))


class Passing(RecordingLent):
    """Whose time does pass."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._ends = monotonic() + seconds

    def remaining(self) -> float:
        return self._ends - monotonic()
