"""Servers, messages and workers for the suite; fixtures that several folders share, no others."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
import redis
from django.conf import settings
from django.db import connection, transaction
from django.test import TransactionTestCase

from flowmaestro.embedded import services as embedded_services
from tests.fakes import Messages
from tests.nodes import count_key

# How quickly a machine draws examples says nothing about what is tried with them.
hypothesis.settings.register_profile("suite", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("suite")


@pytest.fixture(scope="session")
def services() -> Iterator[None]:
    """The embedded servers, where the environment names none."""
    wanted = settings.FLOWMAESTRO_EMBEDDED_POSTGRES, settings.FLOWMAESTRO_EMBEDDED_REDIS
    if not any(wanted):
        yield
        forget_counts()
        return
    home = Path(settings.FLOWMAESTRO_HOME)
    with embedded_services.start(home, with_postgres=wanted[0], with_redis=wanted[1]):
        yield
        forget_counts()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(services: None, django_db_modify_db_settings_parallel_suffix: None) -> None:
    """pytest-django asks for this before it makes the test database: the server must run by then."""


@pytest.fixture(scope="session", autouse=True)
def blobs_and_files_are_removed() -> Iterator[None]:
    """Large outputs and files of the suite, and of the workers it starts, are in folders of their own."""
    yield
    for kind in ("outputs", "files"):
        shutil.rmtree(settings.STORAGES[kind]["OPTIONS"]["location"], ignore_errors=True)


@pytest.fixture(scope="session", autouse=True)
def rows_are_deleted() -> Iterator[None]:
    """Tests with real commits end with DELETE: a few rows go in 10 ms, Django's TRUNCATE of every table takes 600."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(TransactionTestCase, "_fixture_teardown", lambda _: empty_tables())
        yield


def empty_tables() -> None:
    """Delete all that a test has written; foreign keys are checked at the end of the transaction."""
    kept = {"django_migrations", "django_content_type", "auth_permission"}
    tables = set(connection.introspection.django_table_names(only_existing=True, include_views=False)) - kept
    with transaction.atomic(), connection.cursor() as cursor:
        for table in sorted(tables):
            cursor.execute(f"DELETE FROM {connection.ops.quote_name(table)}")


def forget_counts() -> None:
    """What `test.count` has counted in Redis."""
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        for key in client.scan_iter(count_key("*"), count=1_000):
            client.unlink(key)


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
