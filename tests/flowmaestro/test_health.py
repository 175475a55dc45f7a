from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from django.utils import timezone

from flowmaestro import health
from tests.doors import data, error
from tests.factories import WorkerLeaseFactory

GOOD = {
    "database": {"ok": True, "detail": "answers"},
    "migrations": {"ok": True, "detail": "all applied"},
    "redis": {"ok": True, "detail": "answers"},
}


def test_live_server_says_so_without_asking_the_database(client: Client) -> None:
    """A database that is away is no reason to kill the server. Database access is an error in this test."""
    response = client.get("/health/live")

    assert data(response) == {"status": "live"}


@pytest.mark.django_db
def test_ready_server_says_what_it_looked_at(client: Client, services: None) -> None:
    """Workers are counted by their lease; one that ran out is none."""
    WorkerLeaseFactory.create_batch(2)
    WorkerLeaseFactory(expires_at=timezone.now() - timedelta(seconds=1))

    response = client.get("/health/ready")

    assert data(response) == {"status": "ready", "checks": GOOD, "workers": 2}


@pytest.mark.django_db
def test_server_without_workers_is_ready(client: Client, services: None) -> None:
    """It stores runs, which is what it is asked to do."""
    response = client.get("/health/ready")

    assert data(response)["workers"] == 0


@pytest.mark.django_db
def test_server_without_redis_is_not_ready(client: Client, settings: Any) -> None:
    """503 in the envelope of every error; the address stays in the log."""
    settings.REDIS_URL = "redis://127.0.0.1:1/0"

    response = client.get("/health/ready")

    told = error(response, 503, "service_unavailable")
    assert told["message"] == "Not ready: redis."
    assert told["details"] == {"checks": {**GOOD, "redis": {"ok": False, "detail": "does not answer"}}}


@pytest.mark.django_db
def test_server_with_a_migration_to_be_applied_is_not_ready(client: Client, services: None) -> None:
    """Its code would not fit its tables."""
    MigrationRecorder.Migration.objects.filter(app="executions").order_by("-pk")[0].delete()

    response = client.get("/health/ready")

    told = error(response, 503, "service_unavailable")
    assert told["details"]["checks"]["migrations"] == {"ok": False, "detail": "1 to be applied: manage.py migrate"}


@pytest.mark.parametrize("check", [health.check_database, health.check_migrations])
def test_check_of_a_database_that_is_away_finds_that_and_logs_why(
    check: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A probe is open to all: the sentence that names hosts and users is for the log."""

    def away(*args: Any, **options: Any) -> Any:
        raise OperationalError("password for flow@10.0.0.5 failed")

    monkeypatch.setattr("django.db.backends.base.base.BaseDatabaseWrapper.cursor", away)

    found = check()

    assert found == health.Finding(is_good=False, detail="does not answer")
    assert "password for flow@10.0.0.5 failed" in caplog.text
