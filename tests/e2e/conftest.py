from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from django.core.management import call_command
from django.db import connection

from benchmarks.workers import Workers

WORKERS = 2


@pytest.fixture(scope="module")
def running(django_db_setup: None, django_db_blocker: Any) -> Iterator[Workers]:
    """Worker processes on the test database, for all tests of a module: starting them takes longer than most tests."""
    environment = {"DATABASE_URL": database_url(), "PYTHONPATH": str(Path.cwd()), "CELERY_SKIP_CHECKS": "1"}
    with django_db_blocker.unblock():
        with Workers(WORKERS, environment=environment) as workers:
            yield workers
        call_command("flush", interactive=False, verbosity=0)


@pytest.fixture
def workers(running: Workers, django_db_blocker: Any) -> Iterator[Workers]:
    """All of them alive, whatever the test before did to them; what a test stores is there for the others to ignore."""
    with django_db_blocker.unblock():
        alive = [process for process in running.processes if process.poll() is None]
        for place in range(WORKERS - len(alive)):
            running.start(f"again-{os.urandom(2).hex()}-{place}")
        running.wait_until_ready()
        yield running


def database_url() -> str:
    """The test database, as a worker's environment names it."""
    told = connection.settings_dict
    who = told["USER"] + (f":{quote(told['PASSWORD'])}" if told["PASSWORD"] else "")
    where = quote(told["HOST"], safe="") + (f":{told['PORT']}" if told["PORT"] else "")
    return f"postgresql://{who}@{where}/{told['NAME']}"
