"""Runs that are to be looked at again at a certain moment: this process asks for it in time, the sweep if it is gone.

The moment is in a row (a node's `due_at`, a run's `deadline_at`); this is only the fast way to it.
"""

from __future__ import annotations

import heapq
import logging
import threading
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from executions import dispatch

logger = logging.getLogger(__name__)

# What is further off is left to the sweep: a run may wait for a month, and this process be gone tomorrow.
WITHIN: Final = timedelta(minutes=1)


class Alarm:
    """A thread that sends a drive when its moment has come. Silent until started: only workers start it."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._moments: list[tuple[datetime, UUID]] = []
        self._is_on = False

    def start(self) -> None:
        with self._changed:
            if not self._is_on:
                self._is_on = True
                threading.Thread(target=self._run, name="alarm", daemon=True).start()

    def stop(self) -> None:
        with self._changed:
            self._is_on = False
            self._moments.clear()
            self._changed.notify()

    def at(self, moment: datetime, execution_id: UUID) -> None:
        """Have the run driven then."""
        with self._changed:
            if self._is_on and moment - datetime.now(UTC) <= WITHIN:
                heapq.heappush(self._moments, (moment, execution_id))
                self._changed.notify()

    def _run(self) -> None:
        while (due := self._next()) is not None:
            try:
                dispatch.drive(due)
            except Exception:  # nobody would start this thread again before the process ends
                logger.exception("run %s is left to the sweep", due)

    def _next(self) -> UUID | None:
        """The next run whose moment has come, once it has; None when stopped."""
        with self._changed:
            while self._is_on:
                wait = (self._moments[0][0] - datetime.now(UTC)).total_seconds() if self._moments else None
                if wait is not None and wait <= 0:
                    return heapq.heappop(self._moments)[1]
                self._changed.wait(wait)
        return None


alarm = Alarm()
