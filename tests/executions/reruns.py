"""Runs that are over, and what those that take over from them ran themselves."""

from __future__ import annotations

from typing import Any

from executions.core.scopes import path
from executions.models import Execution, NodeRun
from tests.executions.runs import begin, reread
from tests.factories import WorkflowVersionFactory
from tests.fakes import Messages
from tests.graphs import draw
from workflows.models import WorkflowVersion


def ended(messages: Messages, drawing: str, **more: Any) -> Execution:
    """A run of *drawing* that is over."""
    run = begin(drawing, **more)
    messages.deliver_all()
    return reread(run)


def ran(run: Execution) -> set[str]:
    """The visits that this very run made."""
    rows = NodeRun.objects.filter(execution=run, kept=False).exclude(status="cancelled")
    return {path(scope, node_id) for scope, node_id in rows.values_list("scope", "node_id")}


def newer(version: WorkflowVersion, drawing: str, **more: Any) -> WorkflowVersion:
    """The next version of the same workflow."""
    payload = draw(drawing, **{"default": "test.echo", **more})
    return WorkflowVersionFactory(workflow=version.workflow, number=version.number + 1, definition=payload)
