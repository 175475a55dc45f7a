"""What of a run is paused, and what of it waits, as those are told who follow it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from executions.core import RunStatus
from executions.core.statuses import PauseReason
from executions.models import Execution
from executions.waited_for import state_of, told_of
from handlers import JSONObject


@dataclass(frozen=True, slots=True, kw_only=True)
class Pauses:
    """Where a run stands still, and has stood still before."""

    reason: PauseReason | None = None  # None: it is not paused
    since: datetime | None = None
    paused_ms: int = 0  # of the pauses that are over
    waitpoints: tuple[JSONObject, ...] = ()  # what waits of it: {"node_id", "scope", …}, the oldest first

    def lasted(self, *, now: datetime) -> timedelta:
        """All of them, the one that it is in included."""
        current = timedelta() if self.since is None else now - self.since
        return timedelta(milliseconds=self.paused_ms) + current

    def as_json(self) -> JSONObject:
        pause: JSONObject | None = None
        if self.reason is not None and self.since is not None:
            pause = {"reason": self.reason.value, "since": self.since.isoformat()}
        return {"pause": pause, "paused_ms": self.paused_ms, "waitpoints": [*self.waitpoints]}


def pauses_of(execution: Execution) -> Pauses:
    """Of a run whose state is loaded."""
    state = state_of(execution)
    if state is None:
        return Pauses()
    if RunStatus(execution.status).is_final:  # its end is that of its last pause, too
        since, end = state.paused_at, execution.ended_at
        last = timedelta() if since is None or end is None else end - since
        return Pauses(paused_ms=state.paused_ms + round(last.total_seconds() * 1000))
    return Pauses(
        reason=state.pause_reason,
        since=state.paused_at,
        paused_ms=state.paused_ms,
        waitpoints=tuple(told_of(execution.pk)) if state.is_waiting() else (),
    )
