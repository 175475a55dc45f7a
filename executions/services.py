"""What people and other services may do to runs. One verb, one transaction; messages leave after it."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from executions import dispatch, hotpath, store
from executions.core import EventType, NotCancellable, RunEvent, RunStatus, cancel, start
from executions.models import Execution
from executions.plans import prepared
from handlers import JSONObject
from workflows.ids import uuid7
from workflows.models import User, WorkflowVersion


class BadEntry(ValueError):
    """The run was to start at a node that is not a root of its workflow."""

    def __init__(self, entry: str, roots: Sequence[str]) -> None:
        super().__init__(f"{entry!r} is not a node a run can start from; this workflow has: {', '.join(roots)}")
        self.entry, self.roots = entry, tuple(roots)


def start_execution(
    version: WorkflowVersion,
    *,
    inputs: JSONObject,
    trigger: str = "api",
    tags: Sequence[str] = (),
    entry: str | None = None,
    started_by: User | None = None,
) -> Execution:
    """Store a run of *version* and ask a worker to drive it. It is stored when this returns, whatever dies next.

    *entry* is the root it starts from (the trigger that fired); None: the workflow's own. Raises BadEntry.
    """
    graph = prepared(version.pk).graph
    roots = [node.id for node, into in zip(graph.plan.nodes, graph.into, strict=True) if not into]
    if entry is not None and entry not in roots:
        raise BadEntry(entry, roots)
    now = timezone.now()
    workflow = version.workflow
    execution = Execution(
        id=uuid7(),
        workspace_id=workflow.workspace_id,
        workflow=workflow,
        version=version,
        trigger=trigger,
        tags=list(tags),
        inputs=inputs,
        entry=entry or graph.plan.entry,
        started_by=started_by,
        created_at=now,
    )
    told = RunEvent(
        type=EventType.EXECUTION_STARTED,
        at=now,
        data={
            "workflow_id": str(workflow.pk),
            "workflow_name": workflow.name,
            "total_nodes": len(graph.members(execution.entry)),
        },
    )
    hotpath.create(execution, told)
    execution._state.adding = False  # noqa: SLF001 -- it is stored, if not by save()
    # Robust: what a listener does with the news must not keep the message from being sent.
    transaction.on_commit(lambda: store.announce(execution.pk, execution.workspace_id, 0, told), robust=True)
    transaction.on_commit(lambda: dispatch.drive(execution.pk), robust=True)
    return execution


def cancel_execution(execution_id: UUID, *, reason: str = "Cancelled by user") -> None:
    """End a run now, whatever it is doing; outputs so far are kept. What runs is called off within a second.

    Raises NotCancellable when it is over already, Execution.DoesNotExist when there is none.
    """
    now = timezone.now()
    with transaction.atomic():
        run = store.take(execution_id, wait=True)
        if run is None:
            raise NotCancellable(Execution.objects.values_list("status", flat=True).get(pk=execution_id))
        state = run.state or start(run.prepared.graph, entry=run.entry, now=now).state
        outcomes, rows = store.read_inbox(run)
        step = cancel(run.prepared.graph, state, outcomes, reason=reason, now=now)
        _, news = store.write(run, step, now=now, folded=rows, events=step.events)
        store.cancel_nodes(execution_id, now=now)
        if news:
            transaction.on_commit(news.send, robust=True)


__all__ = ["BadEntry", "NotCancellable", "RunStatus", "cancel_execution", "start_execution"]
