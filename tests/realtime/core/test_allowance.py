from __future__ import annotations

import pytest

from realtime.core import Allowance


@pytest.mark.parametrize(
    ("at", "allowed"),
    [
        ([0, 0, 0, 0], [True, True, True, False]),  # a little at once
        ([0, 0, 0, 0, 0.5, 0.5], [True, True, True, False, True, False]),  # then at a pace
        ([0, 0, 0, 60, 60, 60, 60], [True] * 6 + [False]),  # what is not said is not saved up
    ],
)
def test_messages_beyond_the_allowance_are_noticed(at: list[float], allowed: list[bool]) -> None:
    """Two a second in the long run, three at once."""
    allowance = Allowance(most=3, per_second=2)

    assert [allowance.spend(1000.0 + moment) for moment in at] == allowed
