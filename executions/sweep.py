"""What was lost is found again: a thread of every worker process looks over the living rows about once a second.

A lost message, a killed worker, a flushed Redis, a commit without its publish are one case here: a row that should have
moved and did not. Every finding is taken with FOR UPDATE SKIP LOCKED, so any number of sweepers may look at once, and
every remedy may be applied twice.
"""

from __future__ import annotations

import logging
import random
import threading
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import django.db
import psycopg
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, Value
from django.db.models.functions import Cast, Now
from django.utils import timezone
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from executions import dispatch, quarantine, queues, services
from executions.core import NodeStatus, RunStatus, judge
from executions.core.failure import WORKER_LOST
from executions.models import Execution, NodeRun, WorkerLease
from executions.plans import prepared
from handlers import Lane
from workflows.fields import PlainJSONField, dumps

logger = logging.getLogger(__name__)

MOST_LOST: Final = 3  # workers lost on one node, then it fails
AT_ONCE: Final = 500  # rows of one kind in one look
# A message is on its way for milliseconds; when it is older than this and the queue is short, it is not coming.
UNSENT_AFTER: Final = timedelta(seconds=3)
UNDRIVEN_AFTER: Final = timedelta(seconds=1)
_BACKLOG: Final = 200  # messages in a lane; above, what is ready is queued rather than lost
_FINAL: Final = [status.value for status in RunStatus if status.is_final]
_LIVE: Final = [status.value for status in RunStatus if not status.is_final]
_SILENT_FOR: Final = timedelta(hours=1)  # then a dead worker's lease row goes


class Sweeper:
    """One look after another, until stopped."""

    def __init__(self) -> None:
        self._stopped = threading.Event()
        self._sent: dict[UUID, tuple[datetime, timedelta]] = {}  # run → when we sent a drive, and how long to wait now

    def start(self) -> None:
        threading.Thread(target=self._run, name="sweep", daemon=True).start()

    def stop(self) -> None:
        self._stopped.set()

    def _run(self) -> None:
        every = settings.FLOWMAESTRO_SWEEP.total_seconds()
        # Jitter keeps the sweepers of a site from looking in step.
        while not self._stopped.wait(every * (0.75 + random.random() / 2)):  # noqa: S311
            try:
                self.sweep()
            except (django.db.Error, psycopg.Error, OperationalError, RedisError, OSError) as error:
                logger.warning("sweep put off: %s", str(error).strip())
                connection.close()
            except Exception:
                logger.exception("the sweep raised; it goes on")

    def sweep(self) -> None:
        """One look at everything."""
        now = timezone.now()
        recover_lost_nodes(now)
        send_unsent(now)
        self._drive_undriven(now)
        cancel_orphans()
        WorkerLease.objects.filter(expires_at__lt=Now() - _SILENT_FOR).exclude(
            Exists(NodeRun.objects.filter(folded=False, status=NodeStatus.RUNNING, owner=OuterRef("pk")))
        ).delete()

    def _drive_undriven(self, now: datetime) -> None:
        """Runs with news that nobody folds, and runs that never had a drive. Asked for again ever more slowly."""
        lost = undriven(now)
        if lost and queues.depth(Lane.DRIVE) > _BACKLOG:
            return
        self._sent = {run: sent for run, sent in self._sent.items() if run in lost}
        for run in lost:
            at, wait = self._sent.get(run, (now, timedelta()))
            if now - at >= wait:
                self._sent[run] = (now, max(2 * wait, timedelta(seconds=1)))
                dispatch.drive(run)


def undriven(now: datetime) -> set[UUID]:
    """Runs for which something has happened, or whose moment has come, and that nobody drives."""
    overdue = now - UNDRIVEN_AFTER
    alive = NodeRun.objects.filter(folded=False)
    ended = Execution.objects.filter(
        parent=OuterRef("execution"),
        parent_node=OuterRef("node_id"),
        parent_scope=OuterRef("scope"),
        status__in=_FINAL,
        ended_at__lt=overdue,
    )
    found = (
        alive.filter(status__in=[NodeStatus.COMPLETED, NodeStatus.FAILED], ended_at__lt=overdue),
        alive.filter(status=NodeStatus.READY, due_at__lt=now),  # the alarm that was set for it is gone
        alive.filter(Exists(ended), status=NodeStatus.RUNNING, owner=None),  # waits for a child that is over
    )
    runs = Execution.objects.filter(status=RunStatus.PENDING, created_at__lt=overdue)
    late = Execution.objects.filter(status__in=_LIVE, deadline_at__lt=now)
    lost = {run for rows in found for run in rows.values_list("execution_id", flat=True)[:AT_ONCE]}
    return lost | {run for rows in (runs, late) for run in rows.values_list("pk", flat=True)[:AT_ONCE]}


