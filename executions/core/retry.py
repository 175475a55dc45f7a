"""Whether a failed attempt is followed by another, and when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from handlers.retries import BY_EFFECT
from workflows.core.plan import PlanNode

# A wait becomes a date, and a server may ask for one that no date can hold. No author waits for a run that long.
_LONGEST: Final = 365 * 24 * 3600.0  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    attempts: int  # 1: no second
    initial: float = 1.0  # seconds
    factor: float = 2.0
    longest: float = 30.0  # seconds


def policy_of(node: PlanNode) -> RetryPolicy:
    """The policy of *node*: what its drawing or its type says, in milliseconds, over the default of its effect."""
    drawn, plain = node.retry or {}, BY_EFFECT[node.effect]
    return RetryPolicy(
        attempts=int(_number(drawn.get("attempts"), plain.attempts)),
        initial=_number(drawn.get("initialIntervalMs"), plain.initial_interval_ms) / 1000,
        factor=_number(drawn.get("factor"), plain.factor),
        longest=_number(drawn.get("maxIntervalMs"), plain.max_interval_ms) / 1000,
    )


def next_delay(policy: RetryPolicy, attempt: int, *, jitter: float, retry_after: float | None = None) -> float | None:
    """Seconds to wait after *attempt* (1 is the first) has failed; None when it was the last.

    *jitter* in [0, 1) is drawn by the caller: jitter * min(longest, initial * factor ** (attempt - 1)). What the other
    side asked for (*retry_after*, seconds) is waited for at least; a year is the most.
    Source: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
    """
    if attempt >= policy.attempts:
        return None
    try:
        backoff = min(policy.longest, policy.initial * policy.factor ** (attempt - 1))
    except OverflowError:
        backoff = policy.longest
    return min(max(jitter * backoff, retry_after or 0.0), _LONGEST)


def _number(drawn: object, default: float) -> float:
    return default if drawn is None or isinstance(drawn, bool) or not isinstance(drawn, int | float) else drawn
