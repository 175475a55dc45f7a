"""What a paused run has been waiting for: answers that are stored, and moments that have come, as outcomes."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet
from django.db.models.functions import Coalesce

from executions import runner
from executions.changes import Changes
from executions.core import Outcome, RunState
from executions.core.state import WAITING
from executions.core.statuses import WaitpointStatus
from executions.models import Vote, Waitpoint
from executions.plans import Prepared
from executions.report import Ran, Visit
from executions.store import Run
from handlers import TIMEOUT_PORT, HandlerError, JSONObject, PauseKind, Resumed

EXPIRED = "waitpoint_expired"


def read_answers(run: Run, changes: Changes, *, now: datetime) -> list[Outcome]:
    """The outcomes of nodes that waited, in the order in which they came; the ends of their rows in *changes*.

    To be called in the transaction of the turn: whoever answers meanwhile is before it or after it.
    """
    if run.state is None or not run.state.is_waiting():
        return []
    outcomes: list[Outcome] = []
    for waitpoint in _news(run.id, now).select_for_update().order_by(Coalesce("closed_at", "due_at"), "id"):
        node_id, scope = str(waitpoint.node_id), waitpoint.scope
        if not _waits(run.state, run.prepared, node_id, scope):
            changes.folded_waitpoints.append((waitpoint.pk, WaitpointStatus.WITHDRAWN))
            continue
        status, ran = _come_to(run, waitpoint, now=now)
        changes.folded_waitpoints.append((waitpoint.pk, status))
        run.keep(scope, node_id, ran.recorded.output)
        changes.close(node_id, scope, ran.recorded)
        outcomes.append(ran.outcome)
    return outcomes


def are_in(execution_id: UUID, *, now: datetime) -> bool:
    """Whether there is something that `read_answers` would read."""
    return _news(execution_id, now).exists()


def _news(execution_id: UUID, now: datetime) -> QuerySet[Waitpoint]:
    is_answered, is_due = Q(status=WaitpointStatus.COMPLETED), Q(status=WaitpointStatus.OPEN, due_at__lte=now)
    return Waitpoint.objects.filter(is_answered | is_due, execution=execution_id, folded=False)


def _come_to(run: Run, waitpoint: Waitpoint, *, now: datetime) -> tuple[WaitpointStatus, Ran]:
    node_id, scope = str(waitpoint.node_id), waitpoint.scope
    visit = Visit(
        row_id=waitpoint.pk,
        execution_id=run.id,
        workspace_id=run.workspace_id,
        node_id=node_id,
        scope=scope,
        is_claimed=False,
    )
    began = waitpoint.created_at
    if waitpoint.status == WaitpointStatus.OPEN and waitpoint.kind != PauseKind.TIMER:
        if TIMEOUT_PORT in run.prepared.graph.ports(node_id):
            return WaitpointStatus.EXPIRED, runner.expired(run.prepared, visit, at=began)
        error = HandlerError(f"{node_id} was not answered in time", code=EXPIRED)
        return WaitpointStatus.EXPIRED, runner.completed(run.prepared, visit, error, at=began)
    resumed = Resumed(
        node_id=node_id,
        scope=scope,
        state=waitpoint.state,
        answer=waitpoint.answer,
        votes=_votes(waitpoint),
        paused_at=began,
        now=now,
    )
    return WaitpointStatus.COMPLETED, runner.resume(run.prepared, visit, resumed)


def _votes(waitpoint: Waitpoint) -> tuple[JSONObject, ...]:
    if waitpoint.votes_needed is None:
        return ()
    votes = Vote.objects.filter(waitpoint=waitpoint.pk).order_by("at", "pk")
    return tuple({"voter": vote.voter, "value": vote.value, "at": vote.at.isoformat()} for vote in votes)


def _waits(state: RunState, prepared: Prepared, node_id: str, scope: str) -> bool:
    if scope not in state.scopes:
        return False
    return state.scopes[scope].marks[prepared.graph.body(scope).position[node_id]] == WAITING
