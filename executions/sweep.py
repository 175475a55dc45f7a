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
from time import monotonic
from typing import Final
from uuid import UUID

import django.db
import psycopg
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from executions import dispatch, interruptions, quarantine, queues, services
from executions.alarm import WITHIN as ALARM_WITHIN
from executions.alarm import alarm
from executions.core import NodeStatus, RunStatus
from executions.core.statuses import WaitpointStatus
from executions.invariants import Watch
from executions.models import Execution, NodeRun, Waitpoint, WorkerLease
from handlers import Lane

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
# While the database is away nobody can renew a lease. When it is back, a living worker does within this.
_REPORTS_BACK: Final = timedelta(seconds=5)


class Sweeper:
    """One look after another, until stopped."""

    def __init__(self) -> None:
        self._stopped = threading.Event()
        self._watch = Watch()
        self._alarms: dict[UUID, datetime] = {}  # waitpoint → when
        self._sent: dict[UUID, tuple[datetime, timedelta]] = {}  # run → when we sent a drive, and how long to wait now
        self._judges_from = 0.0  # monotonic seconds; before, a lease may have run out through no fault of its worker

    def start(self) -> None:
        threading.Thread(target=self._run, name="sweep", daemon=True).start()

    def stop(self) -> None:
        self._stopped.set()

    def _run(self) -> None:
        every = settings.FLOWMAESTRO_SWEEP.total_seconds()
        # Jitter keeps the sweepers of a site from looking in step.
        while not self._stopped.wait(every * (0.75 + random.random() / 2)):  # noqa: S311
            self._look()

    def _look(self) -> None:
        try:
            self.sweep()
        except (django.db.Error, psycopg.Error, OperationalError, RedisError, OSError) as error:
            logger.warning("sweep put off: %s", str(error).strip())
            connection.close()
            if isinstance(error, (django.db.Error, psycopg.Error)):
                self._judges_from = monotonic() + min(settings.FLOWMAESTRO_LEASE, _REPORTS_BACK).total_seconds()
        except Exception:
            logger.exception("the sweep raised; it goes on")

    def sweep(self) -> None:
        """One look at everything."""
        now = timezone.now()
        if monotonic() >= self._judges_from:
            recover_lost_nodes(now)
        send_unsent(now)
        self._drive_undriven(now)
        self._set_alarms(now)
        cancel_orphans()
        expire_tokens(now)
        WorkerLease.objects.filter(expires_at__lt=Now() - _SILENT_FOR).exclude(
            Exists(NodeRun.objects.filter(folded=False, status=NodeStatus.RUNNING, owner=OuterRef("pk")))
        ).delete()
        self._watch.look()

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

    def _set_alarms(self, now: datetime) -> None:
        """For what wakes or expires before our next look. Nobody has set one: it was too far off when it was stored."""
        soon = Waitpoint.objects.filter(
            status=WaitpointStatus.OPEN,
            execution__isnull=False,
            due_at__gte=now,
            due_at__lt=now + 2 * settings.FLOWMAESTRO_SWEEP,
            due_at__gt=F("created_at") + ALARM_WITHIN,
        )
        due = {pk: at for pk, at in soon.values_list("pk", "due_at")[:AT_ONCE] if at is not None}
        runs = dict(soon.filter(pk__in=due.keys() - self._alarms.keys()).values_list("pk", "execution_id"))
        for waitpoint, run in runs.items():
            alarm.at(due[waitpoint], run)
        self._alarms = {waitpoint: at for waitpoint, at in self._alarms.items() if at >= now} | due


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
    waitpoints = Waitpoint.objects.filter(execution__isnull=False, folded=False)
    due = (
        waitpoints.filter(closed_at__lt=overdue),  # answered
        waitpoints.filter(status=WaitpointStatus.OPEN, due_at__lt=now),
    )
    runs = (
        Execution.objects.filter(status=RunStatus.PENDING, created_at__lt=overdue),
        Execution.objects.filter(status__in=_LIVE, deadline_at__lt=now),
        _released(overdue),
        _unlike_their_children(overdue),
    )
    lost = {run for rows in (*found, *due) for run in rows.values_list("execution_id", flat=True)[:AT_ONCE]}
    return lost | {run for rows in runs for run in rows.values_list("pk", flat=True)[:AT_ONCE]}


