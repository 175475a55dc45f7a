"""Places: so many at once, taken so often a minute. Each is a lease that its holder's process renews."""

from __future__ import annotations

import os
import random
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Lock, Thread
from time import monotonic
from typing import Final

from executions.limits.bounds import Bounds
from executions.limits.store import store
from handlers import RateLimited
from handlers.ports import Interruptible

LEASE_MS: Final = 30_000  # a dead worker's place is free after that
_RENEW_EVERY: Final = 10.0  # seconds: two renewals may be lost
_SHORTEST_WAIT, _LONGEST_WAIT = 0.05, 0.5  # seconds between two looks for a free place
_SPARE: Final = 0.05  # of the attempt's time, which is left to say that there was no place

# Answers 0 when the place is taken, else milliseconds after which to ask again (1: nobody knows).
_TAKE: Final = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local token, at_once, per_minute, lease = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
if at_once > 0 then
  redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
  if redis.call('ZCARD', KEYS[1]) >= at_once then return {1} end
end
if per_minute > 0 then
  redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now - 60000)
  if redis.call('ZCARD', KEYS[2]) >= per_minute then
    local oldest = redis.call('ZRANGE', KEYS[2], -per_minute, -per_minute, 'WITHSCORES')
    return {math.max(1, oldest[2] + 60000 - now)}
  end
  redis.call('ZADD', KEYS[2], now, token)
  redis.call('PEXPIRE', KEYS[2], 60000)
end
if at_once > 0 then
  redis.call('ZADD', KEYS[1], now + lease, token)
  redis.call('PEXPIRE', KEYS[1], lease)
end
return {0}
"""
# A place that had lapsed is not taken back: somebody else may have it.
_RENEW: Final = """
local time = redis.call('TIME')
local expiry = time[1] * 1000 + math.floor(time[2] / 1000) + tonumber(ARGV[1])
for place = 2, #ARGV do redis.call('ZADD', KEYS[1], 'XX', expiry, ARGV[place]) end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return {0}
"""
_LEAVE: Final = "return {redis.call('ZREM', KEYS[1], ARGV[1])}"


@contextmanager
def place(key: str, bounds: Bounds, lent: Interruptible, *, patience: float) -> Iterator[None]:
    """Hold a place of *key*; waits up to *patience* seconds for one, and no longer than the attempt may take.

    Raises RateLimited, and what `lent.check_cancelled` does.
    """
    if not bounds:
        yield
        return
    token = uuid.uuid4().hex
    _wait(key, token, bounds, lent, patience)
    try:
        with _renewal.of(key, token) if bounds.at_once is not None else _nothing():
            yield
    finally:
        if bounds.at_once is not None:
            store.run(_LEAVE, [_places(key)], token)


def _wait(key: str, token: str, bounds: Bounds, lent: Interruptible, patience: float) -> None:
    stop = Event()
    lent.on_cancel(stop.set)
    ends = monotonic() + min(patience, lent.remaining() * (1 - _SPARE))
    pause = _SHORTEST_WAIT
    while True:
        lent.check_cancelled()
        numbers = bounds.at_once or 0, bounds.per_minute or 0, LEASE_MS
        answer = store.run(_TAKE, [_places(key), f"{key}:minute"], token, *numbers)
        if answer is None or answer[0] == 0:
            return
        wait = answer[0] / 1000
        left = ends - monotonic()
        if wait > left or left <= 0:
            raise RateLimited(
                f"{key}: {_told(bounds)}, and none came free in time.", retry_after=wait if wait > 1 else None
            )
        # Apart from each other, so that those who wait do not all ask in the same moment.
        stop.wait(min(left, pause * random.uniform(0.5, 1.5)))  # noqa: S311
        pause = min(pause * 2, _LONGEST_WAIT)


def _told(bounds: Bounds) -> str:
    told = []
    if bounds.at_once is not None:
        told.append(f"{bounds.at_once} at once")
    if bounds.per_minute is not None:
        told.append(f"{bounds.per_minute} a minute")
    return f"there may be {' and '.join(told)}"


def _places(key: str) -> str:
    return f"{key}:places"


@contextmanager
def _nothing() -> Iterator[None]:
    yield


class Renewal:
    """One thread of this process renews all that its threads hold; it ends when they hold nothing."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        self._held: dict[str, set[str]] = {}
        self._lock = Lock()
        self._thread: Thread | None = None

    @contextmanager
    def of(self, key: str, token: str) -> Iterator[None]:
        with self._lock:
            self._held.setdefault(key, set()).add(token)
            if self._thread is None:
                self._thread = Thread(target=self._run, name="limits", daemon=True)
                self._thread.start()
        try:
            yield
        finally:
            with self._lock:
                self._held[key].discard(token)

    def renew(self) -> bool:
        """Renew what is held; False when that is nothing, and the thread is no more."""
        with self._lock:
            held = {key: tuple(tokens) for key, tokens in self._held.items() if tokens}
            self._held = {key: set(tokens) for key, tokens in held.items()}
            if not held:
                self._thread = None
                return False
        for key, tokens in held.items():
            store.run(_RENEW, [_places(key)], LEASE_MS, *tokens)
        return True

    def _run(self) -> None:
        pause = Event()
        while not pause.wait(_RENEW_EVERY):
            if not self.renew():
                return


_renewal = Renewal()
os.register_at_fork(after_in_child=_renewal.forget)
