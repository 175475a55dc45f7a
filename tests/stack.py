"""Worker processes on the test database, beside the process of the tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import dj_database_url
from django.conf import settings
from django.db import connection

from benchmarks.workers import Workers


@contextmanager
def workers_on_test_database(number: int, **more: str) -> Iterator[Workers]:
    """*more* is for their environment."""
    with Workers(number, environment={**environment(), **more}) as workers:
        yield workers


def environment() -> dict[str, str]:
    """Of a process that works on the test database.

    pytest-django makes the test database only for tests that ask for it: one of their fixtures must be called `db`.
    """
    if connection.settings_dict["NAME"] == dj_database_url.parse(settings.DATABASE_URL)["NAME"]:
        raise AssertionError("this is the site's own database: a fixture called db makes that of the tests")
    return {"DATABASE_URL": database_url(), "PYTHONPATH": str(Path.cwd()), "CELERY_SKIP_CHECKS": "1"}


def database_url() -> str:
    """The test database, as a worker's environment names it."""
    told = connection.settings_dict
    who = told["USER"] + (f":{quote(told['PASSWORD'])}" if told["PASSWORD"] else "")
    where = quote(told["HOST"], safe="") + (f":{told['PORT']}" if told["PORT"] else "")
    return f"postgresql://{who}@{where}/{told['NAME']}"
