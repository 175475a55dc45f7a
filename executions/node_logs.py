"""What each node of a run was given and gave back: `node_states` with the bulk that lists of states leave out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from executions import blobs
from executions.core import NodeStatus
from executions.models import Execution, NodeRun
from executions.node_states import NodeState
from handlers import JSONObject, JSONValue

_COLUMNS: Final = (
    "node_id", "scope", "status", "ready_at", "due_at", "history", "input", "output", "output_ref", "logs",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    at: str  # ISO 8601
    level: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeLog:
    """One visit of a node with all that is known of it."""

    state: NodeState
    ready_at: datetime | None = None
    due_at: datetime | None = None  # while it waits for its next attempt: when that is
    attempts: tuple[JSONObject, ...] = ()  # those before this one: {"attempt", "started_at", "ended_at", "error"}
    input: JSONObject | None = None  # configuration as resolved; long texts are cut and say so
    output: JSONValue = None
    output_omitted: int | None = None  # characters of an output that is not here for its size
    logs: tuple[LogLine, ...] = ()


def node_logs(execution: Execution, states: Sequence[NodeState], *, whole: bool = False) -> list[NodeLog]:
    """The logs of *states*, in their order. One query, for these nodes only.

    Outputs in blob storage are fetched when they are asked for *whole*, which may raise BlobError; otherwise their size
    is told.
    """
    rows = NodeRun.objects.filter(
        execution=execution,
        node_id__in={state.node_id for state in states},
        scope__in={state.scope for state in states},
    )
    found = {(row.node_id, row.scope): row for row in rows.only(*_COLUMNS)}
    return [_log(state, found.get((state.node_id, state.scope)), whole=whole) for state in states]


def _log(state: NodeState, row: NodeRun | None, *, whole: bool) -> NodeLog:
    if row is None:
        return NodeLog(state=state)
    blob = None if row.output_ref is None else blobs.load_blob(row.output_ref)
    return NodeLog(
        state=state,
        ready_at=row.ready_at,
        due_at=row.due_at if row.status == NodeStatus.READY else None,
        attempts=tuple(row.history or ()),
        input=row.input,
        output=json.loads(blobs.get(blob)) if blob and whole else row.output,
        output_omitted=blob.characters if blob and not whole else None,
        logs=tuple(LogLine(at=at, level=level, message=message) for at, level, message in row.logs or ()),
    )
