"""How statuses, times and places look in a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from math import ceil
from typing import Final

from executions.core.scopes import TOP
from executions.core.statuses import NodeStatus, RunStatus
from flowmaestro.terminal.progress import NodeProgress, RunProgress, Visit
from handlers import JSONObject, PauseKind
from realtime.core import because, standing

MARKS: Final[Mapping[NodeStatus, tuple[str, str]]] = {  # sign and colour
    NodeStatus.PENDING: ("·", "dim"),
    NodeStatus.READY: ("·", "dim"),
    NodeStatus.RUNNING: ("▸", "cyan"),
    NodeStatus.WAITING: ("‖", "yellow"),
    NodeStatus.COMPLETED: ("✓", "green"),
    NodeStatus.FAILED: ("✗", "red"),
    NodeStatus.SKIPPED: ("╌", "dim"),
    NodeStatus.CANCELLED: ("╌", "yellow"),
}
AGAIN: Final = ("↻", "yellow")  # between two attempts
ENDINGS: Final[Mapping[RunStatus, tuple[str, str]]] = {
    RunStatus.PENDING: ("is waiting", "dim"),
    RunStatus.RUNNING: ("is running", "cyan"),
    RunStatus.PAUSED: ("is paused", "yellow"),
    RunStatus.COMPLETED: ("completed", "green"),
    RunStatus.FAILED: ("failed", "red"),
    RunStatus.CANCELLED: ("was cancelled", "yellow"),
}
_AWAITED: Final[Mapping[PauseKind, str]] = {
    PauseKind.HUMAN: "an answer",
    PauseKind.TIMER: "a moment",
    PauseKind.TOKEN: "whoever holds its token",
    PauseKind.EVENT: "the event",
}
_SECOND_MS: Final = 1000
_MINUTE: Final = 60  # seconds, likewise
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR
_TRACK: Final = "━"


def duration(milliseconds: float) -> str:
    """`4 ms`, `1.90 s`, `2 min 05 s`, `3 h 07 min`, `2 d 4 h`."""
    if milliseconds < _SECOND_MS:
        return f"{milliseconds:.0f} ms"
    seconds = milliseconds / _SECOND_MS
    if seconds < _MINUTE:
        return f"{seconds:.2f} s"
    if seconds < _HOUR:
        return f"{seconds // _MINUTE:.0f} min {seconds % _MINUTE // 1:02.0f} s"
    if seconds < _DAY:
        return f"{seconds // _HOUR:.0f} h {seconds % _HOUR // _MINUTE:02.0f} min"
    return f"{seconds // _DAY:.0f} d {seconds % _DAY // _HOUR:.0f} h"


def mark(visit: Visit, *, is_paused: bool = False) -> tuple[str, str]:
    """Sign and colour of a visit. While the run *is_paused*, what is under way waits for what is in it."""
    if visit.due_at is not None:
        return AGAIN
    return MARKS[standing(visit.status, is_paused=is_paused)]


def counts(node: NodeProgress) -> str:
    """What all its visits come to: of a container `begun`, of a node in a body how many there were."""
    visit = node.newest
    parts = [told] if (told := begun(visit)) else []
    if visit.scope != TOP:
        parts += [f"{node.visits} visits"] if node.visits > 1 else []
        others = node.at_work - (visit.status in (NodeStatus.RUNNING, NodeStatus.READY))
        parts += [f"{node.at_work} at work"] if others else []
        parts += [f"{node.waiting} waiting"] if node.waiting > (visit.status is NodeStatus.WAITING) else []
        parts += [f"{node.failed} failed"] if node.failed else []
    return ", ".join(parts)


def begun(visit: Visit) -> str:
    """`3/10`, or `iteration 3` where nobody knows of how many: what has begun of a container's body."""
    if visit.total is not None:
        return f"{visit.begun}/{visit.total}"
    if not visit.begun:  # only a loop may not know its end
        return ""
    if visit.ended_at is None:
        return f"iteration {visit.begun}"
    return "1 iteration" if visit.begun == 1 else f"{visit.begun} iterations"


