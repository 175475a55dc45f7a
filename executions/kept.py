"""What a run took over from the one before it: rows of its own, marked as kept, and what these wrote and remembered.

A rerun is a run like any other once it has begun: it owns all that it reads, and nothing happens to it when the run
before is deleted. So the rows are copied when it is stored, and so are blobs, which go with the run they were made for.
What ran in the body of a container is not copied: its container's output has what it came to.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from typing import Any, Final

from django.db import connection

from executions import blobs, memory
from executions.core import EventType, Kept, NodeStatus, Step, start
from executions.core.scopes import TOP, outermost
from executions.core.state import COMPLETED, EXPIRED, HANDLED
from executions.models import Event, Execution, NodeRun
from executions.store import Run
from handlers import TIMEOUT_PORT, JSONValue, VariableWrite
from workflows.core import PlanNode
from workflows.fields import dumps
from workflows.ids import uuid7

# Told and used up, in the run before, are its usage, its logs and its earlier attempts.
_COPY: Final = """
    INSERT INTO executions_noderun (
        id, execution_id, node_id, scope, node_type, lane, status, attempt, lost, folded, announced, kept,
        handled, input, output, output_ref, error, port, ready_at, started_at, ended_at
    )
    SELECT
        wanted.id, %(execution_id)s, n.node_id, n.scope, n.node_type, n.lane, n.status, n.attempt, 0, true, true, true,
        n.handled, n.input, n.output, wanted.ref::json, n.error, n.port, n.ready_at, n.started_at, n.ended_at
    FROM unnest(%(ids)s::uuid[], %(nodes)s::text[], %(refs)s::text[]) AS wanted (id, node_id, ref)
    JOIN executions_noderun n ON n.execution_id = %(before)s AND n.node_id = wanted.node_id AND n.scope = ''
"""


def begin(run: Run, *, held: bool = False, now: datetime) -> Step:
    """The first step of a run, with what it keeps; *held*: it begins with a pause."""
    there, writes = {}, []
    if run.replayed is not None:
        rows = NodeRun.objects.filter(execution=run.id, kept=True).values_list("node_id", "status", "port")
        graph = run.prepared.graph
        there = {id_: Kept(mark=_mark(graph.node(id_), status, port), port=port) for id_, status, port in rows}
        writes = [VariableWrite(name=name, how=how, value=value) for _, name, how, value in run.replayed]
    return start(run.prepared.graph, entry=run.entry, until=run.until, held=held, now=now, kept=there, writes=writes)


def writes_of(before: Execution, nodes: Collection[str]) -> list[JSONValue]:
    """What *nodes* of a run that is over wrote to the variables, as `Execution.replayed` has it, also in their bodies.

    In the order of the events, which is that of the folds: by their clocks, a node on a slow machine may have ended
    before the one that it waited for. What was written and never folded is no part of the run.
    """
    told: list[JSONValue] = [write for write in before.replayed or () if write[0] in nodes]
    rows = NodeRun.objects.filter(execution=before, writes__isnull=False)
    written: defaultdict[tuple[str, str], list[Any]] = defaultdict(list)
    for node_id, scope, writes in rows.values_list("node_id", "scope", "writes"):
        if outermost(scope, node_id) in nodes:
            written[node_id, scope] = writes
    if not written:
        return told
    events = Event.objects.filter(
        execution=before, type=EventType.NODE_COMPLETED.value, node_id__in={node_id for node_id, _ in written}
    )
    for node_id, scope in events.order_by("seq").values_list("node_id", "scope"):
        told += [[outermost(scope, str(node_id)), *write] for write in written.get((str(node_id), scope), ())]
    return told


def copy_rows(before: Execution, run: Execution, nodes: Collection[str]) -> None:
    """Give *run* the rows of these top-level nodes, and what they stored in the run's memory.

    Raises BlobError for an output that cannot be read or stored.
    """
    rows = NodeRun.objects.filter(execution=before, scope=TOP, node_id__in=nodes)
    refs = {node_id: _copied(ref, run) for node_id, ref in rows.values_list("node_id", "output_ref")}
    told: dict[str, Any] = {
        "execution_id": run.pk,
        "before": before.pk,
        "ids": [uuid7() for _ in refs],
        "nodes": [*refs],
        "refs": [*refs.values()],
    }
    with connection.cursor() as cursor:
        cursor.execute(_COPY, told)
    memory.copy_entries(before, run, nodes)
    if missing := set(nodes) - refs.keys():
        raise AssertionError(f"{sorted(missing)} of run {before.pk} ran and have no rows")


def _mark(node: PlanNode, status: str, port: str | None) -> int:
    if status != NodeStatus.COMPLETED:
        return HANDLED
    return EXPIRED if node.pauses and port == TIMEOUT_PORT else COMPLETED


def _copied(ref: Any, run: Execution) -> str | None:
    if ref is None:
        return None
    copied = blobs.copy(blobs.load_blob(ref), workspace_id=run.workspace_id, execution_id=run.pk)
    return dumps(copied.dump())
