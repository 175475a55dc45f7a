"""What a case does to the processes that run it: to workers, to what they have in Redis, to their database."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import psycopg
import redis
from django.conf import settings
from django.db import connection

from benchmarks.workers import Workers
from executions.models import WorkerLease
from tests.nodes import count_key

READY_WITHIN: Final = 5.0  # seconds that two workers take on a quiet machine
AWAY: Final = 1.0  # seconds; about as long as a restart of PostgreSQL takes


class Machines:
    """The worker processes of these tests and their servers."""

    def __init__(self, workers: Workers) -> None:
        self.slowness = 1.0  # how much longer workers took to be ready, when last they were waited for
        self._workers = workers
        self._starting_since: float | None = None  # seconds; None: nobody was started
        self._are_restarted = False

    @contextmanager
    def at_one_moment(self) -> Iterator[None]:
        """What several want to be restarted meanwhile is restarted once. Ends when all workers are ready."""
        self._starting_since, self._are_restarted = None, False
        yield
        self._workers.wait_until_ready()
        if self._starting_since is not None:
            self.slowness = max(1.0, (time.monotonic() - self._starting_since) / READY_WITHIN)

    def kill_worker(self, owner: int) -> None:
        """SIGKILL the process of a lease, and start another in its place. One that has been killed stays so."""
        pid = WorkerLease.objects.values_list("pid", flat=True).get(pk=owner)
        if any(process.pid == pid and process.poll() is None for process in self._workers.processes):
            self._workers.kill(pid)
            self._start(1)

    def restart(self) -> None:
        """All workers, as an operator does."""
        if not self._are_restarted:
            number = sum(process.poll() is None for process in self._workers.processes)
            self._workers.stop()
            self._start(number)
            self._are_restarted = True

    def _start(self, number: int) -> None:
        self._starting_since = self._starting_since or time.monotonic()
        for _ in range(number):
            self._workers.start(f"again-{os.urandom(4).hex()}")

    def flush_redis(self) -> None:
        """All that we have in it goes; but what a node did outside is done, and only its count happens to lie there."""
        with redis.Redis.from_url(settings.REDIS_URL) as client:
            for key in client.scan_iter(f"{settings.REDIS_PREFIX}*", count=1_000):
                if not key.decode().startswith(count_key("")):
                    client.unlink(key)

    def restart_postgres(self) -> None:
        """What a restart is to those who use it: every connection is gone, and for a while there is no other.

        The server itself may be one that others use, too, and goes on.
        """
        told = connection.get_connection_params()
        where = {key: told[key] for key in ("host", "port", "user", "password") if key in told}
        name = psycopg.sql.Identifier(told["dbname"])
        allow = psycopg.sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
        with psycopg.connect(dbname="postgres", autocommit=True, **where) as server:
            server.execute(allow.format(name, psycopg.sql.SQL("false")))
            try:
                server.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [told["dbname"]]
                )
                time.sleep(AWAY)
            finally:
                server.execute(allow.format(name, psycopg.sql.SQL("true")))
        connection.close()
