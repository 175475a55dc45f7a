"""A run begins; a turn at it begins with its lock and its inbox, and ends with a second look."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from executions.core import NodeStatus
from executions.core.events import RunEvent
from executions.frames import WIDEST
from executions.hotpath.cursor import cursor
from executions.hotpath.rows import InboxRow, RunRow
from executions.models import Execution
from workflows.fields import dumps

_CREATE = """
    WITH run AS (
        INSERT INTO executions_execution (
            id, workspace_id, workflow_id, version_id, status, trigger, entry, until_node, tags,
            inputs, drive_failures, started_by_id, parent_id, parent_node, parent_scope, depth, created_at,
            rerun_of_id, rerun_from, replayed
        )
        VALUES (
            %(id)s, %(workspace_id)s, %(workflow_id)s, %(version_id)s, %(status)s, %(trigger)s, %(entry)s,
            %(until_node)s, %(tags)s, %(inputs)s::json, 0, %(started_by_id)s, %(parent_id)s, %(parent_node)s,
            %(parent_scope)s, %(depth)s, %(created_at)s, %(rerun_of_id)s, %(rerun_from)s, %(replayed)s::json
        )
        RETURNING id
    ), state AS (
        INSERT INTO executions_executionstate (execution_id, ver, seq, folded_at, lets_go_on)
        SELECT id, 0, 1, %(created_at)s, false FROM run
    )
    INSERT INTO executions_event (execution_id, seq, type, scope, data, at)
    SELECT id, 1, %(type)s, '', %(data)s::json, %(created_at)s FROM run
"""


def create(execution: Execution, first: RunEvent) -> None:
    """Store a new run, its state and its first event."""
    names = (
        "id", "workspace_id", "workflow_id", "version_id", "status", "trigger", "entry", "until_node", "tags",
        "started_by_id", "parent_id", "parent_node", "parent_scope", "depth", "created_at", "rerun_of_id", "rerun_from",
    )  # fmt: skip
    parameters = {name: getattr(execution, name) for name in names}
    parameters |= {"inputs": dumps(execution.inputs), "type": first.type.value, "data": dumps(first.data)}
    parameters |= {"replayed": None if execution.replayed is None else dumps(execution.replayed)}
    with cursor() as sql:
        sql.execute(_CREATE, parameters, prepare=True)


# Of rows that had to be waited for, PostgreSQL looks again only at those that are locked: the execution is as well, so
# that a run which was ended meanwhile is over for us, too.
_LOCK = """
    SELECT e.workspace_id, e.version_id, e.entry, e.until_node, e.inputs::text, e.drive_failures, e.parent_id, e.depth,
        s.state, s.ver, s.seq, CASE WHEN s.state IS NULL THEN e.replayed END
    FROM executions_executionstate s JOIN executions_execution e ON e.id = s.execution_id
    WHERE s.execution_id = %s AND e.status IN ('pending', 'running', 'paused')
    FOR NO KEY UPDATE OF s {} FOR SHARE OF e
"""

_LOCK_OR_WAIT, _LOCK_OR_LEAVE = _LOCK.format(""), _LOCK.format("SKIP LOCKED")

_INBOX = f"""
    SELECT id, node_id, scope, attempt, status, handled, port, error, writes, usage,
        CASE WHEN length(output::text) <= {WIDEST} THEN output::text END,
        coalesce((output_ref->>'characters')::int, length(output::text)),
        announced, started_at, ended_at, due_at, history::text, continued
    FROM executions_noderun
    WHERE execution_id = %s AND NOT folded
        AND (status IN ('completed', 'failed') OR (status = 'ready' AND due_at IS NOT NULL))
    ORDER BY ended_at, id
"""

_NEWS = """
    SELECT scope, node_id, status, continued FROM executions_noderun
    WHERE execution_id = %s AND NOT folded
        AND (status IN ('completed', 'failed') OR (status = 'ready' AND due_at IS NOT NULL))
"""


class NewsRow(NamedTuple):
    """A visit of which the run does not know yet how it ended, or that it is to be tried again."""

    scope: str
    node_id: str
    status: NodeStatus
    continued: str | None  # the node its worker went on with


def lock(execution_id: UUID, *, wait: bool) -> RunRow | None:
    """The run with its state row locked for this transaction; None when it is over or, unless *wait*, locked."""
    with cursor() as sql:
        sql.execute(_LOCK_OR_WAIT if wait else _LOCK_OR_LEAVE, [execution_id], prepare=True)
        row = sql.fetchone()
    if row is None:
        return None
    return RunRow(**dict(zip(RunRow.__dataclass_fields__, row, strict=True)))


def inbox(execution_id: UUID) -> list[InboxRow]:
    """What ended and is not folded, in the order in which it ended, and what waits for its next attempt."""
    names = tuple(InboxRow.__dataclass_fields__)
    with cursor() as sql:
        sql.execute(_INBOX, [execution_id], prepare=True)
        return [InboxRow(**dict(zip(names, row, strict=True))) for row in sql]


def news(execution_id: UUID) -> list[NewsRow]:
    """What `inbox` would give, in short: the second look, after a lock was released."""
    with cursor() as sql:
        rows = sql.execute(_NEWS, [execution_id], prepare=True).fetchall()
    return [NewsRow(scope, node_id, NodeStatus(status), continued) for scope, node_id, status, continued in rows]
