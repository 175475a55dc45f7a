from __future__ import annotations

from pathlib import Path

import pytest
from celery import current_app
from kombu import Connection
from kombu.utils.imports import symbol_by_name

from flowmaestro.consumer import Consumer

TRIES = 10


def test_worker_tries_every_other_second_whether_the_broker_is_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long it was away, a run is to go on within the lease and five seconds."""
    slept: list[float] = []
    tries: list[object] = []

    def end_after_the_last() -> None:
        if len(tries) == TRIES:
            raise KeyboardInterrupt

    monkeypatch.setattr("kombu.utils.functional.sleep", slept.append)
    monkeypatch.setattr("celery.worker.consumer.consumer.error", lambda *told: tries.append(told))
    monkeypatch.setattr("celery.worker.consumer.consumer.maybe_shutdown", end_after_the_last)
    consumer = Consumer.__new__(Consumer)  # one that has nothing to consume
    consumer.app, consumer.first_connection_attempt, consumer.broker_connection_retry_attempt = current_app, True, 0

    with pytest.raises(KeyboardInterrupt):
        consumer.ensure_connected(Connection(f"redis+socket://{tmp_path / 'none.sock'}?virtual_host=0"))

    assert len(tries) == TRIES
    assert sum(slept) <= 2 * TRIES


def test_worker_of_a_site_is_such_a_consumer() -> None:
    assert symbol_by_name(current_app.conf.worker_consumer) is Consumer


def test_worker_survives_a_connection_that_cannot_be_closed() -> None:
    """Redis was killed with a message unacknowledged: its channel is closed twice, and the second time in vain."""
    consumer = Consumer.__new__(Consumer)
    consumer.app, consumer.connection = current_app, Unclosable()

    consumer.on_connection_error_after_connected(ConnectionError("Connection closed by server."))

    assert consumer.connection is None


class Unclosable:
    """As Kombu leaves it."""

    connection_errors = channel_errors = (ConnectionError,)

    def collect(self, socket_timeout: float) -> None:
        raise ConnectionError("Connection refused.")

    def close(self) -> None:
        raise AttributeError("'NoneType' object has no attribute 'hostname'")
