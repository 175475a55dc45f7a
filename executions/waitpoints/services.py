"""What people and other services may do to waitpoints. An answer is stored before it is confirmed."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from executions import dispatch
from executions.core.statuses import RunStatus, WaitpointStatus
from executions.faults import Fault, reach
from executions.models import Execution, Vote, Waitpoint
from executions.services import NotHeld, unpause_execution
from executions.waitpoints import naming
from executions.waitpoints.errors import (
    NOT_OPEN,
    NoSuchWaitpoint,
    RunEnded,
    Unfit,
    VotedAlready,
    WaitpointNeeded,
    WrongKind,
)
from handlers import JSONObject, JSONValue, PauseKind
from handlers.answers import check_answer, decided

_HUMAN: Final = (PauseKind.HUMAN,)


def create_token(
    workspace_id: UUID, *, prompt: str | None = None, schema: JSONObject | None = None, lasts: timedelta | None = None
) -> Waitpoint:
    """A token that no run waits for yet. It may be completed before one does. *lasts* None: for ever."""
    now = timezone.now()
    return Waitpoint.objects.create(
        workspace_id=workspace_id,
        kind=PauseKind.TOKEN,
        prompt=prompt,
        schema=schema,
        due_at=None if lasts is None else now + lasts,
        created_at=now,
    )


def answer_in(
    execution: Execution, value: JSONValue, *, by: str, waitpoint_id: UUID | None = None, node_id: str | None = None
) -> Waitpoint:
    """Answer what people are asked in *execution* or a run within it. Without a name it is the only question.

    Raises NoSuchWaitpoint, WaitpointNeeded, and as `answer`.
    """
    waitpoint = _find(execution, waitpoint_id, node_id)
    if RunStatus(execution.status).is_final:
        raise RunEnded(waitpoint)
    return answer(waitpoint.pk, value, by=by, kinds=_HUMAN)


def go_on(execution: Execution) -> None:
    """Let a run go on that was paused on request. Raises NotHeld; WaitpointNeeded where it waits for answers."""
    try:
        unpause_execution(execution.pk)
    except NotHeld:
        asked = naming.open_in(execution, kind=PauseKind.HUMAN)
        if asked:
            raise WaitpointNeeded(asked) from None
        raise


def answer(waitpoint_id: UUID, value: JSONValue, *, by: str, kinds: Collection[PauseKind]) -> Waitpoint:
    """Answer a waitpoint of one of *kinds*, once: of several that come at the same moment, one does.

    Where several people decide, it is *by*'s vote, and closes the waitpoint when it decides. Raises NotOpen, WrongKind,
    Unfit, VotedAlready, Waitpoint.DoesNotExist.
    """
    waitpoint: Waitpoint = Waitpoint.objects.get(pk=waitpoint_id)
    judge(waitpoint, kinds=kinds)
    if wrong := _wrong(waitpoint, value):  # before the lock: what was asked does not change, and to check it takes time
        raise Unfit(wrong)
    with transaction.atomic():
        waitpoint = take(waitpoint_id, kinds=kinds)
        outcome = value if waitpoint.votes_needed is None else _vote(waitpoint, value, by=by)
        if waitpoint.votes_needed is None or outcome is not None:
            close(waitpoint, outcome, by=by, now=timezone.now())
    return waitpoint


def take(waitpoint_id: UUID, *, kinds: Collection[PauseKind]) -> Waitpoint:
    """An open waitpoint, locked for this transaction. Raises NotOpen, WrongKind, Waitpoint.DoesNotExist."""
    waitpoint: Waitpoint = Waitpoint.objects.select_for_update(of=("self",)).get(pk=waitpoint_id)
    judge(waitpoint, kinds=kinds)
    return waitpoint


def judge(waitpoint: Waitpoint, *, kinds: Collection[PauseKind]) -> None:
    """Raises NotOpen, WrongKind for what takes no answer, or none from those who answer *kinds*."""
    if _run_is_over(waitpoint):
        raise RunEnded(waitpoint)
    if waitpoint.kind not in kinds:
        raise WrongKind(waitpoint)
    status = status_now(waitpoint)
    if status is not WaitpointStatus.OPEN:
        waitpoint.status = status.value
        raise NOT_OPEN[status](waitpoint)


def status_now(waitpoint: Waitpoint) -> WaitpointStatus:
    """Its status, also where its time has just come and nobody has written it down."""
    status = WaitpointStatus(waitpoint.status)
    is_late = waitpoint.due_at is not None and waitpoint.due_at <= timezone.now()
    return WaitpointStatus.EXPIRED if status is WaitpointStatus.OPEN and is_late else status


def has_voted(waitpoint: Waitpoint, voter: str) -> bool:
    return Vote.objects.filter(waitpoint=waitpoint, voter=voter).exists()


def close(waitpoint: Waitpoint, value: JSONValue, *, by: str, now: datetime) -> None:
    """Store the answer to a waitpoint that is ours, and have its run go on once that is committed."""
    waitpoint.status, waitpoint.closed_at = WaitpointStatus.COMPLETED.value, now
    waitpoint.answer, waitpoint.answered_by = value, by
    waitpoint.save(update_fields=["status", "closed_at", "answer", "answered_by"])
    execution_id = waitpoint.execution_id
    if execution_id is not None:
        transaction.on_commit(lambda: _have_it_go_on(execution_id), robust=True)


def _have_it_go_on(execution_id: UUID) -> None:
    reach(Fault.IN_RESUME)
    dispatch.drive(execution_id)


def _find(execution: Execution, waitpoint_id: UUID | None, node_id: str | None) -> Waitpoint:
    if waitpoint_id is not None:
        if (waitpoint := naming.by_id(execution, waitpoint_id)) is None:
            raise NoSuchWaitpoint(waitpoint_id)
        return waitpoint
    if node_id is None:
        return _only(naming.open_in(execution, kind=PauseKind.HUMAN))
    if (waitpoint := naming.by_path(execution, node_id)) is not None:
        return waitpoint
    if asked := naming.open_in(execution, node_id=node_id):
        return _only(asked)
    if (waitpoint := naming.last_of(execution, node_id)) is None:
        raise NoSuchWaitpoint(node_id)
    return waitpoint


def _only(asked: list[naming.Named]) -> Waitpoint:
    if len(asked) != 1:
        raise WaitpointNeeded(asked)
    return asked[0].waitpoint


def _run_is_over(waitpoint: Waitpoint) -> bool:
    if waitpoint.execution_id is None:
        return False
    return RunStatus(Execution.objects.values_list("status", flat=True).get(pk=waitpoint.execution_id)).is_final


def _wrong(waitpoint: Waitpoint, value: JSONValue) -> list[str]:
    if waitpoint.votes_needed is not None and not isinstance(value, bool):
        return ["A vote is true or false."]
    return check_answer(waitpoint.schema, value)


def _vote(waitpoint: Waitpoint, value: JSONValue, *, by: str) -> bool | None:
    """What is decided with this vote; None: nothing yet. The waitpoint is ours, so nobody votes meanwhile."""
    votes = dict(Vote.objects.filter(waitpoint=waitpoint).values_list("voter", "value"))
    if by in votes:
        raise VotedAlready(by)
    votes[by] = value is True
    Vote.objects.create(waitpoint=waitpoint, voter=by, value=votes[by], at=timezone.now())
    return decided(waitpoint.votes_needed or 0, waitpoint.voters or 0, [*votes.values()])
