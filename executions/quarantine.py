"""A run whose drive keeps raising is taken out of circulation, with its state as it is, for operators to look at."""

from __future__ import annotations

import logging
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from executions import pauses, store
from executions.core import EventType, RunEvent, RunStatus
from executions.core.failure import INTERNAL_ERROR
from executions.models import Event, Execution, ExecutionState
from handlers import JSONObject

logger = logging.getLogger(__name__)

MOST_FAILURES: Final = 3  # drives that raise, one after the other


def note_failure(execution_id: UUID) -> None:
    """Count a drive that raised; at the third the run fails with `internal_error`."""
    now = timezone.now()
    with transaction.atomic():
        state = ExecutionState.objects.select_for_update(no_key=True).get(pk=execution_id)
        run = Execution.objects.select_for_update(no_key=True).get(pk=execution_id)
        if RunStatus(run.status).is_final:
            return
        run.drive_failures += 1
        if run.drive_failures < MOST_FAILURES:
            run.save(update_fields=["drive_failures"])
            return
        error: JSONObject = {
            "message": "The engine could not go on with this run; its state is kept. See the log of the workers.",
            "code": INTERNAL_ERROR,
            "node_id": None,
        }
        run.status, run.error, run.ended_at = RunStatus.FAILED.value, error, now
        run.save(update_fields=["status", "error", "ended_at", "drive_failures"])
        since = run.started_at or run.created_at
        told = RunEvent(
            type=EventType.EXECUTION_FAILED,
            at=now,
            data={"error": error, "duration_ms": round((now - since).total_seconds() * 1000)},
        )
        Event.objects.create(execution=run, seq=state.seq + 1, type=told.type, data=told.data, at=now)
        ExecutionState.objects.filter(pk=execution_id).update(ver=F("ver") + 1, seq=state.seq + 1)
        store.cancel_nodes(execution_id, now=now)
        pauses.withdraw_all(execution_id, now=now)
        transaction.on_commit(lambda: store.announce(execution_id, run.workspace_id, state.seq, told))
    logger.error("run %s is quarantined after %d drives that raised", execution_id, MOST_FAILURES)
