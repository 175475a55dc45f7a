"""Runs that are over are thrown away, with everything that is stored of them."""

from __future__ import annotations

from functools import partial
from uuid import UUID

from django.db import transaction

from executions import blobs
from executions.core import NotDeletable, RunStatus
from executions.models import Execution


def delete_execution(execution_id: UUID) -> None:
    """Remove a run, and those that it started: rows, events, outputs. Those that took over from it stay as they are.

    Raises NotDeletable while one of them is not over, or the run that waits for it; BlobsAway, with nothing removed;
    Execution.DoesNotExist when there is none.
    """
    with transaction.atomic():
        workspace_id, parent_id = Execution.objects.values_list("workspace_id", "parent_id").get(pk=execution_id)
        family = _family(execution_id)
        # A retry that copies from one of them has its row, and is waited for.
        rows = Execution.objects.filter(pk__in=family).order_by("pk").select_for_update()
        statuses = [status for _, status in rows.values_list("pk", "status")]
        statuses += Execution.objects.filter(pk=parent_id).values_list("status", flat=True)
        for status in statuses:
            if not RunStatus(status).is_final:
                raise NotDeletable(status)
        for member in family:
            # Asked for before the rows are gone: without them, nobody would find what lies there.
            if blobs.keys_of(workspace_id, member):
                transaction.on_commit(partial(blobs.delete_of, workspace_id, member), robust=True)
        Execution.objects.filter(pk__in=family).delete()


def _family(execution_id: UUID) -> list[UUID]:
    """The run and those within it. One query for each level."""
    family = level = [execution_id]
    while level:
        level = list(Execution.objects.filter(parent__in=level).values_list("pk", flat=True))
        family = family + level
    return family
