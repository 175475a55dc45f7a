"""Workflows that call one another, and their runs."""

from __future__ import annotations

from typing import Any

from executions.models import Execution
from tests.executions.runs import begin
from workflows.models import WorkflowVersion


def calling(
    version: WorkflowVersion,
    drawing: str = "start -> sub -> z",
    *,
    config: Any = None,
    inputs: Any = None,
    **more: Any,
) -> Execution:
    """A run whose node `sub` starts *version*; nobody has looked at it yet."""
    nodes = {**more.pop("nodes", {})}
    told = {"workflow": str(version.workflow_id), "inputs": {"given": "{{start.x}}"}, **(config or {})}
    nodes["sub"] = {**nodes.get("sub", {}), "config": told}
    types = {"start": "trigger", "sub": "subWorkflow", "loop": "loop", "par": "parallel", **more.pop("types", {})}
    workspace = more.pop("workspace", version.workflow.workspace)
    return begin(drawing, workspace=workspace, types=types, nodes=nodes, inputs=inputs or {"x": 7}, **more)


def children_of(run: Execution) -> list[Execution]:
    return list(Execution.objects.filter(parent=run).order_by("created_at"))


def second(child: WorkflowVersion) -> dict[str, Any]:
    return {"sub2": {"config": {"workflow": str(child.workflow_id), "inputs": {"given": 2}}}}


def no() -> dict[str, Any]:
    return {"config": {"conditionType": "expression", "expression": "false"}}
