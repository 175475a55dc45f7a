from __future__ import annotations

from datetime import timedelta

import pytest

from realtime.core.wording import duration, shorten

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
