"""On the real Redis: what threads and processes share."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from threading import Lock, Timer
from time import monotonic, sleep
from typing import Any

import pytest
import redis
from django.conf import settings as site

from executions.limits import BadBounds, check_bounds, places
from handlers import Cancelled, RateLimited
from tests.executions.limits.shared import Passing, limits
from tests.handlers.fakes import RecordingLent


def test_slot_lets_no_more_threads_in_than_there_are_places() -> None:
    """However many ask at once, and each of them gets in, in the end."""
    here, most, lock = 0, 0, Lock()

    def work(_: int) -> None:
        nonlocal here, most
        with limits(lent=Passing(20)).slot("s", at_once=3, per_minute=None):
            with lock:
                here += 1
                most = max(most, here)
            sleep(0.005)  # so that those who should not be here could be
            with lock:
                here -= 1

    with ThreadPoolExecutor(12) as pool:
        list(pool.map(work, range(24)))

    assert 1 <= most <= 3


def test_slot_is_shared_with_other_processes() -> None:
    """What another worker holds is taken here, and free again when it leaves."""
    with holder("s") as other:
        with pytest.raises(RateLimited), limits(lent=Passing(0.2)).slot("s", at_once=1, per_minute=None):
            pass
        other.communicate("leave\n", timeout=20)

        with limits().slot("s", at_once=1, per_minute=None):
            pass


def test_slot_of_a_killed_process_is_free_when_its_lease_is_over(forgotten: redis.Redis) -> None:
    """Nobody is there to give it back: it lapses, within a minute, as nobody renews it."""
    with holder("s") as other:
        other.kill()
        other.wait(20)
    key = f"{site.REDIS_PREFIX}limits:s:places"

    assert forgotten.zcard(key) == 1
    assert places.LEASE_MS <= 60_000
    assert 0 < forgotten.pttl(key) <= places.LEASE_MS
    with pytest.raises(RateLimited), limits(lent=Passing(0.1)).slot("s", at_once=1, per_minute=None):
        pass
    pass_time(forgotten, key)
    with limits().slot("s", at_once=1, per_minute=None):
        pass


def test_slot_that_is_held_long_is_renewed(forgotten: redis.Redis) -> None:
    """A model may think for longer than a lease lasts."""
    key = f"{site.REDIS_PREFIX}limits:s:places"
    with limits().slot("s", at_once=1, per_minute=None):
        lapse(forgotten, key, left=1_000)
        before = expiry(forgotten, key)

        assert places._renewal.renew()

        assert expiry(forgotten, key) - before > places.LEASE_MS / 2
    assert not places._renewal.renew()
    assert forgotten.zcard(key) == 0


def test_slot_that_lapsed_is_not_taken_back(forgotten: redis.Redis) -> None:
    """A process that stood still for long may find another in its place."""
    key = f"{site.REDIS_PREFIX}limits:s:places"
    with limits().slot("s", at_once=1, per_minute=None):
        pass_time(forgotten, key)
        with limits().slot("s", at_once=1, per_minute=None):
            places._renewal.renew()

            assert forgotten.zcard(key) == 1


def test_slot_per_minute_says_how_long_to_wait() -> None:
    """The place is free the next instant, and the minute is not over."""
    for _ in range(2):
        with limits().slot("s", at_once=5, per_minute=2):
            pass

    with pytest.raises(RateLimited) as failure, limits().slot("s", at_once=5, per_minute=2):
        pass

    assert failure.value.retryable
    assert 50 < (failure.value.retry_after or 0) <= 60
    assert str(failure.value) == "s: there may be 5 at once and 2 a minute, and none came free in time."


def test_slot_per_minute_is_a_window_that_moves(forgotten: redis.Redis) -> None:
    """Not a minute of the clock, in whose first and last second twice as many would go."""
    key = f"{site.REDIS_PREFIX}limits:s:minute"
    with limits().slot("s", at_once=None, per_minute=1):
        pass
    pass_time(forgotten, key, by=60_001)

    with limits().slot("s", at_once=None, per_minute=1):
        pass


def test_slot_is_waited_for_no_longer_than_the_run_wants_it() -> None:
    """A cancelled run leaves the queue at once."""
    lent = RecordingLent(seconds=30)
    with limits().slot("s", at_once=1, per_minute=None):
        cancelling = Timer(0.1, lent.cancel)
        cancelling.start()
        started = monotonic()
        with pytest.raises(Cancelled), limits(lent=lent).slot("s", at_once=1, per_minute=None):
            pass
        cancelling.join()

    assert monotonic() - started < 1.1


def test_slot_is_waited_for_no_longer_than_its_patience() -> None:
    """Who can do something else instead wants to know soon."""
    with limits().slot("s", at_once=1, per_minute=None):
        started = monotonic()
        with pytest.raises(RateLimited), limits(seconds=60).slot("s", at_once=1, per_minute=None, patience=0.1):
            pass

    assert monotonic() - started < 5


def test_slot_without_bounds_asks_nobody(forgotten: redis.Redis) -> None:
    """Most sites have none, and pay nothing for that."""
    with limits().slot("s", at_once=None, per_minute=None):
        assert list(forgotten.scan_iter(f"{site.REDIS_PREFIX}limits:*")) == []


@pytest.mark.parametrize("key", ["openai", "openai:models.example", "openai:models.example:8000"])
@pytest.mark.parametrize(("asked", "fits"), [(None, 2), (5, 2), (1, 1)])
def test_slot_is_bounded_by_the_site_and_by_the_node(settings: Any, key: str, asked: int | None, fits: int) -> None:
    """The narrower of both holds; a service elsewhere has places of its own."""
    settings.FLOWMAESTRO_PROVIDER_LIMITS = {"openai": {"at_once": 2}}

    with ExitStack() as held:
        for _ in range(fits):
            held.enter_context(limits().slot(key, at_once=asked, per_minute=None))
        with pytest.raises(RateLimited), limits(lent=Passing(0.05)).slot(key, at_once=asked, per_minute=None):
            pass
        with limits().slot("openai:elsewhere", at_once=asked, per_minute=None):
            pass


@pytest.mark.parametrize(
    "told", [{"openai": 5}, {"openai": {"at_once": 0}}, {"openai": {"at_once": True}}, {"openai": {"most": 1}}]
)
def test_bounds_of_the_site_that_make_no_sense_are_refused(told: Any) -> None:
    """When the process starts, and by name."""
    with pytest.raises(BadBounds, match="openai"):
        check_bounds(told)


_HOLDER = """
import django; django.setup()
from executions.limits import SharedLimits
from tests.handlers.fakes import RecordingLent
with SharedLimits(RecordingLent()).slot({key!r}, at_once=1, per_minute=None):
    print("holds", flush=True)
    input()
"""


class holder:  # noqa: N801 -- reads as the function it stands for
    """Another process that holds a place of *key* until it reads a line."""

    def __init__(self, key: str) -> None:
        self._code = _HOLDER.format(key=key)

    def __enter__(self) -> subprocess.Popen[str]:
        self._process = subprocess.Popen(
            [sys.executable, "-c", self._code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "holds\n"
        return self._process

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()


def expiry(client: redis.Redis, key: str) -> float:
    [(_, score)] = client.zrange(key, 0, -1, withscores=True)
    return float(score)


def lapse(client: redis.Redis, key: str, *, left: int) -> None:
    """Leave each lease so many milliseconds."""
    seconds, micros = client.time()
    for member in client.zrange(key, 0, -1):
        client.zadd(key, {member: seconds * 1000 + micros // 1000 + left})


def pass_time(client: redis.Redis, key: str, *, by: int = places.LEASE_MS) -> None:
    """As if so many milliseconds had passed."""
    for member in client.zrange(key, 0, -1):
        client.zincrby(key, -by, member)
