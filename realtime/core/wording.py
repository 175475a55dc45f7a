"""Durations, figures and names as people read them. The page's script has the same (`static/realtime/wording.js`)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from executions.core.statuses import NodeStatus, PauseReason

_LEAST_MONEY: Final = 0.0001  # US dollars that are still written out
_NAMED: Final = 3  # names of a list, the last of which counts the rest


def duration(span: timedelta) -> str:
    """`840 ms`, `3.2 s`, `48 s`, `2m 05s`, `3h 07m`, `2d 4h`: two figures that matter."""
    milliseconds = max(0, round(span.total_seconds() * 1000))
    seconds, minutes, hours, days = (milliseconds // size for size in (1000, 60_000, 3_600_000, 86_400_000))
    if days:
        return f"{days}d {hours % 24}h"
    if hours:
        return f"{hours}h {minutes % 60:02}m"
    if minutes:
        return f"{minutes}m {seconds % 60:02}s"
    if seconds >= 10:  # noqa: PLR2004 -- two figures: tenths of what is longer say nothing
        return f"{seconds} s"
    return f"{milliseconds // 100 / 10:.1f} s" if seconds else f"{milliseconds} ms"


def money(dollars: float, *, unpriced: int = 0) -> str:
    """`$0.0042`, `$1.20`, `$0.3100 and more`, `price unknown`. *unpriced*: tokens of models of no known price."""
    digits = 2 if dollars >= 1 or dollars == 0 else 4
    known = "< $0.0001" if 0 < dollars < _LEAST_MONEY else f"${dollars:.{digits}f}"
    if not unpriced:
        return known
    return f"{known} and more" if dollars else "price unknown"


def standing(status: NodeStatus, *, is_due: bool = False, waits: int = 0, is_paused: bool = False) -> NodeStatus:
    """How a node is shown to stand: as its newest visit does, unless people should rather know that it waits.

    *is_due*: it is ready, but not before a moment. *waits*: so many of its visits wait, perhaps older ones.
    *is_paused*: the run is, so nothing of it runs, and what is under way waits for what it holds.
    """
    if status is NodeStatus.RUNNING:
        return NodeStatus.WAITING if is_paused else status
    return NodeStatus.WAITING if is_due or waits else status


def because(reason: PauseReason | None, waiting: Sequence[str]) -> str:
    """Why a run is paused, as it goes on behind the word "Paused". *waiting*: names of the nodes that wait."""
    if reason is None:
        return ""
    if reason is PauseReason.REQUESTED:
        return "on request: nothing new starts"
    if not waiting:
        return "waits for a run that it started"
    *first, last = waiting if len(waiting) <= _NAMED else [*waiting[: _NAMED - 1], f"{len(waiting) - _NAMED + 1} more"]
    return f"waits for {', '.join(first)} and {last}" if first else f"waits for {last}"


def tally(
    *, progress: tuple[int, int | None] | None = None, visits: tuple[int, int] | None = None, waits: int = 0
) -> list[tuple[str, str]]:
    """What came of a node's visits, in figures: pairs of a kind and a text.

    *progress* of a container: how many iterations or branches are over, of how many (None: a condition decides).
    *visits* of a node in a body: how many completed, how many failed; *waits*: how many of them wait.
    """
    told = []
    if progress is not None:
        done, total = progress
        told.append(("steps", f"{done}×" if total is None else f"{done}/{total}"))  # noqa: RUF001 -- times, no letter
    completed, failed = visits or (0, 0)
    if visits is not None and waits:
        told.append(("waits", f"{waits}‖"))
    if completed:
        told.append(("good", f"{completed}✓"))
    if failed:
        told.append(("bad", f"{failed}✕"))
    return told


# Widths in em of a usual sans-serif: good to a few per cent, which is what it takes to cut a name where a card ends.
_NARROW, _WIDE = frozenset("iIjltf.,:;'|!()[] "), frozenset("mwMW@%")


def shorten(text: str, *, ems: float) -> str:
    """*text*, or as much of it as fits into *ems* with an ellipsis."""
    room = ems
    for place, character in enumerate(text):
        room -= 0.29 if character in _NARROW else 0.86 if character in _WIDE else 0.67 if character.isupper() else 0.56
        if room < 0:
            return f"{text[: max(1, place - 1)].rstrip()}…"
    return text
