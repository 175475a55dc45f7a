"""On the real Redis: circuits that open, are tried, and close."""

from __future__ import annotations

from typing import Any

import pytest
import redis
from django.conf import settings as site

from handlers import Cancelled, ConfigError, NodeTimeout, ProviderError, RateLimited, Unreachable
from tests.executions.limits.shared import limits


def call(error: Exception | None = None, *, key: str = "b") -> None:
    with limits().breaker(key):
        if error is not None:
            raise error


def fail(times: int, error: Exception | None = None) -> None:
    for _ in range(times):
        with pytest.raises(type(error or Unreachable())):
            call(error or Unreachable())


@pytest.fixture
def three(settings: Any) -> None:
    settings.FLOWMAESTRO_BREAKER_FAILURES = 3


@pytest.mark.usefixtures("three")
def test_breaker_opens_after_failures_in_a_row() -> None:
    """Then nobody is asked; another service is."""
    fail(3)

    with pytest.raises(ProviderError) as refused:
        call()

    error = refused.value
    assert (error.code, error.retryable) == ("circuit_open", True)
    assert 25 < (error.retry_after or 0) <= 30
    call(key="another")


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize(
    "between", [None, RateLimited(), ProviderError("no", status=400)], ids=["success", "busy", "refused"]
)
def test_breaker_starts_anew_when_the_service_answers(between: Exception | None) -> None:
    """Whatever it says: it is there."""
    fail(2)
    if between is None:
        call()
    else:
        fail(1, between)
    fail(2)

    call()


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize("error", [ConfigError("x"), Cancelled(), NodeTimeout(), ValueError("a bug")])
def test_breaker_counts_nothing_that_is_not_the_services_fault(error: Exception) -> None:
    """Nor is it a sign of life."""
    fail(2)
    fail(5, error)
    call_would_open = Unreachable()
    fail(1, call_would_open)

    with pytest.raises(ProviderError, match="given a rest"):
        call()


@pytest.mark.usefixtures("three")
def test_breaker_lets_one_call_try_when_its_rest_is_over(forgotten: redis.Redis) -> None:
    """The others wait for what becomes of it."""
    fail(3)
    rest_is_over(forgotten)

    with limits().breaker("b"):
        with pytest.raises(ProviderError) as refused:
            call()
        assert refused.value.code == "circuit_open"
        assert 0 < (refused.value.retry_after or 0) <= 1

    call()
    assert list(forgotten.scan_iter(f"{site.REDIS_PREFIX}limits:*")) == []


@pytest.mark.usefixtures("three")
def test_breaker_opens_again_when_the_call_that_tries_fails(forgotten: redis.Redis) -> None:
    """One failure is enough then."""
    fail(3)
    rest_is_over(forgotten)
    fail(1)

    with pytest.raises(ProviderError, match="given a rest") as refused:
        call()

    assert (refused.value.retry_after or 0) > 25


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize("error", [Cancelled(), KeyboardInterrupt()])
def test_breaker_lets_another_try_when_the_call_that_tried_said_nothing(
    forgotten: redis.Redis, error: BaseException
) -> None:
    """A run that was cancelled must not keep the circuit open."""
    fail(3)
    rest_is_over(forgotten)
    with pytest.raises(type(error)):
        call(error)  # type: ignore[arg-type]

    call()


@pytest.mark.usefixtures("three")
def test_breaker_lets_another_try_when_the_worker_of_the_call_that_tried_is_dead(forgotten: redis.Redis) -> None:
    """Its word is waited for no longer than a lease."""
    fail(3)
    rest_is_over(forgotten)
    abandoned = limits().breaker("b")
    abandoned.__enter__()
    forgotten.hincrby(f"{site.REDIS_PREFIX}limits:b:breaker", "tried_until", -120_000)

    call()


def test_breaker_that_is_switched_off_never_opens(settings: Any) -> None:
    settings.FLOWMAESTRO_BREAKER_FAILURES = 0
    fail(20)

    call()


def rest_is_over(client: redis.Redis) -> None:
    client.hset(f"{site.REDIS_PREFIX}limits:b:breaker", "open_until", 1)