def cancel_orphans() -> None:
    """Runs whose parent is over."""
    for run in Execution.objects.filter(status__in=_LIVE, parent__status__in=_FINAL).values_list("pk", flat=True)[
        :AT_ONCE
    ]:
        services.cancel_orphan(run)


def recover_lost_nodes(now: datetime) -> int:
    """Nodes whose worker's lease ran out: ready again under a new fence, or failed after too many. Returns how many."""
    alive = WorkerLease.objects.filter(pk=OuterRef("owner"), expires_at__gt=Now())
    with transaction.atomic():
        lost = list(
            NodeRun.objects.select_for_update(skip_locked=True)
            .filter(~Exists(alive), folded=False, status=NodeStatus.RUNNING, owner__isnull=False)
            .select_related(None)[:AT_ONCE]
        )
        again = [row for row in lost if row.lost + 1 < MOST_LOST]
        NodeRun.objects.filter(pk__in=[row.pk for row in again]).update(
            status=NodeStatus.READY,
            attempt=F("attempt") + 1,
            lost=F("lost") + 1,
            owner=None,
            announced=False,
            ready_at=now,
        )
    for row in again:
        logger.warning("node %s%s of run %s lost its worker; sent again", row.scope, row.node_id, row.execution_id)
        dispatch.run_nodes(row.execution_id, [dispatch.Ready(id=row.pk, lane=Lane(row.lane))])
    for row in lost:
        if row.lost + 1 >= MOST_LOST:
            logger.error("node %s%s of run %s lost %d workers", row.scope, row.node_id, row.execution_id, MOST_LOST)
            _give_up(row, now)
    return len(lost)


def _give_up(row: NodeRun, now: datetime) -> None:
    """Fail the node. A run whose plan cannot be read, so that nobody can say what follows, is on its way out itself."""
    try:
        _fail(row, now)
    except (django.db.Error, psycopg.Error):
        raise
    except Exception:
        logger.exception("node %s of run %s could not be failed", row.node_id, row.execution_id)
        quarantine.note_failure(row.execution_id)
    else:
        dispatch.drive(row.execution_id)


def _fail(row: NodeRun, now: datetime) -> None:
    version_id = Execution.objects.values_list("version_id", flat=True).get(pk=row.execution_id)
    graph = prepared(version_id).graph
    verdict = judge(
        graph.node(row.node_id),
        has_error_edge=graph.has_error_edge(row.node_id),
        message=f"{MOST_LOST} workers were lost while they ran this node.",
        code=WORKER_LOST,
        attempt=row.attempt,
        at=now,
    )
    # JSON's null is an output, SQL's is none.
    output = Cast(Value(dumps(verdict.output)), PlainJSONField()) if verdict.handled else None
    NodeRun.objects.filter(pk=row.pk, status=NodeStatus.RUNNING, attempt=row.attempt).update(
        status=verdict.status,
        handled=verdict.handled,
        output=output,
        error=verdict.error,
        attempt=F("attempt") + 1,  # the fence: whoever still runs it cannot write
        lost=F("lost") + 1,
        ended_at=now,
    )


def send_unsent(now: datetime) -> int:
    """Nodes that are ready for longer than a message takes. Returns how many were sent again."""
    overdue = now - UNSENT_AFTER
    sent = 0
    for lane in Lane:
        stale = NodeRun.objects.filter(
            folded=False, status=NodeStatus.READY, due_at=None, ready_at__lt=overdue, lane=lane.value
        )
        if not stale.exists() or queues.depth(lane) > _BACKLOG:
            continue
        with transaction.atomic():
            rows = list(stale.select_for_update(skip_locked=True).values_list("pk", "execution_id")[:AT_ONCE])
            NodeRun.objects.filter(pk__in=[row for row, _ in rows]).update(ready_at=now)
        for row, execution_id in rows:
            dispatch.run_nodes(execution_id, [dispatch.Ready(id=row, lane=lane)])
        sent += len(rows)
    return sent
