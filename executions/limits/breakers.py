"""Circuit breakers: a service that fails again and again is given a rest, and then tried by one call.

closed ── failures in a row ──▶ open ── its seconds are over ──▶ half open: one call is let through
▲                               ▲                                 │
└────────── it answers ─────────┼─────────────────────────────────┤
└─────────── it fails ────────────┘
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from django.conf import settings

from executions.limits.store import store
from handlers import HandlerError, ProviderError, RateLimited

OPEN: Final = "circuit_open"
# The call that tries may die with its worker. After that another one does; a model may well think so long.
TRIAL_MS: Final = 60_000
_SOON: Final = 1_000  # milliseconds after which to ask again while another call tries

_NOW: Final = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
"""
# Answers {milliseconds to wait, whether this call is the one that tries}; 0 to go on.
_ENTER: Final = f"""{_NOW}
local open_until = tonumber(redis.call('HGET', KEYS[1], 'open_until') or 0)
if open_until == 0 then return {{0, 0}} end
if now < open_until then return {{open_until - now, 0}} end
local tried_until = tonumber(redis.call('HGET', KEYS[1], 'tried_until') or 0)
if now < tried_until then return {{math.min(tried_until - now, {_SOON}), 0}} end
redis.call('HSET', KEYS[1], 'tried_until', now + tonumber(ARGV[1]))
redis.call('PEXPIRE', KEYS[1], 3600000)
return {{0, 1}}
"""
# A call that began before it was opened says nothing new when it fails.
_FAIL: Final = f"""{_NOW}
local most, rest, is_trial = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local failures = redis.call('HINCRBY', KEYS[1], 'failures', 1)
local is_open = redis.call('HEXISTS', KEYS[1], 'open_until') == 1
if is_trial == 1 or (failures >= most and not is_open) then
  redis.call('HSET', KEYS[1], 'open_until', now + rest)
  redis.call('HDEL', KEYS[1], 'tried_until')
end
redis.call('PEXPIRE', KEYS[1], 3600000 + rest)
return {{failures}}
"""
_ANSWERED: Final = "return {redis.call('DEL', KEYS[1])}"
_LEFT: Final = "return {redis.call('HDEL', KEYS[1], 'tried_until')}"


@contextmanager
def breaker(key: str) -> Iterator[None]:
    """Around a call of *key*. Raises ProviderError with code `circuit_open`."""
    most = settings.FLOWMAESTRO_BREAKER_FAILURES
    if not most:
        yield
        return
    keys = [f"{key}:breaker"]
    entered = store.run(_ENTER, keys, TRIAL_MS) or [0, 0]
    wait, is_trial = entered
    if wait:
        raise ProviderError(
            f"{key} failed {most} times in a row and is given a rest; it is tried again in {wait / 1000:.1f} s.",
            code=OPEN,
            retryable=True,
            retry_after=wait / 1000,
        )
    try:
        yield
    except HandlerError as error:
        if _counts(error):
            rest = int(settings.FLOWMAESTRO_BREAKER_REST.total_seconds() * 1000)
            store.run(_FAIL, keys, most, rest, is_trial)
        elif isinstance(error, ProviderError) and error.code != OPEN:  # busy, or of another mind: it is there
            store.run(_ANSWERED, keys)
        elif is_trial:
            store.run(_LEFT, keys)
        raise
    except BaseException:
        if is_trial:
            store.run(_LEFT, keys)
        raise
    store.run(_ANSWERED, keys)


def _counts(error: HandlerError) -> bool:
    """Whether it tells that the service is down."""
    return (
        isinstance(error, ProviderError)
        and error.retryable
        and not isinstance(error, RateLimited)
        and error.code != OPEN
    )
