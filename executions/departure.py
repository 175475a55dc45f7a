"""A worker that is asked to stop may finish what it runs, for so long. Then others run that, and the process ends.

A handler is called off when its row is no longer ours, so that its last word is refused, and has a moment to end before
another worker begins anew. One that does not listen cannot keep the process: a thread cannot be ended, a process can.
"""

from __future__ import annotations

import logging
import os
import threading
from time import monotonic, sleep
from typing import Final

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from executions import dispatch, interruptions
from executions.attempts import in_flight
from executions.core import NodeStatus
from executions.leases import lease
from executions.models import NodeRun
from handlers import Lane

logger = logging.getLogger(__name__)

# With FLOWMAESTRO_DRAIN, by default 25 s, less than the 30 s after which Kubernetes and our supervisor kill.
_STOPS_WITHIN: Final = 1.0  # seconds for handlers that were called off
_ENDS_WITHIN: Final = 2.0  # seconds for Celery, when nothing runs any more
_LOOK: Final = 0.05  # seconds
_WHY: Final = f"The worker that ran this node was stopped before it had ended. {interruptions.NOT_AGAIN}"


class Departure:
    """The way out of this process, from the moment it is asked to stop."""

    def __init__(self) -> None:
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def begin(self) -> None:
        """Returns at once: a signal handler calls it, and again at every further signal."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="departure", daemon=True)
            self._thread.start()

    def end(self) -> None:
        """Nothing runs any more. Returns when what was handed over is sent."""
        self._over.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        if self._over.wait(settings.FLOWMAESTRO_DRAIN.total_seconds()):
            return
        try:
            hand_over(lease.id())
        except Exception:
            logger.exception("what this worker runs is left to its lease")
        finally:
            connection.close()
        if not self._over.wait(_ENDS_WITHIN):
            logger.warning("%d attempts do not end; the process ends without them", len(in_flight.all()))
            os._exit(0)


def hand_over(owner: int) -> int:
    """Give what this process, the worker *owner*, still runs to others. Returns how many nodes it were."""
    now = timezone.now()
    with transaction.atomic():
        rows = list(
            NodeRun.objects.select_for_update()
            .filter(folded=False, status=NodeStatus.RUNNING, owner=owner)
            .only("execution_id", "node_id", "scope", "lane", "attempt")
        )
        final = interruptions.not_to_be_rerun(rows)
        again = [row for row in rows if row.pk not in final]
        interruptions.make_ready(NodeRun.objects.filter(pk__in=[row.pk for row in again]), now=now)
        for row in rows:
            if row.pk in final:
                interruptions.fail(row, _WHY, now=now)
    _call_off()
    for row in again:
        logger.warning("node %s%s of run %s is handed to another worker", row.scope, row.node_id, row.execution_id)
        dispatch.run_nodes(row.execution_id, [dispatch.Ready(id=row.pk, lane=Lane(row.lane))])
    for execution_id in {row.execution_id for row in rows if row.pk in final}:
        dispatch.drive(execution_id)
    return len(rows)


def _call_off() -> None:
    ends = monotonic() + _STOPS_WITHIN
    for attempt in in_flight.all().values():
        attempt.call_off()
    while in_flight.all() and monotonic() < ends:
        sleep(_LOOK)
