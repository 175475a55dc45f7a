"""Servers, messages and workers for the suite; fixtures that several folders share, no others."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from django.conf import settings

from flowmaestro.embedded import services as embedded_services
from tests.fakes import Messages


@pytest.fixture(scope="session")
def services() -> Iterator[None]:
    """The embedded servers, where the environment names none."""
    wanted = settings.FLOWMAESTRO_EMBEDDED_POSTGRES, settings.FLOWMAESTRO_EMBEDDED_REDIS
    if not any(wanted):
        yield
        return
    home = Path(settings.FLOWMAESTRO_HOME)
    with embedded_services.start(home, with_postgres=wanted[0], with_redis=wanted[1]):
        yield


@pytest.fixture(scope="session")
def django_db_modify_db_settings(services: None, django_db_modify_db_settings_parallel_suffix: None) -> None:
    """pytest-django asks for this before it makes the test database: the server must run by then."""


@pytest.fixture(scope="session", autouse=True)
def blobs_and_files_are_removed() -> Iterator[None]:
    """Large outputs and files of the suite, and of the workers it starts, are in folders of their own."""
    yield
    for kind in ("outputs", "files"):
        shutil.rmtree(settings.STORAGES[kind]["OPTIONS"]["location"], ignore_errors=True)


@pytest.fixture
def redis_client(services: None) -> Iterator[redis.Redis]:
    """A client of the suite's Redis; what the test left under our prefix goes with it."""
    client = redis.Redis.from_url(settings.REDIS_URL, decode_responses=True)
    yield client
    for key in client.scan_iter(f"{settings.REDIS_PREFIX}*"):
        client.delete(key)
    client.close()


@pytest.fixture
def messages(monkeypatch: pytest.MonkeyPatch) -> Messages:
    """Celery messages kept instead of sent; the test delivers them when, and as often as, it likes."""
    kept = Messages()
    monkeypatch.setattr("executions.dispatch._send", kept.keep)
    return kept
