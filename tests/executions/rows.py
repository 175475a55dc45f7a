"""Runs as rows, which no engine has seen."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from executions import blobs
from executions.core import NodeStatus, Parts, RunStatus
from executions.models import Execution
from tests.factories import ExecutionFactory, NodeRunFactory, WorkflowFactory, WorkflowVersionFactory
from workflows.fields import dumps

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


def run_of(workspace: Any, *, name: str | None = None, **fields: Any) -> Execution:
    """*name*: of its workflow."""
    named = {} if name is None else {"name": name}
    version = WorkflowVersionFactory(workflow=WorkflowFactory(workspace=workspace, **named))
    return ExecutionFactory(version=version, **fields)


def large_run(workspace: Any) -> Execution:
    """A run that is over, with one output of 300,000 characters, in blob storage."""
    run = run_of(workspace, **over(RunStatus.COMPLETED))
    blob = blobs.put(dumps("x" * 299_998), workspace_id=run.workspace_id, execution_id=run.pk)
    NodeRunFactory(execution=run, status=NodeStatus.COMPLETED, output_ref=blob.dump())
    parts = Parts(nodes=("start",), named=False, characters=300_000, bytes=300_000)
    Execution.objects.filter(pk=run.pk).update(outputs_ref=parts.dump())
    return run


def over(status: RunStatus, **fields: Any) -> dict[str, Any]:
    return {"status": status, "started_at": NOON, "ended_at": NOON + timedelta(milliseconds=1500), **fields}
