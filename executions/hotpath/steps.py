"""One step of a run, written in one statement: outcome, state, new rows, events, and the run's own row."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from psycopg.types.numeric import Int8

from executions.core import NodeStatus
from executions.frames import Told
from executions.hotpath.cursor import cursor
from executions.hotpath.rows import Closing, NewRow, Recorded
from workflows.fields import quoted

OUTCOME = (
    "status = %(status)s, handled = %(handled)s, input = %(input)s::json, output = %(output)s::json, "
    "error = %(error)s::json, port = %(port)s, writes = %(writes)s::json, usage = %(usage)s::json, "
    "logs = %(logs)s::json, started_at = %(started_at)s, ended_at = %(ended_at)s"
)
FENCE = "id = %(id)s AND attempt = %(attempt)s AND owner = %(owner)s AND status = 'running'"
# Rows to insert come as one JSON text: binding twenty arrays took longer than inserting what was in them. Outputs are
# texts inside it, so that an escaped NUL, which PostgreSQL's text cannot hold, is never unescaped.
_BORN = (
    "id uuid, node_id text, scope text, node_type text, lane text, status text, attempt int2, lost int2, owner int8,"
    " folded bool, announced bool, handled bool, port text, ready_at timestamptz, started_at timestamptz,"
    " ended_at timestamptz, input text, output text, error text, writes text, usage text, logs text"
)
TEXTS = ("input", "output", "error", "port", "writes", "usage", "logs")  # columns of an outcome; all but port are JSON
_TOLD = "seq int8, type text, node_id text, scope text, at timestamptz, data json"


def _insert(table: str, columns: str, parameter: str, *, json_columns: Collection[str]) -> str:
    names = [column.split()[0] for column in columns.split(", ")]
    chosen = ", ".join(f"row.{name}::json" if name in json_columns else f"row.{name}" for name in names)
    return (
        f"INSERT INTO {table} (execution_id, {', '.join(names)}) SELECT moved.execution_id, {chosen}"
        f" FROM moved, json_to_recordset(%({parameter})s::json) AS row ({columns})"
    )


@cache
def _save_sql(*, done: bool, folded: bool, born: bool, closing: bool) -> str:
    """One statement of the parts a step has. Each shape is prepared once per connection."""
    held = (
        "held AS (SELECT execution_id FROM executions_executionstate"
        " WHERE execution_id = %(execution_id)s AND ver = %(ver)s FOR NO KEY UPDATE)"
    )
    parts = [held]
    guard = ""
    if done:
        parts.append(
            f"done AS (UPDATE executions_noderun SET folded = EXISTS (SELECT FROM held), {OUTCOME}"
            f" WHERE {FENCE} RETURNING id)"
        )
        guard = " AND EXISTS (SELECT FROM done)"
    parts.append(
        "moved AS (UPDATE executions_executionstate s SET ver = s.ver + 1, seq = %(seq)s, state = %(state)s::json,"
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
    parts.append(f"told AS ({_insert('executions_event', _TOLD, 'told', json_columns=())})")
    if closing:
        parts.append(
            "closed AS (UPDATE executions_execution e SET status = %(run_status)s, outputs = %(outputs)s::json,"
            " error = %(run_error)s::json, drive_failures = 0, started_at = %(run_started_at)s,"
            " ended_at = %(run_ended_at)s FROM moved WHERE e.id = moved.execution_id)"
        )
    ended = "EXISTS (SELECT FROM done)" if done else "true"
    return f"WITH {', '.join(parts)} SELECT {ended}, EXISTS (SELECT FROM moved)"


def save(
    execution_id: UUID,
    *,
    ver: int,
    state: str,
    now: datetime,
    owner: int | None,
    told: Told,
    done: Recorded | None = None,
    folded: Sequence[UUID] = (),
    born: Sequence[NewRow] = (),
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
        "now": now,
        "told": told.rows(),
    }
    if done:
        parameters |= outcome(done, owner)
    if folded:
        parameters["folded"] = list(folded)
    if born:
        parameters["born"] = _born(born, owner)
    if closing:
        parameters |= {
            "run_status": closing.status.value,
            "outputs": closing.outputs,
            "run_error": closing.error,
            "run_started_at": closing.started_at,
            "run_ended_at": closing.ended_at,
        }
    sql = _save_sql(done=done is not None, folded=bool(folded), born=bool(born), closing=closing is not None)
    with cursor() as opened:
        row = opened.execute(sql, parameters, prepare=True).fetchone()
    if row is None:  # a SELECT without FROM always has a row
        raise AssertionError(sql)
    return row[0], row[1]


def outcome(done: Recorded, owner: int | None) -> dict[str, Any]:
    names = ("id", "attempt", "handled", "started_at", "ended_at")
    return {name: getattr(done, name) for name in names + TEXTS} | {
        "status": done.status.value,
        "owner": None if owner is None else Int8(owner),
    }


def _born(rows: Sequence[NewRow], owner: int | None) -> str:
    """A JSON list of the rows. Written out by hand: a burst has a hundred of them."""
    return f"[{','.join(_ended(row, row.ended) if row.ended else _living(row, owner) for row in rows)}]"


def _living(row: NewRow, owner: int | None) -> str:
    """A row for others to claim, or one that is claimed by us with its birth."""
    running = row.status is NodeStatus.RUNNING
    started = f',"owner":{owner},"started_at":"{row.ready_at.isoformat()}"' if running else ""
    return f'{_identity(row)},"folded":false,"announced":{"true" if running else "false"},"handled":false{started}}}'


def _ended(row: NewRow, ended: Recorded) -> str:
    """The row of a pure node: it is over when it is born."""
    texts = "".join(f',"{name}":{quoted(text)}' for name in TEXTS if (text := getattr(ended, name)) is not None)
    return (
        f'{_identity(row)},"folded":true,"announced":true,"handled":{"true" if ended.handled else "false"},'
        f'"started_at":"{ended.started_at.isoformat()}","ended_at":"{ended.ended_at.isoformat()}"{texts}}}'
    )


def _identity(row: NewRow) -> str:
    """The beginning of the object."""
    return (
        f'{{"id":"{row.id}","node_id":{quoted(row.node_id)},"scope":{quoted(row.scope)},'
        f'"node_type":{quoted(row.node_type)},"lane":"{row.lane}","status":"{row.status}","attempt":1,"lost":0,'
        f'"ready_at":"{row.ready_at.isoformat()}"'
    )
