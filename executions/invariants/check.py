"""All invariants, asked of one moment."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models.functions import Now, Random

from executions.core import RunStatus
from executions.invariants.events import event_gaps
from executions.invariants.findings import Finding
from executions.invariants.living import (
    nodes_without_lease,
    open_children,
    open_nodes,
    open_waits,
    runs_without_way_forward,
)
from executions.invariants.states import wrong_states
from executions.models import Execution, WorkerLease

_RECOVERS_WITHIN: Final = timedelta(seconds=5)  # after a lease ran out: what the README promises
_FINAL: Final = [status.value for status in RunStatus if status.is_final]


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """What a look has found."""

    runs: int  # that were looked at one by one
    findings: tuple[Finding, ...]


def check_runs(
    *,
    limit: int,
    execution_ids: Collection[UUID] | None = None,
    ended_within: timedelta = timedelta(minutes=10),
    grace: timedelta | None = None,
) -> Examined:
    """What is wrong with runs for longer than *grace*, by default as long as a recovery may take.

    Of all runs that live, whether they and their nodes are held and lead on. One by one, at most *limit* of those that
    live, taken by chance, and as many of those that ended last, within *ended_within*: their states, rows and events.
    What recovery mends is not told while it `recovers_for` some time yet.
    With *execution_ids* all of it is asked of these, and of no others. Takes one snapshot, and locks nothing; not to
    be called within a transaction.
    """
    grace = _usual_grace() if grace is None else grace
    with transaction.atomic(durable=True):
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        runs = _chosen(limit, ended_within) if execution_ids is None else _stored(execution_ids)
        findings = [*open_waits(runs), *event_gaps(runs), *wrong_states(runs)]
        if not recovers_for(grace):
            for look in (nodes_without_lease, runs_without_way_forward, open_nodes, open_children):
                findings += look(execution_ids, grace=grace, limit=limit)
    return Examined(runs=len(runs), findings=tuple(findings))


def recovers_for(grace: timedelta | None = None) -> timedelta:
    """How much longer workers that have just begun may take to mend what they found, as after a restart of the site.

    None where one has been alive for longer than *grace*; nor where none is alive, so that nothing will be mended.
    """
    grace = _usual_grace() if grace is None else grace
    alive = WorkerLease.objects.filter(expires_at__gt=Now()).order_by("started_at")
    since = alive.annotate(now=Now()).values_list("started_at", "now").first()
    return max(timedelta(), since[0] + grace - since[1]) if since else timedelta()


def _usual_grace() -> timedelta:
    """As long as a recovery may take."""
    lease: timedelta = settings.FLOWMAESTRO_LEASE
    return lease + _RECOVERS_WITHIN


def _stored(execution_ids: Collection[UUID]) -> list[UUID]:
    return list(Execution.objects.filter(pk__in=execution_ids).values_list("pk", flat=True))


def _chosen(limit: int, ended_within: timedelta) -> list[UUID]:
    live = Execution.objects.live().order_by(Random()).values_list("pk", flat=True)
    ended = Execution.objects.filter(status__in=_FINAL, ended_at__gt=Now() - ended_within).order_by("-ended_at")
    return [*live[:limit], *ended.values_list("pk", flat=True)[:limit]]
