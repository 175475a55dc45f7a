"""What can be asked of all runs at once: each is one statement over the few rows that live, by partial indexes."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Now

from executions.core import NodeStatus, RunStatus
from executions.core.scopes import path
from executions.core.statuses import WaitpointStatus
from executions.invariants.findings import Finding, Invariant
from executions.models import Execution, NodeRun, Waitpoint, WorkerLease

_FINAL: Final = [status.value for status in RunStatus if status.is_final]
_LIVE: Final = [status.value for status in RunStatus if not status.is_final]


def nodes_without_lease(runs: Collection[UUID] | None, *, grace: timedelta, limit: int) -> Iterator[Finding]:
    """Nodes that run although the lease of their worker ran out longer than *grace* ago."""
    alive = WorkerLease.objects.filter(pk=OuterRef("owner"), expires_at__gt=Now() - grace)
    rows = NodeRun.objects.filter(
        ~Exists(alive), folded=False, status=NodeStatus.RUNNING, owner__isnull=False, started_at__lt=Now() - grace
    )
    leases = WorkerLease.objects.filter(pk=OuterRef("owner"))
    lost = _of(rows, runs, "execution").annotate(ran_out_at=leases.values("expires_at")[:1])
    for run, scope, node, owner, at in lost.values_list("execution_id", "scope", "node_id", "owner", "ran_out_at")[
        :limit
    ]:
        what = "is gone" if at is None else f"ran out at {at:%Y-%m-%d %H:%M:%S}"
        yield Finding(
            code=Invariant.LEASE,
            execution_id=run,
            where=path(scope, node),
            wrong=f"It runs, and the lease of its worker ({owner}) {what}.",
        )


def runs_without_way_forward(runs: Collection[UUID] | None, *, grace: timedelta, limit: int) -> Iterator[Finding]:
    """Runs that move no more: nothing is out or to be folded, nothing waits for its moment or for a child.

    A run that was never driven has a way forward, since the sweep drives it; so has one that will be late one day. A
    container whose body is under way is not one, nor is a node that waits for a child that is not there.
    """
    child = Execution.objects.filter(
        parent=OuterRef("execution"), parent_node=OuterRef("node_id"), parent_scope=OuterRef("scope")
    )
    moving = NodeRun.objects.filter(
        ~Q(status=NodeStatus.RUNNING) | Q(owner__isnull=False) | Exists(child), execution=OuterRef("pk"), folded=False
    )
    stuck = Execution.objects.filter(
        ~Exists(moving),
        Q(deadline_at=None) | Q(deadline_at__lt=Now() - grace),
        status=RunStatus.RUNNING,
        state__folded_at__lt=Now() - grace,
    )
    for run, at in _of(stuck, runs, "pk").values_list("pk", "state__folded_at")[:limit]:
        yield Finding(
            code=Invariant.WAY_FORWARD,
            execution_id=run,
            wrong=f"It is running, and nothing leads it on: it moved last at {at:%Y-%m-%d %H:%M:%S}.",
        )


def open_nodes(runs: Collection[UUID] | None, *, grace: timedelta, limit: int) -> Iterator[Finding]:
    """Nodes that have not ended, or are not folded, of runs that have, longer than *grace* ago."""
    rows = NodeRun.objects.filter(folded=False, execution__status__in=_FINAL, execution__ended_at__lt=Now() - grace)
    told = _of(rows, runs, "execution").values_list("execution_id", "scope", "node_id", "status", "execution__status")
    for run, scope, node, status, ended in told[:limit]:
        is_over = NodeStatus(status).is_final
        yield Finding(
            code=Invariant.ALL_ENDED,
            execution_id=run,
            where=path(scope, node),
            wrong=f"The run is {ended}, and this node is {'not folded' if is_over else status}.",
        )


def open_children(runs: Collection[UUID] | None, *, grace: timedelta, limit: int) -> Iterator[Finding]:
    """Runs that live although the run that started them ended longer than *grace* ago. *runs* are the parents."""
    children = Execution.objects.filter(
        status__in=_LIVE, parent__status__in=_FINAL, parent__ended_at__lt=Now() - grace
    ).annotate(ended=F("parent__status"))
    told = _of(children, runs, "parent").values_list(
        "parent_id", "parent_scope", "parent_node", "pk", "status", "ended"
    )
    for run, scope, node, child, status, ended in told[:limit]:
        yield Finding(
            code=Invariant.FAMILY,
            execution_id=run,
            where=path(scope, node),
            wrong=f"The run is {ended}, and the run {child} that it started is {status}.",
        )


def open_waits(runs: Collection[UUID]) -> Iterator[Finding]:
    """Of those of *runs* that are over, nodes that still wait and waitpoints that could still be answered."""
    waiting = NodeRun.objects.filter(execution__in=runs, execution__status__in=_FINAL, status=NodeStatus.WAITING)
    waitpoints = Waitpoint.objects.filter(execution__in=runs, execution__status__in=_FINAL, status=WaitpointStatus.OPEN)
    names = ("execution_id", "scope", "node_id", "execution__status")
    for told, rows in (("this node waits", waiting), ("its waitpoint is open", waitpoints)):
        for run, scope, node, ended in rows.values_list(*names):
            where = path(scope, str(node))
            wrong = f"The run is {ended}, and {told}."
            yield Finding(code=Invariant.ALL_ENDED, execution_id=run, where=where, wrong=wrong)


def _of(rows: QuerySet[Any], runs: Collection[UUID] | None, field: str) -> QuerySet[Any]:
    return rows if runs is None else rows.filter(**{f"{field}__in": runs})
