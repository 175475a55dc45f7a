from __future__ import annotations

import pytest

from flowmaestro.supervisor.restarts import QUICK_SECONDS, next_delay

LONG, QUICK = QUICK_SECONDS, QUICK_SECONDS - 0.1


@pytest.mark.parametrize(
    ("lifetimes", "delay"),
    [
        ([LONG], 0.0),  # an accident
        ([QUICK], 0.0),  # perhaps an accident
        ([QUICK, QUICK], 1.0),  # hardly one
        ([QUICK, QUICK, QUICK], 2.0),
        ([QUICK, QUICK, QUICK, QUICK], 4.0),
        ([QUICK, QUICK, QUICK, QUICK, QUICK], None),  # a crash loop
        ([LONG] * 50, 0.0),  # a worker that is killed every day is worth restarting for ever
        ([QUICK, QUICK, QUICK, QUICK, LONG], 0.0),  # it has recovered
        ([QUICK, QUICK, QUICK, QUICK, LONG, QUICK, QUICK], 1.0),  # counted from there
    ],
)
def test_next_delay_grows_with_quick_deaths_in_a_row(lifetimes: list[float], delay: float | None) -> None:
    """What died at once will die at once again; what lived was unlucky."""
    assert next_delay(lifetimes) == delay
