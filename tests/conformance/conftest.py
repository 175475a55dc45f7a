from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import redis
from django.conf import settings
from django.core.management import call_command

from benchmarks.workers import Workers
from tests.stack import workers_on_test_database

WORKERS = 2


@pytest.fixture
def db() -> None:
    """Instead of pytest-django's: the rows are committed beforehand, for other processes to see."""


@pytest.fixture(scope="module")  # no longer: tests of other packages run between ours, and workers take what they find
def stack(django_db_setup: None, django_db_blocker: Any) -> Iterator[Workers]:
    """Worker processes on the test database, and leave to use it."""
    with django_db_blocker.unblock():
        with workers_on_test_database(WORKERS) as workers:
            yield workers
        call_command("flush", interactive=False, verbosity=0)
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        for key in client.scan_iter(f"{settings.REDIS_PREFIX}*", count=1_000):
            client.unlink(key)
