from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import call_command

from benchmarks.workers import Workers
from tests.stack import workers_on_test_database

WORKERS = 2


@pytest.fixture(scope="module")
def running(django_db_setup: None, django_db_blocker: Any) -> Iterator[Workers]:
    """Worker processes on the test database, for all tests of a module: starting them takes longer than most tests."""
    with django_db_blocker.unblock():
        with workers_on_test_database(WORKERS) as workers:
            yield workers
        call_command("flush", interactive=False, verbosity=0)


@pytest.fixture
def db(django_db_blocker: Any) -> Iterator[None]:
    """Instead of pytest-django's: no transaction around a test whose rows other processes are to see."""
    with django_db_blocker.unblock():
        yield


@pytest.fixture
def workers(running: Workers, db: None) -> Workers:
    """All of them alive, whatever the test before did to them; what a test stores is there for the others to ignore."""
    alive = [process for process in running.processes if process.poll() is None]
    for place in range(WORKERS - len(alive)):
        running.start(f"again-{os.urandom(2).hex()}-{place}")
    running.wait_until_ready()
    return running
