"""What the tests of the engine share: quick cleaning of committed rows, and leases that end with their test."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import redis
from django.conf import settings
from django.db import connection, transaction
from django.test import TransactionTestCase
from pytest_django.fixtures import Settings

from executions import driver, hotpath, report
from executions.drain import drain
from executions.leases import lease
from executions.models import Execution, NodeRun
from tests.executions.runs import begin, publish, row
from tests.executions.scripted import SCRIPTS, Script
from tests.executions.workers import Workers
from tests.fakes import Messages
from tests.nodes import count_key
from workflows.models import WorkflowVersion


@pytest.fixture(scope="package", autouse=True)
def rows_are_deleted() -> Iterator[None]:
    """Tests with real commits end with DELETE: a few rows go in 10 ms, Django's TRUNCATE of every table takes 600."""
    cleaned: list[None] = []
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(TransactionTestCase, "_fixture_teardown", lambda _: cleaned.append(empty_tables()))
        yield
    if cleaned:
        forget_counts()


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


@pytest.fixture(autouse=True)
def lease_given_back() -> Iterator[None]:
    """The lease that a test took ends with it, and so does the thread that renews it."""
    yield
    lease.release()
    drain.reset()


@pytest.fixture(autouse=True)
def attempts_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another attempt comes when the test lets it: its wait is an hour longer, not a second more or less by chance."""
    real = report.next_delay

    def an_hour_longer(*args: Any, **named: Any) -> float | None:
        delay = real(*args, **named)
        return None if delay is None else delay + 3600

    monkeypatch.setattr(report, "next_delay", an_hour_longer)


@pytest.fixture
def scripts() -> Iterator[dict[str, Script]]:
    """What the scripted nodes of the test do, by node id."""
    yield SCRIPTS
    SCRIPTS.clear()


@pytest.fixture
def workers(monkeypatch: pytest.MonkeyPatch) -> Workers:
    """Celery messages kept instead of sent, and threads to deliver them."""
    kept = Workers()
    monkeypatch.setattr("executions.dispatch._send", kept.keep)
    return kept


@pytest.fixture
def run(transactional_db: None, messages: Messages) -> Execution:
    """A run with two effects out, a and b: ready, and not claimed. Its state is at version 1."""
    run = begin("start -> a -> j, start -> b -> j", default="test.count")
    driver.drive(run.pk)
    return run


@pytest.fixture
def mine(run: Execution) -> NodeRun:
    """Node a of the run, claimed by us."""
    hotpath.claim(row(run, "a").pk, owner=lease.id())
    return row(run, "a")


@pytest.fixture(params=["pure", "held", "sent"])
def way(request: pytest.FixtureRequest, settings: Settings) -> str:
    """The type of a scripted node that comes to run within the turn, in the hands of its driver, or by a message."""
    if request.param == "sent":
        settings.FLOWMAESTRO_LANES = ["drive"]
    return "test.pureScript" if request.param == "pure" else "test.script"


@pytest.fixture
def child() -> WorkflowVersion:
    """A workflow that gives back what it was given; its node `work` is an effect."""
    return publish(
        "start -> work -> out",
        types={"start": "trigger", "work": "test.script", "out": "output"},
        nodes={
            "work": {"config": {"value": "{{start.given}}"}, "retry": {"attempts": 1}},
            "out": {"config": {"outputName": "answer", "value": "{{work.result}}", "format": "json"}},
        },
    )
