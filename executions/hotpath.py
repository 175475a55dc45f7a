"""The statements that every step of every run goes through, as SQL behind named functions. Elsewhere: the ORM.

Three rules hold them together.

* An **outcome** is recorded only by the attempt that holds the row: `status = 'running' AND attempt = … AND owner = …`.
  Where that touches no row, the writer has been fenced off and nothing else of its statement happens.
* The **state** is written only over the version it was computed from (`ver`). Where that fails, somebody else drove; an
  outcome in the same statement is then kept, unfolded, for the next drive.
* Locks are taken in one order: the state row (FOR NO KEY UPDATE, which lets rows that refer to the run be inserted),
  the execution, then its node runs. A node's own outcome takes only its own row.

They are prepared and bound on the server: planning them anew would cost more than running them.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

import psycopg
from django.db import connection
from psycopg.types.numeric import Int8

from executions.core import NodeStatus, RunStatus
from executions.core.events import RunEvent
from executions.frames import WIDEST
from executions.models import Execution
from workflows.fields import dumps, dumps_text

FOLD_EVERY = timedelta(milliseconds=200)  # a wide fan-out shows its progress at least this often


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """A run as a drive finds it, its state row locked."""

    workspace_id: UUID
    version_id: UUID
    entry: str
    inputs: str  # JSON text
    drive_failures: int
    state: Any  # None until the first drive; the run's status is in it
    ver: int
    seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxRow:
    """A node run that ended and is not folded yet."""

    id: UUID
    node_id: str
    scope: str
    attempt: int
    completed: bool
    handled: bool
    port: str | None
    error: Any
    writes: Any
    usage: Any
    output: str | None  # JSON text; None when it is too wide to travel
    output_width: int | None  # characters
    announced: bool
    started_at: datetime
    ended_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedRow:
    """A node run that has just become ours."""

    id: UUID
    execution_id: UUID
    workspace_id: UUID
    version_id: UUID
    node_id: str
    scope: str
    attempt: int
    inputs: str  # JSON text, the run's


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """An outcome on its way into its row."""

    id: UUID
    attempt: int
    status: NodeStatus
    handled: bool
    started_at: datetime
    ended_at: datetime
    input: str | None = None  # JSON texts, all of them
    output: str | None = None
    error: str | None = None
    port: str | None = None
    writes: str | None = None
    usage: str | None = None
    logs: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRow:
    """A node run to be born: ready for others, running under us, or (a pure node) already over."""

    id: UUID
    node_id: str
    scope: str
    node_type: str
    lane: str
    status: NodeStatus
    ready_at: datetime
    ended: Recorded | None = None  # pure nodes


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """What a run's row becomes when it starts or ends."""

    status: RunStatus
    started_at: datetime
    ended_at: datetime | None = None
    outputs: str | None = None
    error: str | None = None


@contextmanager
def _cursor() -> Iterator[psycopg.Cursor[Any]]:
    connection.ensure_connection()
    with psycopg.Cursor(connection.connection) as cursor:
        yield cursor


# ---- a run begins -------------------------------------------------------------------------------------------------

_CREATE = """
    WITH run AS (
        INSERT INTO executions_execution (
            id, workspace_id, workflow_id, version_id, status, trigger, entry, tags, inputs, drive_failures,
            started_by_id, created_at
        )
        VALUES (
            %(id)s, %(workspace_id)s, %(workflow_id)s, %(version_id)s, %(status)s, %(trigger)s, %(entry)s, %(tags)s,
            %(inputs)s::json, 0, %(started_by_id)s, %(created_at)s
        )
        RETURNING id
    ), state AS (
        INSERT INTO executions_executionstate (execution_id, ver, seq, folded_at)
        SELECT id, 0, 1, %(created_at)s FROM run
    )
    INSERT INTO executions_event (execution_id, seq, type, scope, data, at)
    SELECT id, 1, %(type)s, '', %(data)s::json, %(created_at)s FROM run
"""


def create(execution: Execution, first: RunEvent) -> None:
    """Store a new run, its state and its first event."""
    names = (
        "id", "workspace_id", "workflow_id", "version_id", "status", "trigger", "entry", "tags", "started_by_id",
        "created_at",
    )  # fmt: skip
    parameters = {name: getattr(execution, name) for name in names}
    parameters |= {"inputs": dumps(execution.inputs), "type": first.type.value, "data": dumps(first.data)}
    with _cursor() as cursor:
        cursor.execute(_CREATE, parameters, prepare=True)


# ---- taking a turn ------------------------------------------------------------------------------------------------

# Of rows that had to be waited for, PostgreSQL looks again only at those that are locked: the execution is as well, so
# that a run which was ended meanwhile is over for us, too.
_LOCK = """
    SELECT e.workspace_id, e.version_id, e.entry, e.inputs::text, e.drive_failures, s.state, s.ver, s.seq
    FROM executions_executionstate s JOIN executions_execution e ON e.id = s.execution_id
    WHERE s.execution_id = %s AND e.status IN ('pending', 'running', 'paused')
    FOR NO KEY UPDATE OF s {} FOR SHARE OF e
"""

