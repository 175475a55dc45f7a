"""Waiting for what other processes do."""

from __future__ import annotations

import time
from collections.abc import Callable

from executions.models import Execution


def wait_until(condition: Callable[[], bool], *, seconds: float) -> float:
    """How long it took, in seconds."""
    begun = time.monotonic()
    while not condition():
        if time.monotonic() - begun > seconds:
            raise TimeoutError(f"not within {seconds} s")
        time.sleep(0.02)
    return time.monotonic() - begun


def wait_for_end(execution: Execution, *, seconds: float = 30) -> float:
    def is_over() -> bool:
        execution.refresh_from_db()
        return execution.ended_at is not None

    return wait_until(is_over, seconds=seconds)
