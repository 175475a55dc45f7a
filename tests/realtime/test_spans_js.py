"""The timeline's geometry: where bars and ticks are, and what is said of them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.realtime.javascript import javascript, needs_node

pytestmark = needs_node


def span(kind: str, began: int, ended: int | None, count: int = 1) -> dict[str, Any]:
    return {"kind": kind, "began_ms": began, "ended_ms": ended, "count": count}


@pytest.mark.parametrize(
    ("total", "width", "told"),
    [
        (1000, 400, ["0", "+500 ms", "+1.0 s"]),
        (1000, 1000, ["0", *(f"+{at} ms" for at in range(100, 1000, 100)), "+1.0 s"]),
        (90_000, 400, ["0", "+30 s", "+1m 00s", "+1m 30s"]),
        (3, 300, ["0", "+1 ms", "+2 ms", "+3 ms"]),
        (86_400_000 * 30, 300, ["0", "+10d 0h", "+20d 0h", "+30d 0h"]),
    ],
    ids=["a-second", "wide", "minutes", "an-instant", "a-month"],
)
def test_ticks_are_round_and_apart(total: int, width: int, told: list[str]) -> None:
    """However long a run is, and however near somebody looks."""
    (marks,) = javascript("ticks", [{"total": total, "width": width}])

    assert [mark["text"] for mark in marks] == told


def test_bars_are_where_their_time_is() -> None:
    """Waits are drawn over what waits; what took no time is seen, and none is beyond the border."""
    spans = [span("ran", 0, 500), span("wait", 100, 400), span("failed", 1000, 1000), span("ran", 600, None)]

    made = javascript("bars", {"spans": spans, "scale": {"total": 1000, "width": 200}})

    assert [(bar["kind"], bar["x"], bar["width"], bar["open"]) for bar in made] == [
        ("ran", 0, 100, False),
        ("failed", 197, 3, False),
        ("ran", 120, 80, True),
        ("wait", 20, 60, False),
    ]
    assert made[0]["title"] == "ran, +0 ms, 500 ms"


def test_bar_of_many_visits_says_how_many() -> None:
    (bar,) = javascript("bars", {"spans": [span("ran", 0, 500, 40)], "scale": {"total": 1000, "width": 200}})

    assert bar["title"] == "40 \N{MULTIPLICATION SIGN} ran, +0 ms, 500 ms"


@pytest.mark.parametrize(
    ("spans", "told"),
    [
        ([], {"began": "", "took": "", "what": "did not begin"}),
        ([span("ran", 5, 25)], {"began": "+5 ms", "took": "20 ms", "what": "once"}),
        (
            [span("failed", 0, 10), span("retry", 10, 60), span("ran", 60, None)],
            {"began": "+0 ms", "took": "100 ms", "what": "2 times, 1 failed, waited 50 ms"},
        ),
        (
            [span("ran", 0, 90, 990), span("failed", 0, 9, 10)],
            {"began": "+0 ms", "took": "90 ms", "what": "1000 times, 10 failed"},
        ),
    ],
    ids=["none", "once", "retried", "many"],
)
def test_row_is_told_in_words(spans: list[dict[str, Any]], told: dict[str, str]) -> None:
    """For whom the bars are not: they are hidden from screen readers."""
    assert javascript("summaries", [{"spans": spans, "total": 100}]) == [told]
