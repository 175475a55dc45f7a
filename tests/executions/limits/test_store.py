from __future__ import annotations

import logging
from typing import Any

import pytest

from executions.limits.store import store
from tests.executions.limits.shared import limits


def test_limits_without_redis_let_every_call_through_and_say_so_once(
    settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """A service that is asked too often says so itself; a run that stands still says nothing."""
    store.forget()
    settings.REDIS_URL = "redis://127.0.0.1:1/0"

    with caplog.at_level(logging.WARNING, "executions.limits.store"):
        for _ in range(3):
            with (
                limits().slot("s", at_once=1, per_minute=1),
                limits().slot("s", at_once=1, per_minute=1),
                limits().breaker("b"),
            ):
                pass

    assert [record.message.partition(":")[0] for record in caplog.records] == ["Redis is away"]
