"""What a pause leaves in rows: its waitpoint, and a snapshot of the run. Written with the step that paused."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from uuid import UUID

from django.db.models import Case, F, Value, When
from django.db.models.functions import Coalesce

from executions.changes import Changes
from executions.core import NodeStatus
from executions.core.events import WAITPOINT_FIELDS
from executions.core.statuses import WaitpointStatus
from executions.faults import Fault, reach
from executions.hotpath import Visit
from executions.models import NodeRun, Snapshot, Waitpoint
from handlers import JSONObject, Pause, PauseKind
from workflows.ids import uuid7


class TokenTaken(RuntimeError):
    """Another run has come to wait for the same token in this very moment: the drive is made again, and sees it."""


def waitpoint_of(
    pause: Pause,
    visit: Visit,
    *,
    execution_id: UUID,
    workspace_id: UUID,
    at: datetime,
    token: Waitpoint | None = None,
) -> Waitpoint:
    """The row of a pause that began *at*, not stored yet.

    One that waits for a *token* made by hand is that: what its maker says of it stands, and the earlier end.
    """
    scope, node_id = visit
    due_at = pause.wakes_at if pause.kind is PauseKind.TIMER else pause.expires_at
    if token is not None:
        due_at = min((end for end in (due_at, token.due_at) if end is not None), default=None)
    return Waitpoint(
        id=uuid7() if token is None else token.pk,
        workspace_id=workspace_id,
        execution_id=execution_id,
        node_id=node_id,
        scope=scope,
        kind=pause.kind.value,
        prompt=pause.prompt if token is None or token.prompt is None else token.prompt,
        schema=pause.schema if token is None or token.schema is None else token.schema,
        form=pause.form,
        votes_needed=pause.votes.needed if pause.votes else None,
        voters=pause.votes.voters if pause.votes else None,
        key=pause.key,
        matches=pause.matches,
        state=pause.state,
        due_at=due_at,
        created_at=at,
    )


def told(waitpoint: Waitpoint) -> JSONObject:
    """What is told of a waitpoint: WAITPOINT_FIELDS."""
    due_at = None if waitpoint.due_at is None else waitpoint.due_at.isoformat()
    is_timer = waitpoint.kind == PauseKind.TIMER
    votes: JSONObject | None = None
    if waitpoint.votes_needed is not None:
        votes = {"needed": waitpoint.votes_needed, "voters": waitpoint.voters}
    values = {
        "id": str(waitpoint.pk),
        "kind": waitpoint.kind,
        "prompt": waitpoint.prompt,
        "schema": waitpoint.schema,
        "form": waitpoint.form,
        "votes": votes,
        "event": {"type": waitpoint.key, "matches": waitpoint.matches} if waitpoint.kind == PauseKind.EVENT else None,
        "since": waitpoint.created_at.isoformat(),
        "wakes_at": due_at if is_timer else None,
        "expires_at": None if is_timer else due_at,
    }
    return {name: values[name] for name in WAITPOINT_FIELDS}


def write(execution_id: UUID, changes: Changes, *, now: datetime) -> None:
    """The waitpoints of a step, in its transaction: those that open, those that are over. Raises TokenTaken."""
    made = [waitpoint for waitpoint in changes.waitpoints if not _is_attached(waitpoint)]
    Waitpoint.objects.bulk_create(made)
    for waitpoint in changes.waitpoints:
        if _is_attached(waitpoint) and not _attach(waitpoint):
            raise TokenTaken(f"token {waitpoint.pk} is waited for by another run")
    for status in WaitpointStatus:
        ids = [waitpoint_id for waitpoint_id, ended in changes.folded_waitpoints if ended is status]
        if ids:
            Waitpoint.objects.filter(pk__in=ids).update(
                folded=True,
                status=Case(When(closed_at=None, then=Value(status.value)), default=F("status")),
                closed_at=Coalesce("closed_at", now),
            )
    for scope, node_id in changes.withdrawn:
        _withdraw(execution_id, now=now, scope=scope, node_id=node_id)


def withdraw_all(execution_id: UUID, *, now: datetime) -> None:
    """The run is over: nobody is to answer any more."""
    _withdraw(execution_id, now=now)
    NodeRun.objects.filter(execution=execution_id, status=NodeStatus.WAITING).update(
        status=NodeStatus.CANCELLED, ended_at=now
    )


def snap(execution_id: UUID, version_id: UUID, *, seq: int, state: JSONObject, now: datetime) -> None:
    """Keep the state of a run that has paused."""
    snapshot = Snapshot(execution_id=execution_id, version_id=version_id, seq=seq, state=state, created_at=now)
    Snapshot.objects.bulk_create(  # the second of a run that was paused, and then paused on request, tells nothing new
        [snapshot], update_conflicts=True, unique_fields=["execution", "seq"], update_fields=["state", "created_at"]
    )
    reach(Fault.IN_SNAPSHOT)


def free_token(token: str, workspace_id: UUID) -> Waitpoint | None:
    """The token of that id, if it was made by hand and no run waits for it. It may have its answer already."""
    with suppress(ValueError):
        free = Waitpoint.objects.filter(pk=UUID(token), workspace=workspace_id, kind=PauseKind.TOKEN, execution=None)
        found: Waitpoint | None = free.filter(status__in=[WaitpointStatus.OPEN, WaitpointStatus.COMPLETED]).first()
        return found
    return None


def _is_attached(waitpoint: Waitpoint) -> bool:
    return waitpoint.kind == PauseKind.TOKEN and waitpoint.key is not None


def _attach(waitpoint: Waitpoint) -> bool:
    """Have a token that was made by hand belong to the run, which waits for it from now on. It may have its answer."""
    free = Waitpoint.objects.filter(pk=waitpoint.pk, workspace=waitpoint.workspace_id, execution=None)
    return bool(
        free.update(
            execution=waitpoint.execution_id,
            node_id=waitpoint.node_id,
            scope=waitpoint.scope,
            key=waitpoint.key,
            state=waitpoint.state,
            prompt=waitpoint.prompt,
            schema=waitpoint.schema,
            due_at=waitpoint.due_at,
            created_at=waitpoint.created_at,
        )
    )


def _withdraw(execution_id: UUID, *, now: datetime, **visit: str) -> None:
    Waitpoint.objects.filter(execution=execution_id, folded=False, **visit).update(folded=True)
    Waitpoint.objects.filter(execution=execution_id, status=WaitpointStatus.OPEN, **visit).update(
        status=WaitpointStatus.WITHDRAWN, closed_at=now
    )
