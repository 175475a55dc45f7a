"""One node run, without the lock of its run: claim, outcome, and the values it reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from psycopg.types.numeric import Int8

from executions.hotpath.cursor import cursor
from executions.hotpath.rows import ClaimedRow, Recorded
from executions.hotpath.steps import FENCE, OUTCOME, outcome

FOLD_EVERY: Final = timedelta(milliseconds=200)  # a wide fan-out shows its progress at least this often

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
    UPDATE executions_noderun n SET {OUTCOME} WHERE {FENCE}
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
    with cursor() as sql:
        row = sql.execute(_CLAIM, {"next": node_run_id, "owner": Int8(owner)}, prepare=True).fetchone()
    return ClaimedRow(**dict(zip(ClaimedRow.__dataclass_fields__, row, strict=True))) if row else None


def record(done: Recorded, *, owner: int) -> tuple[bool, bool]:
    """Store an outcome, unfolded. Returns whether we still held the row, and whether a fold is due for the watchers."""
    with cursor() as sql:
        row = sql.execute(_RECORD, outcome(done, owner) | {"fold_every": FOLD_EVERY}, prepare=True).fetchone()
    return row is not None, bool(row and row[0])


def is_recorded(done: Recorded, *, owner: int) -> bool:
    """Whether *done* is stored: asked after a connection died in the middle of writing it."""
    with cursor() as sql:
        row = sql.execute(_HELD, [done.id, done.attempt, Int8(owner), done.status.value]).fetchone()
    return bool(row and row[0])


def outputs(execution_id: UUID, scope: str, nodes: Iterable[str]) -> Mapping[str, str]:
    """JSON texts of the outputs of *nodes* in *scope*, of those that ran and have one."""
    with cursor() as sql:
        return dict(sql.execute(_OUTPUTS, [execution_id, scope, list(nodes)], prepare=True).fetchall())


def variables(execution_id: UUID) -> dict[str, Any]:
    """The workflow variables, as of its last fold, of a run that has been driven.

    Taken out of the state here: PostgreSQL, asked for a part of it, reads every text in it, and refuses an escaped NUL.
    """
    with cursor() as sql:
        row = sql.execute(_VARIABLES, [execution_id], prepare=True).fetchone()
    if row is None or row[0] is None:
        raise LookupError(f"run {execution_id} has not been driven")
    variables: dict[str, Any] = row[0]["variables"]
    return variables