_LOCK_OR_WAIT, _LOCK_OR_LEAVE = _LOCK.format(""), _LOCK.format("SKIP LOCKED")

_INBOX = f"""
    SELECT id, node_id, scope, attempt, status = 'completed', handled, port, error, writes, usage,
        CASE WHEN length(output::text) <= {WIDEST} THEN output::text END, length(output::text),
        announced, started_at, ended_at
    FROM executions_noderun
    WHERE execution_id = %s AND NOT folded AND status IN ('completed', 'failed')
    ORDER BY ended_at, id
"""

_NEWS = """
    SELECT node_id, status = 'failed' FROM executions_noderun
    WHERE execution_id = %s AND NOT folded AND status IN ('completed', 'failed')
"""


def lock(execution_id: UUID, *, wait: bool) -> RunRow | None:
    """The run with its state row locked for this transaction; None when it is over or, unless *wait*, locked."""
    with _cursor() as cursor:
        cursor.execute(_LOCK_OR_WAIT if wait else _LOCK_OR_LEAVE, [execution_id], prepare=True)
        row = cursor.fetchone()
    if row is None:
        return None
    return RunRow(**dict(zip(RunRow.__dataclass_fields__, row, strict=True)))


def inbox(execution_id: UUID) -> list[InboxRow]:
    """What ended and is not folded, in the order in which it ended."""
    names = tuple(InboxRow.__dataclass_fields__)
    with _cursor() as cursor:
        cursor.execute(_INBOX, [execution_id], prepare=True)
        return [InboxRow(**dict(zip(names, row, strict=True))) for row in cursor]


def news(execution_id: UUID) -> tuple[set[str], bool]:
    """Which nodes ended and are not folded, and whether any failed: the second look, after a lock was released."""
    with _cursor() as cursor:
        rows = cursor.execute(_NEWS, [execution_id], prepare=True).fetchall()
    return {node_id for node_id, _ in rows}, any(failed for _, failed in rows)


# ---- writing a step -----------------------------------------------------------------------------------------------

_OUTCOME = (
    "status = %(status)s, handled = %(handled)s, input = %(input)s::json, output = %(output)s::json, "
    "error = %(error)s::json, port = %(port)s, writes = %(writes)s::json, usage = %(usage)s::json, "
    "logs = %(logs)s::json, started_at = %(started_at)s, ended_at = %(ended_at)s"
)
_FENCE = "id = %(id)s AND attempt = %(attempt)s AND owner = %(owner)s AND status = 'running'"
# Rows to insert come as one JSON text: binding twenty arrays took longer than inserting what was in them. Outputs are
# texts inside it, so that an escaped NUL, which PostgreSQL's text cannot hold, is never unescaped.
_BORN = (
    "id uuid, node_id text, scope text, node_type text, lane text, status text, attempt int2, lost int2, owner int8,"
    " folded bool, announced bool, handled bool, port text, ready_at timestamptz, started_at timestamptz,"
    " ended_at timestamptz, input text, output text, error text, writes text, usage text, logs text"
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
            f"done AS (UPDATE executions_noderun SET folded = EXISTS (SELECT FROM held), {_OUTCOME}"
            f" WHERE {_FENCE} RETURNING id)"
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
        texts = {"input", "output", "error", "writes", "usage", "logs"}
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
    seq: int,
    state: str,
    now: datetime,
    owner: int | None,
    done: Recorded | None = None,
    folded: Sequence[UUID] = (),
    born: Sequence[NewRow] = (),
    events: Sequence[RunEvent] = (),
    closing: Closing | None = None,
) -> tuple[bool, bool]:
    """Write one step in one statement. Returns whether the outcome *done* was recorded, and whether the step was.

    *ver* is the version the step was computed from; *seq* the number of the newest event before it. Outcome recorded
    and step not: somebody else drove. Neither: we have been fenced off.
    """
    parameters: dict[str, Any] = {
        "execution_id": execution_id,
        "ver": Int8(ver),
        "seq": Int8(seq + len(events)),
        "state": state,
        "now": now,
        "told": _told(events, seq),
    }
    if done:
        parameters |= _outcome(done, owner)
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
    with _cursor() as cursor:
        row = cursor.execute(sql, parameters, prepare=True).fetchone()
    if row is None:  # a SELECT without FROM always has a row
        raise AssertionError(sql)
    return row[0], row[1]


def _outcome(done: Recorded, owner: int | None) -> dict[str, Any]:
    names = ("id", "attempt", "handled", "started_at", "ended_at")
    texts = ("input", "output", "error", "port", "writes", "usage", "logs")
    return {name: getattr(done, name) for name in names + texts} | {
        "status": done.status.value,
        "owner": None if owner is None else Int8(owner),
    }


def _told(events: Sequence[RunEvent], seq: int) -> str:
    return dumps_text(
        [
            {
                "seq": number,
                "type": event.type,
                "node_id": event.node_id,
                "scope": event.scope,
                "at": event.at.isoformat(),
                "data": event.data,
            }
            for number, event in enumerate(events, start=seq + 1)
        ]
    )


