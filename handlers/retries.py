"""How often a node type is tried unless its node says otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from handlers.base import Effect, JSONObject


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryDefaults:
    """Of failures that may pass. The wait after attempt n is a random part of initial * factor ** (n - 1)."""

    attempts: int = 3  # 1: no second
    initial_interval_ms: int = 1_000
    factor: float = 2
    max_interval_ms: int = 30_000

    def to_json(self) -> JSONObject:
        """As a node's `retry` in a definition."""
        return {
            "attempts": self.attempts,
            "initialIntervalMs": self.initial_interval_ms,
            "factor": self.factor,
            "maxIntervalMs": self.max_interval_ms,
        }


# An effect is worth three tries unless its type or its node says otherwise; a pure node fails the same way every time.
BY_EFFECT: Final[Mapping[Effect, RetryDefaults]] = {
    Effect.EFFECT: RetryDefaults(),
    Effect.PURE: RetryDefaults(attempts=1),
}
# A model that is busy is so for seconds, and a person may be watching the stream.
FOR_MODELS: Final = RetryDefaults(max_interval_ms=10_000)
FOR_HTTP: Final = RetryDefaults(initial_interval_ms=500, max_interval_ms=5_000)
