from __future__ import annotations

from pathlib import Path

import pytest
from celery import Celery, current_app
from django.conf import settings
from kombu import Connection
from kombu.exceptions import OperationalError
from psycopg_pool.base import AttemptWithBackoff
from redis.exceptions import RedisError

Pauses = list[float]


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> Pauses:
    """How long Kombu, whose loop Celery uses as well, would have slept between two tries."""
    slept: Pauses = []
    monkeypatch.setattr("kombu.utils.functional.sleep", slept.append)
    return slept


def nowhere(path: Path) -> str:
    return f"redis+socket://{path / 'none.sock'}?virtual_host=0"


def test_result_store_has_the_retry_policy_of_the_settings() -> None:
    """Celery reads it from a name of its own, and an unknown one without a word."""
    wanted = settings.CELERY_RESULT_BACKEND_TRANSPORT_OPTIONS["retry_policy"]

    policy = current_app.backend.retry_policy

    assert {name: policy[name] for name in wanted} == wanted


def test_chord_is_counted_without_a_pause_when_redis_is_away(tmp_path: Path, pauses: Pauses) -> None:
    """Who publishes a wave has a run in hand."""
    app = Celery("test", backend=nowhere(tmp_path), set_as_current=False)
    app.conf.result_backend_transport_options = settings.CELERY_RESULT_BACKEND_TRANSPORT_OPTIONS

    with pytest.raises(RedisError):
        app.backend.set_chord_size("group", 2)

    assert pauses == []


def test_pool_tries_within_seconds_whether_the_database_is_back() -> None:
    """However long it was away, a run is to go on within the lease and five seconds."""
    now, waits, attempt = 0.0, [], AttemptWithBackoff(timeout=settings.DB_POOL["reconnect_timeout"])

    while not attempt.time_to_give_up(now):
        attempt.update_delay(now)
        waits.append(attempt.delay)
        now += attempt.delay

    assert max(*waits, settings.DB_POOL["timeout"]) <= 5  # who asks in vain asks again, and then the pool tries


def test_message_is_published_without_a_pause_when_redis_is_away(tmp_path: Path, pauses: Pauses) -> None:
    connection = Connection(nowhere(tmp_path), transport_options=settings.CELERY_BROKER_TRANSPORT_OPTIONS)

    with pytest.raises(OperationalError):
        connection.default_channel  # noqa: B018 -- to look is to connect

    assert pauses == []
