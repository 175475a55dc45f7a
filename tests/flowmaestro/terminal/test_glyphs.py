from __future__ import annotations

import pytest

from executions.core.statuses import NodeStatus, RunStatus
from flowmaestro.terminal.glyphs import ENDINGS, MARKS, duration, track


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
    ],
)
def test_duration_is_told_in_a_fitting_unit(milliseconds: float, text: str) -> None:
    """Three digits tell all."""
    assert duration(milliseconds) == text


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
