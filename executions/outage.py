"""PostgreSQL or blob storage went away in the middle: wait inside the task, with the outcome still in hand.

Failing instead would lose what a node has just done: its message is acknowledged already. A commit may have succeeded
although its connection died, so a write is followed by a look before it is written again.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Final, TypeVar

import django.db
import psycopg
from django.db import connection

from executions.core import BlobMissing, BlobsAway

logger = logging.getLogger(__name__)
T = TypeVar("T")

_LOST: Final = (
    BlobsAway,
    BlobMissing,  # a folder that is not mounted looks the same
    django.db.OperationalError,
    django.db.InterfaceError,
    psycopg.OperationalError,
    psycopg.InterfaceError,
)
# Without the database, the lease has long run out by then and the sweep owns what we hold; without blob storage, it is
# given back (`leases.Orphans`), and the run has a failed drive.
_LONGEST: Final = timedelta(minutes=10)
_FIRST_WAIT: Final = 0.05  # seconds
_MOST_WAIT: Final = 2.0  # seconds


def retried(write: Callable[[], T], *, check: Callable[[], T] | None = None) -> T:
    """The result of *write*, tried again on a new connection for as long as the database or blob storage is away.

    *check* answers whether an earlier try took effect after all: what it returns is the result when it is true (or a
    tuple whose first part is); otherwise the write is made again.
    """
    ends, wait, broken = time.monotonic() + _LONGEST.total_seconds(), _FIRST_WAIT, False
    while True:
        try:
            if broken and check is not None:
                found = check()
                if found[0] if isinstance(found, tuple) else found:
                    return found
            return write()
        except _LOST as error:
            if connection.in_atomic_block or time.monotonic() > ends:
                raise
            logger.warning("database or blob storage away, trying again: %s", str(error).strip().splitlines()[0])
            broken = True
            connection.close()
            time.sleep(wait * (0.5 + random.random() / 2))  # noqa: S311 -- jitter, not a secret
            wait = min(wait * 2, _MOST_WAIT)


def asked(action: Callable[[], T]) -> T:
    """As `retried`, for a node, which may take minutes for what it does next: it gives the connection back.

    One that is pure runs within its drive's, and leaves it open.
    """
    try:
        return retried(action)
    finally:
        if not connection.in_atomic_block:
            connection.close()
