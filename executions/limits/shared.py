"""`handlers.ports.Limits`, as the engine lends them to one attempt."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from math import inf

from django.conf import settings

from executions.limits.bounds import Bounds, bounds_of
from executions.limits.breakers import breaker
from executions.limits.places import place
from handlers.ports import Interruptible


@dataclass(frozen=True, slots=True)
class SharedLimits:
    """Of all workers; the site's own bounds (FLOWMAESTRO_PROVIDER_LIMITS) hold besides those that are asked for."""

    attempt: Interruptible

    def slot(
        self, key: str, *, at_once: int | None, per_minute: int | None, patience: float | None = None
    ) -> AbstractContextManager[None]:
        asked = Bounds(at_once=at_once, per_minute=per_minute)
        bounds = asked.within(bounds_of(key, settings.FLOWMAESTRO_PROVIDER_LIMITS))
        return place(key, bounds, self.attempt, patience=inf if patience is None else patience)

    def breaker(self, key: str) -> AbstractContextManager[None]:
        return breaker(key)
