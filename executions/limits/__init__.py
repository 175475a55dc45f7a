"""What all workers of a site together may do at a time (`handlers.ports.Limits`): places, calls a minute, breakers.

    limits = SharedLimits(attempt)
    with limits.slot("openai", at_once=50, per_minute=None), limits.breaker("openai"): ...

They live in Redis, which may forget: a site without its Redis has no limits for that time. Nodes go on, since a run
that stands still is worse than a service that says it is busy, which every node can take; the log tells of it. No
counter is ever kept alone: whoever holds a place renews it, and what a dead worker held is free within a minute. Every
decision is one script, by Redis's own clock, so that no two workers take the last place.
"""

from executions.limits.bounds import BadBounds, check_bounds
from executions.limits.shared import SharedLimits

__all__ = ["BadBounds", "SharedLimits", "check_bounds"]
