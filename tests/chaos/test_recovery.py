from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.chaos.recovery import Accident, standstills
from workflows.ids import uuid7

BOUND = timedelta(seconds=8)


def at(second: float) -> datetime:
    return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=second)


def accident(begun: float, over: float | None = None) -> Accident:
    return Accident(f"at {begun}", at(begun), at(begun if over is None else over))


@pytest.mark.parametrize(
    ("moments", "accidents", "found"),
    [
        pytest.param([0, 0.9, 1.8], [accident(1)], [], id="nothing-out-of-the-usual"),
        pytest.param([0, 5], [accident(2)], [("at 2", 3.0)], id="since-the-accident"),
        pytest.param([0, 9], [accident(2, 6)], [("at 2", 3.0)], id="since-the-server-was-back"),
        pytest.param([0, 3], [accident(2, 6)], [("at 2", 0.0)], id="before-the-server-was-back"),
        pytest.param([0, 9], [accident(2), accident(5)], [("at 5", 4.0)], id="since-the-last-of-two"),
        pytest.param([2, 9], [accident(1)], [("at 1", 7.0)], id="a-branch-that-came-back-later"),
        pytest.param([0, 5], [accident(6)], [(None, 5.0)], id="before-any-accident"),
        pytest.param([20, 25], [accident(1)], [(None, 5.0)], id="long-after-it"),
    ],
)
def test_standstill_is_measured_from_what_can_have_been_the_reason(
    moments: list[float], accidents: list[Accident], found: list[tuple[str | None, float]]
) -> None:
    told = standstills(uuid7(), map(at, moments), [], accidents, bound=BOUND)

    assert [(each.accident and each.accident.kind, each.recovery.total_seconds()) for each in told] == found


def test_time_until_somebody_answers_is_no_standstill() -> None:
    """A run that is asked something waits for people, not for us."""
    assert standstills(uuid7(), [at(0), at(10)], [at(9.5)], [accident(1)], bound=BOUND) == []
