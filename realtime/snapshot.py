"""The first frame of a socket: where the run stands, as of one number."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction

from executions.core import NodeStatus, RunStatus
from executions.metadata import entries_of
from executions.models import Execution
from executions.node_states import NodeState, node_states
from handlers import JSONObject, JSONValue
from realtime import rows
from realtime.core import wire
from realtime.pauses import Pauses, pauses_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    run: rows.Run
    nodes: tuple[JSONObject, ...]
    pauses: Pauses
    entries: tuple[tuple[str, JSONValue, int], ...]  # what nodes have said about the run: key, value, how often
    streaming: tuple[str, ...]  # token streams that nodes under way may have

    def frame(self, texts: dict[str, str]) -> JSONObject:
        return {
            "type": "snapshot",
            "seq": self.run.seq,
            "execution_id": str(self.run.id),
            "status": self.run.status.value,
            **self.pauses.as_json(),
            "nodes": list(self.nodes),
            "streams": {stream: wire.whole(text) for stream, text in texts.items()},
            "metadata": {key: value for key, value, _ in self.entries},
            "revisions": {key: revision for key, _, revision in self.entries},
        }


def take(execution_id: UUID) -> Snapshot | None:
    """Where the run stands; None when there is none."""
    with transaction.atomic():
        # All reads see one moment: a node that is ahead of `seq` would be told of twice, in two ways.
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        execution = Execution.objects.select_related("state").filter(pk=execution_id).first()
        if execution is None:
            return None
        states = node_states(execution, upto=execution.state.seq)
        paused = pauses_of(execution)
        said = entries_of(execution.pk)
    return Snapshot(
        run=rows.Run(
            id=execution.pk,
            workspace_id=execution.workspace_id,
            status=RunStatus(execution.status),
            seq=execution.state.seq,
        ),
        nodes=tuple(as_json(state) for state in states),
        pauses=paused,
        entries=tuple(said),
        streaming=tuple(f"{state.node_id}/{state.scope}" for state in states if state.status is NodeStatus.RUNNING),
    )


def as_json(state: NodeState) -> JSONObject:
    """A node's newest visit; what came of all of them is in `visits`, so that a snapshot grows with the plan only."""
    return {
        "node_id": state.node_id,
        "scope": state.scope,
        "name": state.name,
        "type": state.type,
        "parent": state.parent,
        "status": state.status.value,
        "handled": state.handled,
        "kept": state.kept,
        "attempt": state.attempt,
        "port": state.port,
        "error": state.error,
        "usage": state.usage,
        "started_at": _text(state.started_at),
        "ended_at": _text(state.ended_at),
        "duration_ms": state.duration_ms,
        "due_at": _text(state.due_at),
        "visits": None if state.visits is None else asdict(state.visits),
        "progress": None if state.progress is None else asdict(state.progress),
    }


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


take_in_thread = rows.in_thread(take)
