"""A worker process shows that it is alive: one lease row, renewed on a connection of its own.

Node runs name the lease that runs them. When it runs out, whatever the process held is given to others by the sweep
(`executions.sweep`); if it was only slow, its writes are refused by their fence.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
from time import monotonic
from typing import Final
from uuid import UUID

import psycopg
from django.conf import settings
from django.db import Error, connection
from django.db.models.functions import Now
from django.utils import timezone

from executions import dispatch, interruptions
from executions.attempts import in_flight
from executions.core import NodeStatus
from executions.models import NodeRun, WorkerLease

logger = logging.getLogger(__name__)

_RENEWALS: Final = 3  # within a lease: two may fail before it runs out
_LOOK: Final = 0.5  # seconds between looks at what was called off
_LAST_LOOK: Final = 5.0  # seconds for a look that is under way when the lease is given back


class LeaseHolder:
    """The lease of this process, and the thread that renews it and calls off attempts nobody wants any more."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._id: int | None = None
        self._pid = 0
        self._stopped = threading.Event()
        self._keeper: threading.Thread | None = None

    def id(self) -> int:
        """This process's lease, taken on first use; a forked child takes its own."""
        with self._lock:
            if self._id is None or self._pid != os.getpid():
                self._pid, self._stopped = os.getpid(), threading.Event()
                self._id = _write_lease()
                self._keeper = threading.Thread(target=_keep, args=(self._id, self._stopped), name="lease", daemon=True)
                self._keeper.start()
            return self._id

    def release(self) -> None:
        """Give the lease back: what we still hold goes to others at once."""
        with self._lock:
            if self._id is not None and self._keeper is not None and self._pid == os.getpid():
                self._stopped.set()
                # A renewal that is under way would miss the row, and write it anew.
                self._keeper.join(_LAST_LOOK)
                WorkerLease.objects.filter(pk=self._id).delete()
            self._id = None


def _write_lease(lease_id: int | None = None) -> int:
    return WorkerLease.objects.create(
        pk=lease_id,
        hostname=socket.gethostname(),
        pid=os.getpid(),
        lanes=settings.FLOWMAESTRO_LANES,
        started_at=timezone.now(),
        expires_at=Now() + settings.FLOWMAESTRO_LEASE,
    ).pk


def _keep(lease_id: int, stopped: threading.Event) -> None:
    """Thread: it keeps its database connection, so that a busy pool cannot cost us the lease."""
    every = settings.FLOWMAESTRO_LEASE.total_seconds() / _RENEWALS
    renewed_at, orphans = monotonic(), Orphans()
    while not stopped.wait(_LOOK):
        try:
            call_off_unwanted()
            if monotonic() - renewed_at >= every:
                _renew(lease_id)
                renewed_at = monotonic()
                orphans.give_back(lease_id)
        except (Error, psycopg.Error) as error:
            logger.warning("lease not renewed, trying again: %s", str(error).strip())
            connection.close()
        except Exception:  # without this thread the process would be taken for dead, and lose whatever it runs
            logger.exception("a look at the lease raised; it goes on")
    connection.close()


def _renew(lease_id: int) -> None:
    if not WorkerLease.objects.filter(pk=lease_id).update(expires_at=Now() + settings.FLOWMAESTRO_LEASE):
        # Somebody took the row away (a restored database, an operator): what we hold and will claim needs one.
        _write_lease(lease_id)


class Orphans:
    """Rows that are ours by their owner and that nobody here runs.

    A claim may have been committed although its connection died before we heard of it; or an attempt is over, and how
    it ended could not be written. Our lease is alive, so no sweep would look at such a row: we give it back ourselves
    when we see it a second time.
    """

    def __init__(self) -> None:
        self._seen: set[tuple[UUID, int]] = set()

    def give_back(self, owner: int) -> int:
        """Returns how many rows were given back."""
        begun, now = in_flight.begun(), timezone.now()
        running = NodeRun.objects.filter(folded=False, status=NodeStatus.RUNNING, owner=owner)
        rows = {(row.pk, row.attempt): row for row in running.only("execution_id", "node_id", "attempt")}
        in_flight.forget(begun - rows.keys())
        orphans = {key for key in rows if not in_flight.has(*key)}
        seen_twice, given = orphans & self._seen, 0
        why = f"How this node ended is lost. {interruptions.NOT_AGAIN}"
        # Of a claim that we never heard of nothing has been done: its node runs, whatever is drawn.
        final = interruptions.not_to_be_rerun([rows[key] for key in seen_twice & begun])
        for row, attempt in seen_twice:
            if row in final:
                interruptions.fail(rows[row, attempt], why, now=now)
                dispatch.drive(rows[row, attempt].execution_id)
            else:
                given += interruptions.make_ready(running.filter(pk=row, attempt=attempt), now=now)
        self._seen = orphans
        if given:
            logger.warning("%d claims whose answer was lost were given back", given)
        return given


def call_off_unwanted() -> None:
    """Call off the attempts of this process whose row is no longer theirs, or whose time is up."""
    attempts = in_flight.all()
    for attempt in attempts.values():
        if attempt.remaining() <= 0:
            attempt.call_off()
    if not attempts:
        return
    rows = NodeRun.objects.filter(pk__in=[row for row, _ in attempts], status=NodeStatus.RUNNING)
    wanted = set(rows.values_list("pk", "attempt"))
    for key, attempt in attempts.items():
        if key not in wanted:
            attempt.call_off()


lease = LeaseHolder()
