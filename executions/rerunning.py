"""A run that is over is begun again: where it broke off, or at a node. One verb, one transaction.

Of a run that is over, nothing changes any more. That it is over is read first, in a statement of its own; what is read
after that was committed with its end, or before. So the only lock is one that keeps it from being deleted meanwhile. It
is no lock upon its state: who has that is left the outcomes of a run by its drive, and would have to do something with
them.
"""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from executions import kept
from executions.core import (
    BadVersion,
    EndedRun,
    NextRun,
    NothingFailed,
    NotOverYet,
    RunStatus,
    kept_by_rerun,
    kept_by_retry,
    load_state,
)
from executions.core.scopes import TOP
from executions.models import Execution, ExecutionState
from executions.plans import prepared
from executions.starting import BadEntry, BadUntil, Before, check_ends, create
from handlers import JSONObject
from workflows.models import User, WorkflowVersion


def retry_execution(
    execution_id: UUID,
    *,
    inputs: JSONObject | None = None,
    version: WorkflowVersion | None = None,
    started_by: User | None = None,
) -> Execution:
    """Start a run that keeps what completed in this one, and runs what failed, was cancelled or was not come to.

    *inputs* replace those of the same names. *version* is of the same workflow; None: the one that ran. Raises
    NotOverYet, NothingFailed, BadVersion, BlobError, and Execution.DoesNotExist when there is none.
    """
    with transaction.atomic():
        before = _over(execution_id)
        if before.status == RunStatus.COMPLETED:
            raise NothingFailed
        version = version or before.version
        try:
            ahead = _ahead(before, version, until=before.until_node)
        except BadUntil as error:
            raise BadVersion(error.until, "is not a node a run can stop after in that version") from error
        nodes = kept_by_retry(_ended(before), ahead, now=timezone.now())
        return _begin(
            before, version, nodes, trigger="retry", until=before.until_node, inputs=inputs, started_by=started_by
        )


def rerun_execution(
    execution_id: UUID,
    *,
    from_node: str | None = None,
    until: str | None = None,
    inputs: JSONObject | None = None,
    version: WorkflowVersion | None = None,
    started_by: User | None = None,
) -> Execution:
    """Start a run that keeps what is not downstream of *from_node* in this one; None: it keeps nothing.

    It goes no further than *until*, wherever this one stopped. The rest is as in `retry_execution`. Raises NotOverYet,
    BadStart, BadUntil, BadVersion, BlobError, and Execution.DoesNotExist when there is none.
    """
    with transaction.atomic():
        before = _over(execution_id)
        version = version or before.version
        ahead, nodes = _ahead(before, version, until=until), set[str]()
        if from_node is not None:
            nodes |= kept_by_rerun(_ended(before), ahead, from_node=from_node, now=timezone.now()).keys()
        return _begin(
            before,
            version,
            nodes,
            trigger="rerun",
            from_node=from_node,
            until=until,
            inputs=inputs,
            started_by=started_by,
        )


def _over(execution_id: UUID) -> Execution:
    """The run, once it is over; it stays until this transaction is. Raises NotOverYet."""
    with connection.cursor() as cursor:  # beside it, drives lock and write as they like
        cursor.execute("SELECT FROM executions_execution WHERE id = %s FOR KEY SHARE", [execution_id])
    runs = Execution.objects.select_related("version__workflow")
    run: Execution = runs.defer("version__definition", "version__plan", "version__workflow__definition").get(
        pk=execution_id
    )
    if not RunStatus(run.status).is_final:
        raise NotOverYet(run.status)
    return run


def _ended(before: Execution) -> EndedRun:
    state = ExecutionState.objects.values_list("state", flat=True).get(pk=before.pk)
    top = None if state is None else load_state(state).scopes[TOP]
    return EndedRun(graph=prepared(before.version_id).graph, top=top)


def _ahead(before: Execution, version: WorkflowVersion, *, until: str | None) -> NextRun:
    """It begins at the same root. Raises BadVersion when there is none of that name, BadUntil."""
    graph = prepared(version.pk).graph
    try:
        check_ends(graph, before.entry, until)
    except BadEntry as error:
        raise BadVersion(error.entry, "is not a node a run can start from in that version") from error
    return NextRun(graph=graph, entry=before.entry, until=until)


def _begin(
    before: Execution,
    version: WorkflowVersion,
    nodes: Collection[str],
    *,
    trigger: str,
    until: str | None,
    inputs: JSONObject | None,
    started_by: User | None,
    from_node: str | None = None,
) -> Execution:
    run = create(
        version,
        inputs={**before.inputs, **(inputs or {})},
        trigger=trigger,
        tags=before.tags,
        entry=before.entry,
        until=until,
        started_by=started_by,
        before=Before(id=before.pk, from_node=from_node, replayed=kept.writes_of(before, nodes) if nodes else None),
    )
    if nodes:
        kept.copy_rows(before, run, nodes)
    return run
