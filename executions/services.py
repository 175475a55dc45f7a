"""What people and other services may do to runs. One verb, one transaction; messages leave after it."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from executions import dispatch, store
from executions.changes import Changes
from executions.core import NotCancellable, Respond, RunStatus, cancel, start
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
        state = run.state or start(run.prepared.graph, entry=run.entry, until=run.until, now=now).state
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


def after_end(run: store.Run) -> None:
    """A run is over: its parent is told, and what it started itself is not wanted any more. The sweep does so, too."""
    if run.parent_id is not None:
        dispatch.drive(run.parent_id)
    if run.prepared.graph.has_children:
        for child in Execution.objects.filter(parent=run.id, status__in=_LIVE).values_list("pk", flat=True):
            cancel_orphan(child)


def cancel_orphan(execution_id: UUID) -> None:
    """Cancel a run whose parent is over, unless it is over itself by now."""
    try:
        cancel_execution(execution_id, reason="The run that started it is over")
    except NotCancellable:
        return


__all__ = [
    "BadEntry",
    "BadUntil",
    "NotCancellable",
    "RunStatus",
    "after_end",
    "cancel_execution",
    "cancel_orphan",
    "start_execution",
]
