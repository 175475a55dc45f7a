from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from executions.core.statuses import NodeStatus, PauseReason
from realtime.core.wording import because, duration, money, shorten, standing, tally

MONEYS = [
    (0.0, 0, "$0.00"),
    (0.00001, 0, "< $0.0001"),
    (0.0042, 0, "$0.0042"),
    (0.5, 0, "$0.5000"),
    (1.234, 0, "$1.23"),
    (0.31, 1200, "$0.3100 and more"),
    (0.0, 1200, "price unknown"),
]
DURATIONS = [
    (-5, "0 ms"),  # clocks of two machines
    (0, "0 ms"),
    (840, "840 ms"),
    (999, "999 ms"),
    (1_000, "1.0 s"),
    (3_290, "3.2 s"),  # cut, not rounded: 59.99 s is not a minute
    (9_999, "9.9 s"),
    (10_000, "10 s"),
    (59_999, "59 s"),
    (60_000, "1m 00s"),
    (125_000, "2m 05s"),
    (3_599_000, "59m 59s"),
    (11_220_000, "3h 07m"),
    (187_200_000, "2d 4h"),
]


# progress, visits, how many wait, figures
TALLIES: list[tuple[tuple[int, int | None] | None, tuple[int, int] | None, int, list[tuple[str, str]]]] = [
    (None, None, 0, []),
    (None, (0, 0), 0, []),
    (None, None, 1, []),  # it is seen to wait
    ((0, 10), None, 0, [("steps", "0/10")]),
    ((3, None), None, 0, [("steps", "3×")]),  # noqa: RUF001
    (None, (3, 0), 0, [("good", "3✓")]),
    (None, (0, 2), 0, [("bad", "2✕")]),
    ((1, 5), (3, 2), 0, [("steps", "1/5"), ("good", "3✓"), ("bad", "2✕")]),
    (None, (1, 0), 4, [("waits", "4‖"), ("good", "1✓")]),
]

WAITING = NodeStatus.WAITING
STANDINGS: list[tuple[NodeStatus, dict[str, Any], NodeStatus]] = [
    *((status, {}, status) for status in NodeStatus),
    (NodeStatus.READY, {"is_due": True}, WAITING),
    (NodeStatus.COMPLETED, {"waits": 2}, WAITING),  # older visits do
    (NodeStatus.RUNNING, {"waits": 2}, NodeStatus.RUNNING),
    (NodeStatus.RUNNING, {"is_paused": True}, WAITING),  # for what is in it
    (NodeStatus.COMPLETED, {"is_paused": True}, NodeStatus.COMPLETED),
]

REASONS: list[tuple[PauseReason | None, list[str], str]] = [
    (None, [], ""),
    (None, ["Ask"], ""),  # other branches run
    (PauseReason.REQUESTED, ["Ask"], "on request: nothing new starts"),
    (PauseReason.WAITING, [], "waits for a run that it started"),
    (PauseReason.WAITING, ["Ask"], "waits for Ask"),
    (PauseReason.WAITING, ["Ask", "Pay"], "waits for Ask and Pay"),
    (PauseReason.WAITING, ["Ask", "Pay", "Ship"], "waits for Ask, Pay and Ship"),
    (PauseReason.WAITING, ["Ask", "Pay", "Ship", "Thank"], "waits for Ask, Pay and 2 more"),
]


@pytest.mark.parametrize(("progress", "visits", "waits", "figures"), TALLIES)
def test_tally_says_what_there_is_to_count(
    progress: tuple[int, int | None] | None, visits: tuple[int, int] | None, waits: int, figures: list[tuple[str, str]]
) -> None:
    """Nothing of nothing: a card that was not visited yet is as plain as one that is visited once."""
    assert tally(progress=progress, visits=visits, waits=waits) == figures


@pytest.mark.parametrize(("status", "known", "shown"), STANDINGS)
def test_node_that_waits_is_shown_to(status: NodeStatus, known: dict[str, Any], shown: NodeStatus) -> None:
    """Whatever its newest visit came to."""
    assert standing(status, **known) is shown


@pytest.mark.parametrize(("reason", "waiting", "text"), REASONS)
def test_paused_run_says_why(reason: PauseReason | None, waiting: list[str], text: str) -> None:
    """Names, as long as there are few."""
    assert because(reason, waiting) == text


@pytest.mark.parametrize(("milliseconds", "text"), DURATIONS)
def test_duration_has_the_figures_that_matter(milliseconds: int, text: str) -> None:
    """Short enough for a card, exact enough to compare."""
    assert duration(timedelta(milliseconds=milliseconds)) == text


@pytest.mark.parametrize(
    ("text", "ems", "short"),
    [
        ("Fetch order", 12.0, "Fetch order"),  # it fits
        ("Fetch the order of the customer", 8.0, "Fetch the order…"),
        ("iiiiiiiiii", 3.0, "iiiiiiiiii"),  # narrow letters take less
        ("MMMMMMMMMM", 3.0, "MM…"),
        ("", 3.0, ""),
        ("M", 0.1, "M…"),  # a card shows at least a letter
    ],
)
def test_shorten_cuts_where_the_card_ends(text: str, ems: float, short: str) -> None:
    """By the width of letters, not by their number."""
    assert shorten(text, ems=ems) == short


@pytest.mark.parametrize(("dollars", "unpriced", "told"), MONEYS)
def test_money_is_told_to_the_digits_that_matter(dollars: float, unpriced: int, told: str) -> None:
    """What models cost whose price nobody knows is not told as nothing."""
    assert money(dollars, unpriced=unpriced) == told
