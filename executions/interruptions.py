"""Attempts that were cut off in the middle: their nodes run again under a new fence, or fail where that is drawn.

Nobody knows whether such an attempt has had its effect. A workflow that would rather fail than do something twice says
so of the node (`onInterrupted: fail`).
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import django.db
import psycopg
from django.db.models import F, QuerySet, Value
from django.db.models.functions import Cast

from executions.core import NodeStatus, judge
from executions.core.failure import WORKER_LOST
from executions.models import Execution, NodeRun
from executions.plans import prepared
from workflows.core.plan import OnInterrupted
from workflows.fields import PlainJSONField, dumps

logger = logging.getLogger(__name__)

NOT_AGAIN: Final = "It may have had its effect, and is not run again: its onInterrupted is fail."


def not_to_be_rerun(rows: Collection[NodeRun]) -> set[UUID]:
    """Those of *rows* whose workflow says so. A plan that cannot be read says nothing: the next worker finds out."""
    runs = Execution.objects.filter(pk__in={row.execution_id for row in rows})
    versions = dict(runs.values_list("pk", "version_id"))
    return {row.pk for row in rows if row.execution_id in versions and _says_fail(versions[row.execution_id], row)}


def make_ready(rows: QuerySet[NodeRun], *, now: datetime, **more: Any) -> int:
    """Let others claim *rows*, whose attempts are over for good: whoever still runs one cannot write."""
    return rows.update(
        status=NodeStatus.READY, attempt=F("attempt") + 1, owner=None, announced=False, ready_at=now, **more
    )


def fail(row: NodeRun, why: str, *, now: datetime) -> None:
    """Record, unless the attempt has moved on, that its node failed with `worker_lost`. The run is to be driven."""
    version_id = Execution.objects.values_list("version_id", flat=True).get(pk=row.execution_id)
    graph = prepared(version_id).graph
    verdict = judge(
        graph.node(row.node_id),
        has_error_edge=graph.has_error_edge(row.node_id),
        message=why,
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


def _says_fail(version_id: UUID, row: NodeRun) -> bool:
    try:
        return prepared(version_id).graph.node(row.node_id).on_interrupted is OnInterrupted.FAIL
    except (django.db.Error, psycopg.Error):
        raise
    except Exception:
        logger.exception("the plan of run %s cannot be read", row.execution_id)
        return False