def numbered(visit: Visit) -> str:
    """`Draft the reply #3.1`: its name, and in a body the numbers of the iterations and branches around it, from 1."""
    numbers = ".".join(str(index + 1) for index in visit.indices)
    return f"{visit.name} #{numbers}" if numbers else visit.name


def detail(visit: Visit, now: datetime | None) -> str:
    """What is worth saying beside a visit's time, *now*; None: before anything has happened to it."""
    if visit.status is NodeStatus.SKIPPED:
        return "skipped"
    if visit.waitpoint is not None:
        return awaited(visit.waitpoint, now)
    if visit.due_at is not None and now is not None:
        seconds = max(ceil((visit.due_at - now).total_seconds()), 0)
        return f"retrying in {seconds} s, attempt {visit.attempt + 1} of {visit.attempts}: {visit.error}"
    if visit.error is not None:
        return f"{visit.error}{' — handled by its error edge' if visit.is_handled else ''}"
    if visit.status is NodeStatus.RUNNING and visit.attempts is not None:
        return f"attempt {visit.attempt} of {visit.attempts}"
    if visit.port is not None:
        return f"→ {visit.port}"
    if visit.model_tokens is not None:
        return f"{visit.model_tokens} tokens"
    return ""


def awaited(waitpoint: JSONObject, now: datetime | None) -> str:
    """`waits for an answer: Ship it? (2 of 3 have to say yes), until 14:05:00, in 4 min 10 s`."""
    told, prompt, votes, event = "", waitpoint["prompt"], waitpoint["votes"], waitpoint["event"]
    if waitpoint["kind"] != PauseKind.TIMER:
        told = f"waits for {_AWAITED[PauseKind(str(waitpoint['kind']))]}"
        told += f" {event['type']}" if isinstance(event, dict) else ""
        told += f": {' '.join(str(prompt).split())}" if prompt else ""
        told += f" ({votes['needed']} of {votes['voters']} have to say yes)" if isinstance(votes, dict) else ""
    for word, moment in (("wakes at", waitpoint["wakes_at"]), ("until", waitpoint["expires_at"])):
        if moment is not None:
            at = datetime.fromisoformat(str(moment))
            left = "" if now is None else f", in {duration(max((at - now).total_seconds(), 0) * 1000)}"
            told += f"{', ' if told else ''}{word} {_clock(at, now)}{left}"
    return told


def paused(run: RunProgress, now: datetime) -> str:
    """`Refund is paused for 3 min 05 s: waits for Manager approval`."""
    names = [*dict.fromkeys(visit.name for visit in run.waits)]
    milliseconds = 0.0 if run.paused_at is None else (now - run.paused_at).total_seconds() * 1000
    lasted = f" for {duration(milliseconds)}" if milliseconds >= _SECOND_MS else ""
    return f"{run.workflow} {ENDINGS[RunStatus.PAUSED][0]}{lasted}: {because(run.pause_reason, names)}"


def ending(run: RunProgress) -> str:
    word, _ = ENDINGS[run.status]
    seconds = run.seconds_at(run.ended_at)
    took = "" if seconds is None else f" in {duration(seconds * 1000)}"
    rested = f", paused for {duration(run.paused_ms)} of it" if run.paused_ms else ""
    return f"{run.workflow} {word}{took}{rested}{f': {run.error}' if run.error else ''}"


def _clock(at: datetime, now: datetime | None) -> str:
    """In the time of the person who reads it; with its day when that is another."""
    local = at.astimezone()
    is_today = now is not None and local.date() == now.astimezone().date()
    return f"{local:%H:%M:%S}" if is_today else f"{local:%Y-%m-%d %H:%M:%S}"


def track(begin: float, end: float, whole: float, *, cells: int) -> tuple[str, str, str]:
    """When something happened within *whole* seconds, as three texts: before, bar, after, *cells* long together.

    What is too short to be seen still gets one.
    """
    scale = cells / whole if whole > 0 else 0.0
    first = min(int(begin * scale), cells - 1)
    last = max(min(round(end * scale), cells), first + 1)
    return " " * first, _TRACK * (last - first), " " * (cells - last)