def _released(overdue: datetime) -> QuerySet[Execution]:
    """Runs that go on, and of which nothing is out: somebody let them go, and nobody has looked at them since.

    The row of an open container is nothing that is out, nor is that of a node whose child is not there any more.
    """
    out = NodeRun.objects.filter(Q(owner__isnull=False) | ~Q(status=NodeStatus.RUNNING), folded=False)
    return Execution.objects.filter(
        ~Exists(out.filter(execution=OuterRef("pk"))),
        ~Exists(Execution.objects.filter(parent=OuterRef("pk"), status__in=_LIVE)),
        status=RunStatus.RUNNING,
        state__folded_at__lt=overdue,
    )


def _unlike_their_children(overdue: datetime) -> QuerySet[Execution]:
    """Runs whose child has paused, or goes on, since they were last written."""
    children = Execution.objects.filter(
        parent=OuterRef("pk"), state__folded_at__gt=OuterRef("state__folded_at"), state__folded_at__lt=overdue
    )
    return Execution.objects.filter(
        Q(Exists(children.filter(status=RunStatus.PAUSED)), status=RunStatus.RUNNING)
        | Q(Exists(children.filter(status=RunStatus.RUNNING)), status=RunStatus.PAUSED)
    )


def expire_tokens(now: datetime) -> None:
    """Tokens that were made by hand and that no run has come for in time."""
    Waitpoint.objects.filter(execution=None, status=WaitpointStatus.OPEN, due_at__lt=now).update(
        status=WaitpointStatus.EXPIRED, closed_at=now, folded=True
    )


def cancel_orphans() -> None:
    """Runs whose parent is over, or has stopped the branch that waits for them."""
    stopped = NodeRun.objects.filter(
        execution=OuterRef("parent"),
        node_id=OuterRef("parent_node"),
        scope=OuterRef("parent_scope"),
        status=NodeStatus.CANCELLED,
    )
    orphans = Execution.objects.filter(Q(parent__status__in=_FINAL) | Exists(stopped), status__in=_LIVE)
    for run in orphans.filter(parent__isnull=False).values_list("pk", flat=True)[:AT_ONCE]:
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
        at_once = interruptions.not_to_be_rerun(lost)
        again = [row for row in lost if row.lost + 1 < MOST_LOST and row.pk not in at_once]
        rows = NodeRun.objects.filter(pk__in=[row.pk for row in again])
        interruptions.make_ready(rows, now=now, lost=F("lost") + 1)
    for row in again:
        logger.warning("node %s%s of run %s lost its worker; sent again", row.scope, row.node_id, row.execution_id)
        dispatch.run_nodes(row.execution_id, [dispatch.Ready(id=row.pk, lane=Lane(row.lane))])
    for row in lost:
        if row.pk in at_once:
            logger.warning("node %s%s of run %s lost its worker; it fails", row.scope, row.node_id, row.execution_id)
            _give_up(row, f"The worker that ran this node was lost in the middle. {interruptions.NOT_AGAIN}", now)
        elif row.lost + 1 >= MOST_LOST:
            logger.error("node %s%s of run %s lost %d workers", row.scope, row.node_id, row.execution_id, MOST_LOST)
            _give_up(row, f"{MOST_LOST} workers were lost while they ran this node.", now)
    return len(lost)


def _give_up(row: NodeRun, why: str, now: datetime) -> None:
    """Fail the node. A run whose plan cannot be read, so that nobody can say what follows, is on its way out itself."""
    try:
        interruptions.fail(row, why, now=now)
    except (django.db.Error, psycopg.Error):
        raise
    except Exception:
        logger.exception("node %s of run %s could not be failed", row.node_id, row.execution_id)
        quarantine.note_failure(row.execution_id)
    else:
        dispatch.drive(row.execution_id)


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
