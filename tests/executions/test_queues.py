from __future__ import annotations

import pytest
import redis
from celery import current_app
from kombu.exceptions import OperationalError

from executions import dispatch, queues
from handlers import Lane
from workflows.ids import uuid7


def test_lane_that_nobody_has_sent_to_is_empty(redis_client: redis.Redis) -> None:
    """The broker has no queue of that name."""
    assert [queues.depth(lane) for lane in Lane] == [0, 0, 0]


def test_depth_is_how_many_messages_nobody_has_fetched(redis_client: redis.Redis) -> None:
    for _ in range(3):
        dispatch.drive(uuid7())

    assert queues.depth(Lane.DRIVE) == 3


def test_broker_that_is_away_is_not_an_empty_lane(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sweep is put off: what it cannot count it must not take for lost."""
    away = current_app.connection_for_read("redis://127.0.0.1:1/0", transport_options={"max_retries": 0})
    monkeypatch.setattr(current_app, "connection_for_read", lambda: away)

    with pytest.raises(OperationalError):
        queues.depth(Lane.DRIVE)
