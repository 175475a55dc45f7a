"""How statuses, times and places look in a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from math import ceil
from typing import Final

from executions.core.scopes import TOP
from executions.core.statuses import NodeStatus, RunStatus
from flowmaestro.terminal.progress import NodeProgress, RunProgress, Visit

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
_SECOND_MS: Final = 1000
_TRACK: Final = "━"


def duration(milliseconds: float) -> str:
    """`4 ms`, `1.90 s`, `2 min 05 s`."""
    if milliseconds < _SECOND_MS:
        return f"{milliseconds:.0f} ms"
    seconds = milliseconds / _SECOND_MS
    if seconds < 60:  # noqa: PLR2004 -- a minute
        return f"{seconds:.2f} s"
    return f"{seconds // 60:.0f} min {seconds % 60:02.0f} s"


def mark(visit: Visit) -> tuple[str, str]:
    """Sign and colour of a visit."""
    return AGAIN if visit.due_at is not None else MARKS[visit.status]


def counts(node: NodeProgress) -> str:
    """What all its visits come to: of a container `begun`, of a node in a body how many there were."""
    visit = node.newest
    parts = [told] if (told := begun(visit)) else []
    if visit.scope != TOP:
        parts += [f"{node.visits} visits"] if node.visits > 1 else []
        others = node.at_work - (visit.status in (NodeStatus.RUNNING, NodeStatus.READY))
        parts += [f"{node.at_work} at work"] if others else []
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


def ending(run: RunProgress) -> str:
    word, _ = ENDINGS[run.status]
    seconds = run.seconds_at(run.ended_at)
    took = "" if seconds is None else f" in {duration(seconds * 1000)}"
    return f"{run.workflow} {word}{took}{f': {run.error}' if run.error else ''}"


def track(begin: float, end: float, whole: float, *, cells: int) -> tuple[str, str, str]:
    """When something happened within *whole* seconds, as three texts: before, bar, after, *cells* long together.

    What is too short to be seen still gets one.
    """
    scale = cells / whole if whole > 0 else 0.0
    first = min(int(begin * scale), cells - 1)
    last = max(min(round(end * scale), cells), first + 1)
    return " " * first, _TRACK * (last - first), " " * (cells - last)
