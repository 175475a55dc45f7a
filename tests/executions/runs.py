"""Runs on the real engine: drawn as text, started as the API does, read back from their rows."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from executions import blobs, node_states, run_outputs
from executions.core import EventType
from executions.core.scopes import path
from executions.models import Event, Execution, ExecutionState, NodeRun
from executions.services import start_execution
from handlers import JSONObject
from tests.factories import WorkflowVersionFactory
from tests.graphs import draw
from workflows.models import WorkflowVersion, Workspace


def publish(drawing: str, *, workspace: Workspace | None = None, **more: Any) -> WorkflowVersion:
    """A version of *drawing*, as `tests.graphs.draw` reads it; what its name says nothing of is a `test.echo`."""
    payload = draw(drawing, **{"default": "test.echo", **more})
    for node in payload["nodes"].values():
        if node["type"] == "setVariable" and node["config"].keys() & {"increment", "append"}:
            del node["config"]["value"]  # drawn for those that say nothing
    owned = {} if workspace is None else {"workflow__workspace": workspace}
    return WorkflowVersionFactory(workflow__definition=payload, **owned)


def begin(drawing: str, *, inputs: JSONObject | None = None, **more: Any) -> Execution:
    """A run of *drawing* that is stored and asked for; nobody has looked at it yet."""
    return start_execution(publish(drawing, **more), inputs=inputs or {})


def reread(run: Execution | UUID) -> Execution:
    return Execution.objects.get(pk=getattr(run, "pk", run))


def statuses(run: Execution) -> dict[str, str]:
    """Node id → status, as people are shown it."""
    return {state.node_id: state.status.value for state in node_states.node_states(reread(run))}


def outputs(run: Execution) -> dict[str, Any]:
    """Node id → output, of the nodes that have a row; wherever it is stored."""
    rows = NodeRun.objects.filter(execution=run).only("node_id", "output", "output_ref")
    return {row.node_id: json.loads(_blob(row)) if row.output_ref else row.output for row in rows}


def _blob(row: NodeRun) -> str:
    return blobs.get(blobs.load_blob(row.output_ref))


def returned(run: Execution) -> JSONObject | None:
    """The outputs of the run, wherever they are stored."""
    return run_outputs.read(reread(run))


def row(run: Execution, node_id: str) -> NodeRun:
    return NodeRun.objects.get(execution=run, node_id=node_id)


def visit(run: Execution, name: str) -> NodeRun:
    """The row of a visit, named as people name it: `loop[1]/a`."""
    scope, _, node_id = name.rpartition("/")
    return NodeRun.objects.get(execution=run, node_id=node_id, scope=scope)


def visited(run: Execution) -> dict[str, str]:
    """Visit → status, of those that have a row, as they came."""
    rows = NodeRun.objects.filter(execution=run).order_by("ready_at", "id")
    return {path(row.scope, row.node_id): row.status for row in rows.only("scope", "node_id", "status")}


def saves(run: Execution) -> int:
    """How many times the state of the run was written: each is one statement, and one commit outside of a turn."""
    return ExecutionState.objects.get(pk=run.pk).ver


def story(run: Execution) -> list[str]:
    """What was told of the run, in order: `completed a`, `started b`, `execution:completed`."""
    told = Event.objects.filter(execution=run).order_by("seq").values_list("type", "node_id")
    return [kind if node is None else f"{kind.removeprefix('node:')} {node}" for kind, node in told]


def numbers(run: Execution) -> list[int]:
    return list(Event.objects.filter(execution=run).order_by("seq").values_list("seq", flat=True))


def end_of(run: Execution) -> EventType:
    """The type of the last event."""
    return EventType(Event.objects.filter(execution=run).order_by("-seq").values_list("type", flat=True)[0])


def nested(levels: int) -> Any:
    """Lists in lists, so many deep."""
    value: Any = []
    for _ in range(levels - 1):
        value = [value]
    return value
