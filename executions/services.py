"""What people and other services may do to runs. One verb, one transaction; messages leave after it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from executions import dispatch, hotpath, kept, store
from executions.changes import Changes
from executions.core import (
    NotCancellable,
    NotHeld,
    NotPausable,
    Respond,
    RunStatus,
    Step,
    cancel,
    hold,
    release,
)
from executions.models import Execution
from executions.starting import BadEntry, BadUntil, create
from handlers import JSONObject
from workflows.models import User, WorkflowVersion

_LIVE = [status.value for status in RunStatus if not status.is_final]


def start_execution(
    version: WorkflowVersion,
    *,
    inputs: JSONObject,
    trigger: str = "api",
    tags: Sequence[str] = (),
    entry: str | None = None,
    until: str | None = None,
    started_by: User | None = None,
) -> Execution:
    """Start a run of *version*: see `starting.create`, which says what it raises."""
    return create(version, inputs=inputs, trigger=trigger, tags=tags, entry=entry, until=until, started_by=started_by)


def cancel_execution(execution_id: UUID, *, reason: str = "Cancelled by user") -> None:
    """End a run now, whatever it is doing; outputs so far are kept. What runs is called off within a second.

    Raises NotCancellable when it is over already, Execution.DoesNotExist when there is none.
    """
    now = timezone.now()
    with transaction.atomic():
        run = store.take(execution_id, wait=True)
        if run is None:
            raise NotCancellable(Execution.objects.values_list("status", flat=True).get(pk=execution_id))
        state = run.state or kept.begin(run, now=now).state
        outcomes, rows = store.read_inbox(run, now=now)
        step = cancel(run.prepared.graph, state, outcomes, reason=reason, now=now)
        changes = Changes(events=list(step.events))
        for command in step.commands:  # of what the last outcomes asked for, the answer is the only thing still wanted
            if isinstance(command, Respond):
                changes.response = store.answer(run, command)
        _, news = store.write(run, step, changes, now=now, folded=rows)
        if news:
            transaction.on_commit(news.send, robust=True)
        transaction.on_commit(lambda: after_end(run), robust=True)


def pause_execution(execution_id: UUID) -> None:
    """Start nothing new in a run, nor in those that it started: what is out finishes, and then it is paused.

    Raises NotPausable when it is over, Execution.DoesNotExist when there is none.
    """
    _turn(execution_id, _hold, refused=NotPausable)
    for child in _live_children(execution_id):
        with suppress(NotPausable):
            pause_execution(child)


def unpause_execution(execution_id: UUID) -> None:
    """Let a run go on that was paused on request, and those that it started. Raises NotHeld."""
    _turn(execution_id, _release, refused=NotHeld)
    for child in _live_children(execution_id):
        with suppress(NotHeld):
            unpause_execution(child)


def _hold(run: store.Run, now: datetime) -> Step:
    graph = run.prepared.graph
    if run.state is None:
        return kept.begin(run, held=True, now=now)
    return hold(graph, run.state, now=now)


def _release(run: store.Run, now: datetime) -> Step:
    if run.state is None:
        raise NotHeld(RunStatus.PENDING)
    return release(run.prepared.graph, run.state, now=now)


def _turn(
    execution_id: UUID, step_of: Callable[[store.Run, datetime], Step], *, refused: type[NotPausable | NotHeld]
) -> None:
    now = timezone.now()
    with transaction.atomic():
        run = store.take(execution_id, wait=True)
        if run is None:
            raise refused(Execution.objects.values_list("status", flat=True).get(pk=execution_id))
        step = step_of(run, now)
        _, news = store.write(run, step, Changes(events=list(step.events)), now=now)
        if news:
            transaction.on_commit(news.send, robust=True)
        for after in (execution_id, run.parent_id):
            if after is not None:
                transaction.on_commit(partial(dispatch.drive, after), robust=True)


def _live_children(execution_id: UUID) -> list[UUID]:
    return list(Execution.objects.filter(parent=execution_id, status__in=_LIVE).values_list("pk", flat=True))


def cancel_children(execution_id: UUID, visits: Collection[hotpath.Visit]) -> None:
    """Cancel what these visits of a run started: their scope was stopped."""
    children = Execution.objects.filter(parent=execution_id, status__in=_LIVE)
    for child, node_id, scope in children.values_list("pk", "parent_node", "parent_scope"):
        if (scope, node_id) in visits:
            cancel_orphan(child)


def after_end(run: store.Run) -> None:
    """A run is over: its parent is told, and what it started itself is not wanted any more. The sweep does so, too."""
    if run.parent_id is not None:
        dispatch.drive(run.parent_id)
    if run.prepared.graph.has_children:
        for child in _live_children(run.id):
            cancel_orphan(child)


def cancel_orphan(execution_id: UUID) -> None:
    """Cancel a run whose parent is over, or does not wait for it any more, unless it is over itself by now."""
    try:
        cancel_execution(execution_id, reason="The run that started it is over")
    except NotCancellable:
        return


__all__ = [
    "BadEntry",
    "BadUntil",
    "NotCancellable",
    "NotHeld",
    "NotPausable",
    "RunStatus",
    "after_end",
    "cancel_children",
    "cancel_execution",
    "cancel_orphan",
    "pause_execution",
    "start_execution",
    "unpause_execution",
]
