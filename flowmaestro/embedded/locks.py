"""Locks between processes. The kernel lets go of them when their holder dies, so none is ever stale."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flowmaestro.embedded.errors import EmbeddedError

_POLL_SECONDS = 0.05


def take(path: Path, *, shared: bool, seconds: float) -> int | None:
    """A descriptor that holds the lock of *path* until it is closed; None when others kept it for *seconds*."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    operation = (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB
    give_up_at = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(descriptor, operation)
        except BlockingIOError:
            if time.monotonic() >= give_up_at:
                os.close(descriptor)
                return None
            time.sleep(_POLL_SECONDS)
        else:
            return descriptor


def release(descriptor: int) -> None:
    # Unlocking first also frees it when a forked process still has the same descriptor open.
    fcntl.flock(descriptor, fcntl.LOCK_UN)
    os.close(descriptor)


@contextmanager
def held(path: Path, *, seconds: float) -> Iterator[None]:
    """The block runs while no other process is inside its own. Raises EmbeddedError after waiting *seconds*."""
    descriptor = take(path, shared=False, seconds=seconds)
    if descriptor is None:
        raise EmbeddedError(f"Another process has held {path} for more than {seconds:.0f} seconds.")
    try:
        yield
    finally:
        release(descriptor)
