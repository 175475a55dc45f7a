"""How statuses, times and places look in a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from executions.core.statuses import NodeStatus, RunStatus
from flowmaestro.terminal.progress import NodeProgress, RunProgress

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


def detail(node: NodeProgress) -> str:
    """What is worth saying beside a node's time."""
    if node.status is NodeStatus.SKIPPED:
        return "skipped"
    if node.error is not None:
        return f"{node.error}{' — handled by its error edge' if node.is_handled else ''}"
    if node.port is not None:
        return f"→ {node.port}"
    if node.model_tokens is not None:
        return f"{node.model_tokens} tokens"
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
