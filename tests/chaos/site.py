"""PostgreSQL and Redis of our own, to be hurt."""

from __future__ import annotations

import shutil
import signal
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from django.core.management import call_command

from flowmaestro.embedded import postgres, redis, services
from flowmaestro.embedded.places import PUBLIC, named_data
from flowmaestro.embedded.processes import end, pid_in

_IMMEDIATE: Final = ((signal.SIGQUIT, 10.0), (signal.SIGKILL, 5.0))  # what `pg_ctl -m immediate` sends
_AT_ONCE: Final = ((signal.SIGKILL, 5.0),)


class Site:
    """The embedded servers of *home*, with the tables of the engine, for as long as the context."""

    def __init__(self, home: Path) -> None:
        self.home, self._cleanup = home, ExitStack()
        self.leaves_traces = False  # whether logs, and what else was put into the home, stay behind

    def __enter__(self) -> Self:
        self._cleanup.callback(self._remove)
        self._cleanup.enter_context(services.start(self.home))
        call_command("migrate", verbosity=0)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._cleanup.close()

    def restart_postgres(self) -> None:
        """As after a crash of its machine: nothing is finished, what was committed is there."""
        self._end(named_data(self.home) / "postmaster.pid", _IMMEDIATE)
        postgres.start(self.home)

    def lose_redis(self) -> None:
        """It comes back without anything that was in it."""
        self._end(self.home / "redis" / "redis.pid", _AT_ONCE)
        shutil.rmtree(self.home / "redis")
        redis.start(self.home)

    def _end(self, pid_file: Path, steps: tuple[tuple[signal.Signals, float], ...]) -> None:
        pid = pid_in(pid_file)
        if pid is None or not end(pid, steps):
            raise AssertionError(f"the server of {pid_file} was not there, or does not end")

    def _remove(self) -> None:
        data = named_data(self.home)
        if data.is_relative_to(PUBLIC):  # root's
            shutil.rmtree(data.parent, ignore_errors=True)
        if not self.leaves_traces:
            shutil.rmtree(self.home, ignore_errors=True)
