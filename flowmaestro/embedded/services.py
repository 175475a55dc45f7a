"""The embedded servers of a home, shared by everybody who uses it: they run from the first user to the last.

    with services.start(home):  # `up`, `demo`, the tests: in any number, at the same time
        ...

Each user holds a shared lock, which the kernel releases when a user is killed. Who stops and then gets the lock for
itself alone was the last one, and takes the servers down.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from flowmaestro.embedded import locks, postgres, redis
from flowmaestro.embedded.addresses import socket_dir
from flowmaestro.embedded.errors import EmbeddedError

_PATIENCE_SECONDS = 240  # another process may be in the first initdb of a slow machine


@dataclass(slots=True, kw_only=True)
class Services:
    """One user's hold on the servers of *home*."""

    home: Path
    _hold: int | None

    def stop(self) -> bool:
        """Give the servers back; True when this was the last user and they have been stopped."""
        if self._hold is None:
            return False
        locks.release(self._hold)
        self._hold = None
        return stop(self.home)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def start(home: Path, *, with_postgres: bool = True, with_redis: bool = True) -> Services:
    """Start what is asked for and does not run yet; return when it answers. Raises EmbeddedError."""
    home = home.resolve()
    home.mkdir(parents=True, exist_ok=True)
    hold = locks.take(_users(home), shared=True, seconds=_PATIENCE_SECONDS)
    if hold is None:
        raise EmbeddedError(f"Another process has been stopping the servers of {home} for {_PATIENCE_SECONDS} seconds.")
    services = Services(home=home, _hold=hold)
    try:
        with locks.held(home / "starting.lock", seconds=_PATIENCE_SECONDS):
            if with_postgres:
                postgres.start(home)
            if with_redis:
                redis.start(home)
    except BaseException:
        services.stop()
        raise
    return services


def stop(home: Path) -> bool:
    """Stop the servers of *home*, unless somebody uses them: False then."""
    home = home.resolve()
    if not home.is_dir() and not socket_dir(home).exists():
        return True
    home.mkdir(parents=True, exist_ok=True)  # it may have been removed under its servers
    alone = locks.take(_users(home), shared=False, seconds=0)
    if alone is None:
        return False
    try:
        redis.stop(home)
        postgres.stop(home)
        with suppress(OSError):  # never made, or not empty: then it is looked at by whoever starts next
            socket_dir(home).rmdir()
    finally:
        locks.release(alone)
    return True


def _users(home: Path) -> Path:
    return home / "users.lock"
