from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from executions.core.statuses import NodeStatus, RunStatus
from flowmaestro.terminal.glyphs import ENDINGS, MARKS, awaited, duration, track
from handlers import JSONObject


def test_every_status_has_its_look() -> None:
    """A status added to the engine cannot be forgotten here."""
    assert MARKS.keys() == set(NodeStatus)
    assert ENDINGS.keys() == set(RunStatus)


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (0, "0 ms"),
        (999, "999 ms"),
        (1000, "1.00 s"),  # from a second on, hundredths are enough
        (59_990, "59.99 s"),
        (125_000, "2 min 05 s"),
        (3_599_900, "59 min 59 s"),
        (11_220_000, "3 h 07 min"),  # a run that was paused takes its time
        (187_200_000, "2 d 4 h"),
    ],
)
def test_duration_is_told_in_a_fitting_unit(milliseconds: float, text: str) -> None:
    """Three digits tell all."""
    assert duration(milliseconds) == text


NOON = datetime(2030, 1, 1, 12, 0, tzinfo=UTC)
WAITPOINT: JSONObject = dict.fromkeys(("prompt", "votes", "event", "wakes_at", "expires_at"))


@pytest.mark.parametrize(
    ("waitpoint", "text"),
    [
        ({"kind": "human"}, "waits for an answer"),
        (
            {"kind": "human", "prompt": "Ship\nit?", "votes": {"needed": 2, "voters": 3}},
            "waits for an answer: Ship it? (2 of 3 have to say yes)",
        ),
        ({"kind": "token", "prompt": "The contract"}, "waits for whoever holds its token: The contract"),
        ({"kind": "event", "event": {"type": "paid", "matches": {}}}, "waits for the event paid"),
        ({"kind": "timer", "wakes_at": "2030-01-01T12:04:10Z"}, "wakes at 12:04:10, in 4 min 10 s"),
        (
            {"kind": "human", "expires_at": "2030-01-03T12:00:00Z"},
            "waits for an answer, until 2030-01-03 12:00:00, in 2 d 0 h",
        ),
        ({"kind": "timer", "wakes_at": "2030-01-01T11:59:00Z"}, "wakes at 11:59:00, in 0 ms"),  # clocks differ
    ],
)
def test_what_is_waited_for_is_told_with_its_moment(
    monkeypatch: pytest.MonkeyPatch, waitpoint: JSONObject, text: str
) -> None:
    """By the clock of the person who reads it, and from now."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()

    assert awaited(WAITPOINT | waitpoint, NOON) == text


@pytest.mark.parametrize(
    ("begin", "end", "whole", "drawn"),
    [
        (0.0, 1.0, 1.0, "━━━━━━━━"),
        (0.0, 0.5, 1.0, "━━━━    "),
        (0.5, 1.0, 1.0, "    ━━━━"),
        (0.5, 0.5, 1.0, "    ━   "),  # too short to be seen, and seen
        (1.0, 1.0, 1.0, "       ━"),  # the last moment is still within
        (0.0, 0.0, 0.0, "━       "),  # nothing has taken any time yet
        (2.0, 3.0, 1.0, "       ━"),  # clocks that differ do not break the picture
    ],
)
def test_track_keeps_its_length(begin: float, end: float, whole: float, drawn: str) -> None:
    """Bars stand below each other on one scale."""
    assert "".join(track(begin, end, whole, cells=8)) == drawn
