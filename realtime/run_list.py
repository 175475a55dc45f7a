"""Runs as a list of them shows each: a row in a few words and figures, read for many at once."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db.models import QuerySet

from executions.core import RunState, RunStatus
from executions.core.scopes import TOP
from executions.core.state import OUT, STATUS, WAITING
from executions.models import Execution
from executions.plans import prepared
from executions.waited_for import state_of
from handlers import JSONObject
from realtime.rows import in_thread
from workflows.models import Workspace

NEWEST: Final = 100  # runs of a workspace that who comes is told of; the API's list has those before them

_SHOWN: Final = (
    "workspace_id", "workflow__name", "version__number", "status", "trigger", "entry", "until_node", "tags",
    "parent_id", "parent_node", "parent_scope", "rerun_of_id", "error", "created_at", "started_at", "ended_at",
    "state__seq", "state__state",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One run as a list shows it."""

    id: UUID
    seq: int  # of the newest event: what is shown is as of then
    created_at: datetime
    shown: JSONObject


@in_thread
def newest(workspace_id: UUID) -> list[Listed]:
    """The newest runs of a workspace, newest first."""
    runs = Execution.objects.of(workspace_id).order_by("-created_at", "-pk")[:NEWEST]
    return [_listed(run) for run in _read(runs)]


@in_thread
def these(workspace_id: UUID, execution_ids: Collection[UUID]) -> list[Listed]:
    """The runs of the workspace with these ids; those that are not there are left out."""
    return [_listed(run) for run in _read(Execution.objects.of(workspace_id).filter(pk__in=list(execution_ids)))]


@in_thread
def numbers(workspace_id: UUID, execution_ids: Collection[UUID]) -> Mapping[UUID, int]:
    """The number of the newest event of these runs and of the newest ones; of those that are there."""
    mine = Execution.objects.of(workspace_id)
    newest = mine.order_by("-created_at", "-pk").values_list("pk", "state__seq")[:NEWEST]
    return dict(newest) | dict(mine.filter(pk__in=list(execution_ids)).values_list("pk", "state__seq"))


@in_thread
def existing(workspace_ids: Collection[UUID]) -> Mapping[UUID, int]:
    """Those of these workspaces that are there. They have no number of their own: 0."""
    return dict.fromkeys(Workspace.objects.filter(pk__in=list(workspace_ids)).values_list("pk", flat=True), 0)


def _read(runs: QuerySet[Execution]) -> QuerySet[Execution]:
    return runs.select_related("workflow", "version", "state").only(*_SHOWN)


def _listed(run: Execution) -> Listed:
    state = state_of(run)
    is_paused = state is not None and run.status == RunStatus.PAUSED
    shown: JSONObject = {
        "id": str(run.pk),
        "seq": run.state.seq,
        "workflow_id": str(run.workflow_id),
        "workflow_name": run.workflow.name,
        "version": run.version.number,
        "status": run.status,
        "trigger": run.trigger,
        "tags": list(run.tags),
        "parent": _parent(run),
        "rerun_of": None if run.rerun_of_id is None else str(run.rerun_of_id),
        "pause": {"reason": str(state.pause_reason), "since": _text(state.paused_at)} if state and is_paused else None,
        "waiting": 0 if state is None else sum(scope.marks.count(WAITING) for scope in state.scopes.values()),
        "progress": _progress(run, state),
        "error": run.error,
        "created_at": _text(run.created_at),
        "started_at": _text(run.started_at),
        "completed_at": _text(run.ended_at),
        "duration_ms": _duration(run),
    }
    return Listed(id=run.pk, seq=run.state.seq, created_at=run.created_at, shown=shown)


def _progress(run: Execution, state: RunState | None) -> JSONObject:
    """Of the top level, which the state has at hand: nodes in bodies are left to whoever opens the run."""
    if state is None:
        total = len(prepared(run.version_id).graph.members(run.entry, run.until_node))
        through = 0
    else:
        marks = [mark for mark in state.scopes[TOP].marks if mark != OUT]
        total, through = len(marks), sum(STATUS[mark].is_final for mark in marks)
    return {"completed": total if RunStatus(run.status).is_final else through, "total": total}


def _parent(run: Execution) -> JSONObject | None:
    if run.parent_id is None:
        return None
    return {"execution_id": str(run.parent_id), "node_id": run.parent_node, "scope": run.parent_scope}


def _duration(run: Execution) -> int | None:
    if run.started_at is None or run.ended_at is None:
        return None
    return round((run.ended_at - run.started_at).total_seconds() * 1000)


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
