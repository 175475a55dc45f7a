"""One step of a run, written in one statement: outcome, state, new rows, events, and the run's own row."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from psycopg.types.numeric import Int8

from executions.core import NodeStatus, Parts
from executions.frames import Told
from executions.hotpath.cursor import cursor
from executions.hotpath.rows import Again, Chunk, Closing, Ended, NewRow, Recorded
from workflows.fields import dumps, dumps_text, quoted

OUTCOME = (
    "status = %(status)s, attempt = %(next_attempt)s, owner = %(next_owner)s, due_at = %(due_at)s, "
    "history = %(history)s::json, handled = %(handled)s, input = %(input)s::json, "
    "output = %(output)s::json, output_ref = %(output_ref)s::json, "
    "error = %(error)s::json, port = %(port)s, writes = %(writes)s::json, usage = %(usage)s::json, "
    "logs = %(logs)s::json, started_at = %(started_at)s, ended_at = %(ended_at)s"
)
FENCE = "id = %(id)s AND attempt = %(attempt)s AND owner = %(owner)s AND status = 'running'"
# Rows to insert come as one JSON text: binding twenty arrays took longer than inserting what was in them. Outputs are
# texts inside it, so that an escaped NUL, which PostgreSQL's text cannot hold, is never unescaped.
_BORN = (
    "id uuid, node_id text, scope text, node_type text, lane text, status text, attempt int2, lost int2, owner int8,"
    " folded bool, announced bool, handled bool, port text, ready_at timestamptz, started_at timestamptz,"
    " ended_at timestamptz, due_at timestamptz, input text, output text, output_ref text, error text, writes text,"
    " usage text, logs text, history text"
)
# Columns of an outcome; all but port are JSON.
TEXTS = ("input", "output", "output_ref", "error", "port", "writes", "usage", "logs", "history")
_TEXTS_OF_BLOB = tuple(name for name in TEXTS if name != "output")
_CHUNK = "node_id text, scope text, first int4, total int4, items text"
# Of rows that no worker holds: nobody else writes them, and what has ended already is left alone.
_ENDED = (
    "ended AS (UPDATE executions_noderun n SET folded = true, announced = true, owner = NULL, due_at = NULL,"
    " status = row.status, handled = row.handled, output = row.output::json, ended_at = row.ended_at,"
    " output_ref = row.output_ref::json, error = COALESCE(row.error::json, n.error), port = row.port,"
    " usage = row.usage::json"
    " FROM moved, json_to_recordset(%(ended)s::json) AS row (node_id text, scope text, status text, handled bool,"
    " output text, output_ref text, error text, port text, usage text, ended_at timestamptz)"
    " WHERE n.execution_id = moved.execution_id AND n.node_id = row.node_id AND n.scope = row.scope"
    " AND n.status IN ('ready', 'running', 'waiting'))"
)
# How the attempt before ended is in the history: the one under way has neither end nor error.
_AGAIN = (
    "again AS (UPDATE executions_noderun n SET status = row.status, owner = row.owner, due_at = NULL,"
    " ready_at = row.at, announced = row.owner IS NOT NULL, ended_at = NULL, error = NULL,"
    " started_at = CASE WHEN row.owner IS NULL THEN n.started_at ELSE row.at END"
    " FROM moved, json_to_recordset(%(again)s::json) AS row (id uuid, attempt int2, status text, owner int8,"
    " at timestamptz)"
    " WHERE n.id = row.id AND n.attempt = row.attempt AND n.status = 'ready' AND n.due_at IS NOT NULL)"
)
_TOLD = "seq int8, type text, node_id text, scope text, at timestamptz, data json"


def _insert(table: str, columns: str, parameter: str, *, json_columns: Collection[str]) -> str:
    names = [column.split()[0] for column in columns.split(", ")]
    chosen = ", ".join(f"row.{name}::json" if name in json_columns else f"row.{name}" for name in names)
    return (
        f"INSERT INTO {table} (execution_id, {', '.join(names)}) SELECT moved.execution_id, {chosen}"
        f" FROM moved, json_to_recordset(%({parameter})s::json) AS row ({columns})"
    )


@cache
def _save_sql(
    *, done: bool, folded: bool, born: bool, ended: bool, again: bool, chunks: bool, responded: bool, closing: bool
) -> str:
    """One statement of the parts a step has. Each shape is prepared once per connection."""
    held = (
        "held AS (SELECT execution_id FROM executions_executionstate"
        " WHERE execution_id = %(execution_id)s AND ver = %(ver)s FOR NO KEY UPDATE)"
    )
    parts = [held]
    guard = ""
    if done:
        parts.append(
            "done AS (UPDATE executions_noderun SET"
            f" folded = (%(status)s <> 'ready' AND EXISTS (SELECT FROM held)), {OUTCOME}"
            f" WHERE {FENCE} RETURNING id)"
        )
        guard = " AND EXISTS (SELECT FROM done)"
    parts.append(
        "moved AS (UPDATE executions_executionstate s SET ver = s.ver + 1, seq = %(seq)s, state = %(state)s::json,"
        " lets_go_on = %(lets_go_on)s,"
        " folded_at = %(now)s FROM held WHERE s.execution_id = held.execution_id" + guard + " RETURNING s.execution_id)"
    )
    if folded:
        parts.append(
            "swept AS (UPDATE executions_noderun SET folded = true, announced = true"
            " WHERE id = ANY(%(folded)s) AND EXISTS (SELECT FROM moved))"
        )
    if born:
        texts = set(TEXTS) - {"port"}
        parts.append(f"born AS ({_insert('executions_noderun', _BORN, 'born', json_columns=texts)})")
    if ended:
        parts.append(_ENDED)
    if again:
        parts.append(_AGAIN)
    if chunks:
        parts.append(f"chunks AS ({_insert('executions_frame', _CHUNK, 'chunks', json_columns=('items',))})")
    parts.append(f"told AS ({_insert('executions_event', _TOLD, 'told', json_columns=())})")
    if closing:
        parts.append(
            "closed AS (UPDATE executions_execution e SET status = %(run_status)s, outputs = %(outputs)s::json,"
            " outputs_ref = %(outputs_ref)s::json, error = %(run_error)s::json, drive_failures = 0,"
            " started_at = %(run_started_at)s,"
            " ended_at = %(run_ended_at)s, "
            " deadline_at = CASE WHEN %(run_ended_at)s::timestamptz IS NULL THEN %(deadline_at)s ELSE e.deadline_at END"
            + (", response = %(response)s::json" if responded else "")
            + " FROM moved WHERE e.id = moved.execution_id)"
        )
    elif responded:
        parts.append(
            "closed AS (UPDATE executions_execution e SET response = %(response)s::json"
            " FROM moved WHERE e.id = moved.execution_id)"
        )
    recorded = "EXISTS (SELECT FROM done)" if done else "true"
    return f"WITH {', '.join(parts)} SELECT {recorded}, EXISTS (SELECT FROM moved)"


def save(
    execution_id: UUID,
    *,
    ver: int,
    state: str,
    lets_go_on: bool,
    now: datetime,
    owner: int | None,
    told: Told,
    done: Recorded | None = None,
    folded: Sequence[UUID] = (),
    born: Sequence[NewRow] = (),
    ended: Sequence[Ended] = (),
    again: Sequence[Again] = (),
    chunks: Sequence[Chunk] = (),
    response: str | None = None,
    closing: Closing | None = None,
) -> tuple[bool, bool]:
    """Write one step in one statement. Returns whether the outcome *done* was recorded, and whether the step was.

    *ver* is the version the step was computed from. Outcome recorded and step not: somebody else drove. Neither: we
    have been fenced off.
    """
    parameters: dict[str, Any] = {
        "execution_id": execution_id,
        "ver": Int8(ver),
        "seq": Int8(told.last),
        "state": state,
        "lets_go_on": lets_go_on,
        "now": now,
        "told": told.rows(),
    }
    if done:
        parameters |= outcome(done, owner)
    if folded:
        parameters["folded"] = list(folded)
    if born:
        parameters["born"] = _born(born, owner)
    if ended:
        parameters["ended"] = f"[{','.join(map(_end, ended))}]"
    if again:
        parameters["again"] = dumps_text([_again(row, owner) for row in again])
    if chunks:
        parameters["chunks"] = f"[{','.join(map(_chunk, chunks))}]"
    if response is not None:
        parameters["response"] = response
    if closing:
        parameters |= {
            "run_status": closing.status.value,
            "outputs": None if isinstance(closing.outputs, Parts) else closing.outputs,
            "outputs_ref": dumps(closing.outputs.dump()) if isinstance(closing.outputs, Parts) else None,
            "run_error": closing.error,
            "run_started_at": closing.started_at,
            "run_ended_at": closing.ended_at,
            "deadline_at": closing.deadline_at,
        }
    sql = _save_sql(
        done=done is not None,
        folded=bool(folded),
        born=bool(born),
        ended=bool(ended),
        again=bool(again),
        chunks=bool(chunks),
        responded=response is not None,
        closing=closing is not None,
    )
    with cursor() as opened:
        row = opened.execute(sql, parameters, prepare=True).fetchone()
    if row is None:  # a SELECT without FROM always has a row
        raise AssertionError(sql)
    return row[0], row[1]


def outcome(done: Recorded, owner: int | None) -> dict[str, Any]:
    names = ("id", "attempt", "next_attempt", "handled", "started_at", "ended_at", "due_at")
    bound = None if owner is None else Int8(owner)
    return (
        {name: getattr(done, name) for name in names}
        | _texts(done)
        | {
            "status": done.status.value,
            "owner": bound,
            "next_owner": None if done.status is NodeStatus.READY else bound,
        }
    )


def _texts(done: Recorded) -> dict[str, str | None]:
    """The columns of TEXTS: the output in one of two, and never in both."""
    texts = {name: getattr(done, name) for name in TEXTS}
    return texts if done.output_ref is None else texts | {"output": None}


def _born(rows: Sequence[NewRow], owner: int | None) -> str:
    """A JSON list of the rows. Written out by hand: a burst has a hundred of them."""
    return f"[{','.join(_ended(row, row.ended) if row.ended else _living(row, owner) for row in rows)}]"


def _living(row: NewRow, owner: int | None) -> str:
    """A row for others to claim, one that is claimed by us with its birth, one that runs by itself, or one that waits.

    Of the last its run knows all there is to know, so that no sweep looks at it, be it for a year.
    """
    has_begun, waits = row.status is not NodeStatus.READY, "true" if row.status is NodeStatus.WAITING else "false"
    started = (
        f',"owner":{owner if row.is_ours else "null"},"started_at":"{row.ready_at.isoformat()}"' if has_begun else ""
    )
    announced = "true" if has_begun else "false"
    return f'{_identity(row)},"attempt":1,"folded":{waits},"announced":{announced},"handled":false{started}}}'


def _ended(row: NewRow, ended: Recorded) -> str:
    """The row of a pure node: it is over when it is born, or waits for its next attempt."""
    names = TEXTS if ended.output_ref is None else _TEXTS_OF_BLOB
    texts = "".join([f',"{name}":{quoted(text)}' for name in names if (text := getattr(ended, name)) is not None])
    due = f',"due_at":"{ended.due_at.isoformat()}"' if ended.due_at else ""
    return (
        f'{_identity(row)},"attempt":{ended.next_attempt},"folded":{"false" if due else "true"},"announced":true,'
        f'"handled":{"true" if ended.handled else "false"},"started_at":"{ended.started_at.isoformat()}",'
        f'"ended_at":"{ended.ended_at.isoformat()}"{due}{texts}}}'
    )


def _identity(row: NewRow) -> str:
    """The beginning of the object."""
    return (
        f'{{"id":"{row.id}","node_id":{quoted(row.node_id)},"scope":{quoted(row.scope)},'
        f'"node_type":{quoted(row.node_type)},"lane":"{row.lane}","status":"{row.status}","lost":0,'
        f'"ready_at":"{row.ready_at.isoformat()}"'
    )


def _end(row: Ended) -> str:
    names = ("output" if row.output_ref is None else "output_ref", "error", "port", "usage")
    texts = "".join([f',"{name}":{quoted(text)}' for name in names if (text := getattr(row, name)) is not None])
    return (
        f'{{"node_id":{quoted(row.node_id)},"scope":{quoted(row.scope)},"status":"{row.status}",'
        f'"handled":{"true" if row.handled else "false"},"ended_at":"{row.ended_at.isoformat()}"{texts}}}'
    )


def _again(row: Again, owner: int | None) -> dict[str, Any]:
    running = row.status is NodeStatus.RUNNING
    told = {"id": str(row.id), "attempt": row.attempt, "status": row.status.value, "at": row.at.isoformat()}
    return told | ({"owner": owner} if running else {})


def _chunk(row: Chunk) -> str:
    total = "null" if row.total is None else row.total
    return (
        f'{{"node_id":{quoted(row.node_id)},"scope":{quoted(row.scope)},"first":{row.first},"total":{total},'
        f'"items":{quoted(row.items)}}}'
    )