def _born(rows: Sequence[NewRow], owner: int | None) -> str:
    return dumps([_ended(row, row.ended) if row.ended else _living(row, owner) for row in rows])


def _living(row: NewRow, owner: int | None) -> dict[str, Any]:
    """A row for others to claim, or one that is claimed by us with its birth."""
    running = row.status is NodeStatus.RUNNING
    ready_at = row.ready_at.isoformat()
    return _identity(row) | {
        "owner": owner if running else None,
        "folded": False,
        "announced": running,
        "handled": False,
        "ready_at": ready_at,
        "started_at": ready_at if running else None,
    }


def _ended(row: NewRow, ended: Recorded) -> dict[str, Any]:
    """The row of a pure node: it is over when it is born."""
    return _identity(row) | {
        "folded": True,
        "announced": True,
        "handled": ended.handled,
        "port": ended.port,
        "ready_at": row.ready_at.isoformat(),
        "started_at": ended.started_at.isoformat(),
        "ended_at": ended.ended_at.isoformat(),
        "input": ended.input,
        "output": ended.output,
        "error": ended.error,
        "writes": ended.writes,
        "usage": ended.usage,
        "logs": ended.logs,
    }


def _identity(row: NewRow) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "node_id": row.node_id,
        "scope": row.scope,
        "node_type": row.node_type,
        "lane": row.lane,
        "status": row.status,
        "attempt": 1,
        "lost": 0,
    }


# ---- one node, without the run's lock -----------------------------------------------------------------------------

_CLAIM = """
    WITH mine AS (
        UPDATE executions_noderun SET status = 'running', owner = %(owner)s, started_at = now()
        WHERE id = %(next)s AND status = 'ready'
        RETURNING id, execution_id, node_id, scope, attempt
    )
    SELECT mine.id, mine.execution_id, e.workspace_id, e.version_id, mine.node_id, mine.scope, mine.attempt,
        e.inputs::text
    FROM mine JOIN executions_execution e ON e.id = mine.execution_id
"""

_RECORD = f"""
    UPDATE executions_noderun n SET {_OUTCOME} WHERE {_FENCE}
    RETURNING (SELECT s.folded_at < now() - %(fold_every)s FROM executions_executionstate s
               WHERE s.execution_id = n.execution_id)
"""

_OUTPUTS = """
    SELECT node_id, output::text FROM executions_noderun
    WHERE execution_id = %s AND scope = %s AND node_id = ANY(%s) AND output IS NOT NULL
"""

_VARIABLES = "SELECT state FROM executions_executionstate WHERE execution_id = %s"

_HELD = "SELECT EXISTS (SELECT FROM executions_noderun WHERE id = %s AND attempt = %s AND owner = %s AND status = %s)"


def claim(node_run_id: UUID, *, owner: int) -> ClaimedRow | None:
    """Take one ready node run; None when another delivery took it first, or it is not wanted any more."""
    with _cursor() as cursor:
        row = cursor.execute(_CLAIM, {"next": node_run_id, "owner": Int8(owner)}, prepare=True).fetchone()
    return ClaimedRow(**dict(zip(ClaimedRow.__dataclass_fields__, row, strict=True))) if row else None


def record(done: Recorded, *, owner: int) -> tuple[bool, bool]:
    """Store an outcome, unfolded. Returns whether we still held the row, and whether a fold is due for the watchers."""
    with _cursor() as cursor:
        row = cursor.execute(_RECORD, _outcome(done, owner) | {"fold_every": FOLD_EVERY}, prepare=True).fetchone()
    return row is not None, bool(row and row[0])


def is_recorded(done: Recorded, *, owner: int) -> bool:
    """Whether *done* is stored: asked after a connection died in the middle of writing it."""
    with _cursor() as cursor:
        row = cursor.execute(_HELD, [done.id, done.attempt, Int8(owner), done.status.value]).fetchone()
    return bool(row and row[0])


def outputs(execution_id: UUID, scope: str, nodes: Iterable[str]) -> Mapping[str, str]:
    """JSON texts of the outputs of *nodes* in *scope*, of those that ran and have one."""
    with _cursor() as cursor:
        return dict(cursor.execute(_OUTPUTS, [execution_id, scope, list(nodes)], prepare=True).fetchall())


def variables(execution_id: UUID) -> dict[str, Any]:
    """The workflow variables, as of its last fold, of a run that has been driven.

    Taken out of the state here: PostgreSQL, asked for a part of it, reads every text in it, and refuses an escaped NUL.
    """
    with _cursor() as cursor:
        row = cursor.execute(_VARIABLES, [execution_id], prepare=True).fetchone()
    if row is None or row[0] is None:
        raise LookupError(f"run {execution_id} has not been driven")
    variables: dict[str, Any] = row[0]["variables"]
    return variables


def load_json(text: str) -> Any:
    """A fresh value each time: a handler that changes what it was given changes its own copy."""
    return json.loads(text)
