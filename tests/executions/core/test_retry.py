from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executions.core.retry import RetryPolicy, next_delay, policy_of
from handlers import Effect
from tests.executions.core.play import plan_of
from workflows.core import PlanNode

PLAIN = RetryPolicy(attempts=3, initial=1.0, factor=2.0, longest=30.0)


def node(effect: Effect, retry: Any) -> PlanNode:
    return replace(plan_of("a").nodes[0], effect=effect, retry=retry)


@pytest.mark.parametrize(
    ("effect", "retry", "policy"),
    [
        (Effect.EFFECT, None, PLAIN),
        (Effect.EFFECT, {}, PLAIN),
        (Effect.PURE, None, replace(PLAIN, attempts=1)),  # it fails the same way every time
        (Effect.PURE, {"attempts": 4}, replace(PLAIN, attempts=4)),
        (Effect.PURE, {"initialIntervalMs": 5}, replace(PLAIN, attempts=1, initial=0.005)),
        (Effect.EFFECT, {"attempts": 1}, replace(PLAIN, attempts=1)),
        (Effect.EFFECT, {"initialIntervalMs": 250, "factor": 1.5}, replace(PLAIN, initial=0.25, factor=1.5)),
        (Effect.EFFECT, {"maxIntervalMs": 1500}, replace(PLAIN, longest=1.5)),
        (Effect.EFFECT, {"attempts": None, "factor": None}, replace(PLAIN)),
    ],
)
def test_policy_is_what_is_drawn_over_the_default_of_the_effect(
    effect: Effect, retry: Any, policy: RetryPolicy
) -> None:
    assert policy_of(node(effect, retry)) == policy


@pytest.mark.parametrize(
    ("attempt", "delay"),
    [(1, 1.0), (2, 2.0), (3, 4.0), (5, 16.0), (6, 30.0), (9, 30.0), (10, None), (11, None)],
)
def test_wait_doubles_up_to_the_longest_and_ends_with_the_attempts(attempt: int, delay: float | None) -> None:
    assert next_delay(replace(PLAIN, attempts=10), attempt, jitter=1.0) == delay


@given(
    attempt=st.integers(1, 9),
    jitter=st.floats(0, 1, exclude_max=True),
    factor=st.floats(0, 1e6),
    initial=st.floats(0, 1e6),
)
def test_wait_is_anywhere_between_nothing_and_the_backoff(
    attempt: int, jitter: float, factor: float, initial: float
) -> None:
    """Full jitter: a thousand clients that failed together do not come back together."""
    policy = RetryPolicy(attempts=10, initial=initial, factor=factor)

    delay = next_delay(policy, attempt, jitter=jitter)

    assert delay == jitter * min(30.0, initial * factor ** (attempt - 1))
    assert 0 <= delay <= 30.0


@pytest.mark.parametrize(
    ("retry_after", "delay"),
    [
        (None, 0.5),
        (0.0, 0.5),
        (0.2, 0.5),  # at least: our own backoff is longer
        (7.0, 7.0),
        (120.0, 120.0),  # also above the longest of our own
    ],
)
def test_wait_that_the_other_side_asked_for_is_kept(retry_after: float | None, delay: float) -> None:
    assert next_delay(PLAIN, 1, jitter=0.5, retry_after=retry_after) == delay


def test_no_wait_brings_back_an_attempt_that_is_not_left() -> None:
    assert next_delay(PLAIN, 3, jitter=0.5, retry_after=7.0) is None


@pytest.mark.parametrize(
    ("policy", "retry_after"),
    [
        (PLAIN, 1e300),
        (PLAIN, float("inf")),
        (RetryPolicy(attempts=3, initial=1e300, factor=1e300, longest=1e308), None),
    ],
)
@pytest.mark.parametrize("attempt", [1, 2])
def test_wait_is_never_longer_than_a_date_can_be(policy: RetryPolicy, retry_after: float | None, attempt: int) -> None:
    """It becomes a row with a due time."""
    delay = next_delay(policy, attempt, jitter=0.9, retry_after=retry_after)

    assert delay == 365 * 24 * 3600
