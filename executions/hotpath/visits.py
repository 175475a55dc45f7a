"""One node run, without the lock of its run: claim, outcome, and the values it reads."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import timedelta
from time import monotonic
from typing import Any, Final, NamedTuple, TypeAlias
from uuid import UUID

from psycopg.types.numeric import Int8

from executions import blobs
from executions.faults import Fault, reach
from executions.hotpath.cursor import cursor
from executions.hotpath.rows import ClaimedRow, NewRow, Recorded
from executions.hotpath.steps import FENCE, OUTCOME, outcome

Visit: TypeAlias = tuple[str, str]  # scope, node


class ResultRow(NamedTuple):
    """What one visit came to."""

    scope: str
    node_id: str
    output: str | None  # JSON text
    error: str | None  # JSON text, of a failure that nothing took


class WaitingRow(NamedTuple):
    """A row between two attempts."""

    id: UUID
    attempt: int  # the next
    history: str | None  # JSON text


FOLD_EVERY: Final = timedelta(milliseconds=200)  # a wide fan-out shows its progress at least this often

_CLAIM = """
    WITH mine AS (
        UPDATE executions_noderun SET status = 'running', owner = %(owner)s, started_at = now()
        WHERE id = %(next)s AND status = 'ready' AND due_at IS NULL
        RETURNING id, execution_id, node_id, scope, attempt, history
    )
    SELECT mine.id, mine.execution_id, e.workspace_id, e.version_id, mine.node_id, mine.scope, mine.attempt,
        mine.history::text, e.inputs::text
    FROM mine JOIN executions_execution e ON e.id = mine.execution_id
"""

_RECORD = f"""
    UPDATE executions_noderun n SET {OUTCOME} WHERE {FENCE}
    RETURNING (SELECT s.folded_at < now() - %(fold_every)s FROM executions_executionstate s
               WHERE s.execution_id = n.execution_id)
"""

# Who ends the run has its row until the end: it waits for us or we for it, and what we start is not overlooked by its
# look at what is still out. The execution before its node runs, as everywhere.
_RECORD_AND_GO_ON = f"""
    WITH live AS (
        SELECT s.execution_id, s.lets_go_on, s.folded_at < now() - %(fold_every)s AS is_watched
        FROM executions_execution e JOIN executions_executionstate s ON s.execution_id = e.id
        WHERE e.id = %(execution_id)s AND e.status = 'running'
        FOR SHARE OF e
    ), done AS (
        UPDATE executions_noderun n SET {OUTCOME}, continued = CASE WHEN live.lets_go_on THEN %(next_node)s END
        FROM live WHERE {FENCE}
        RETURNING live.is_watched, live.lets_go_on
    ), born AS (
        INSERT INTO executions_noderun (
            id, execution_id, node_id, scope, node_type, lane, status, attempt, lost, owner, folded, announced,
            handled, ready_at, started_at
        )
        SELECT %(next_id)s, %(execution_id)s, %(next_node)s, %(scope)s, %(next_type)s, %(next_lane)s, 'running', 1, 0,
            %(owner)s, false, false, false, %(ended_at)s, %(ended_at)s
        FROM done WHERE done.lets_go_on
    )
    SELECT is_watched, lets_go_on FROM done
"""

_EXISTS = "SELECT EXISTS (SELECT FROM executions_noderun WHERE id = %s)"

_OUTPUTS = """
    SELECT n.scope, n.node_id, n.output::text, n.output_ref
    FROM unnest(%s::text[], %s::text[]) AS wanted (scope, node_id)
    JOIN executions_noderun n ON n.execution_id = %s AND n.node_id = wanted.node_id AND n.scope = wanted.scope
    WHERE n.output IS NOT NULL OR n.output_ref IS NOT NULL
"""

_SIZES = """
    SELECT node_id, coalesce((output_ref->>'characters')::int, length(output::text)),
        coalesce((output_ref->>'bytes')::int, octet_length(output::text))
    FROM executions_noderun
    WHERE execution_id = %s AND scope = %s AND node_id = ANY(%s) AND (output IS NOT NULL OR output_ref IS NOT NULL)
"""

_RESULTS = """
    SELECT n.scope, n.node_id, n.output::text, n.output_ref,
        CASE WHEN n.status = 'failed' AND NOT n.handled THEN n.error::text END
    FROM executions_noderun n
    WHERE n.execution_id = %s AND n.node_id = ANY(%s) AND n.scope = ANY(%s)
        AND (n.output IS NOT NULL OR n.output_ref IS NOT NULL OR (n.status = 'failed' AND NOT n.handled))
    ORDER BY n.ended_at, n.id
"""

_ITEMS = """
    SELECT first, total, items FROM executions_frame
    WHERE execution_id = %s AND node_id = %s AND scope = %s AND first <= %s
    ORDER BY first DESC LIMIT 1
"""

_WAITING = """
    SELECT scope, node_id, id, attempt, history::text FROM executions_noderun
    WHERE execution_id = %s AND NOT folded AND status = 'ready' AND due_at IS NOT NULL
"""

_OUT = """
    SELECT EXISTS (SELECT FROM executions_noderun
        WHERE execution_id = %(run)s AND NOT folded AND status IN ('ready', 'running')
            AND (%(nodes)s::text[] IS NULL OR (node_id = ANY(%(nodes)s) AND scope = %(scope)s))
            AND (%(within)s::text IS NULL OR starts_with(scope, %(within)s)))
"""

_VARIABLES = "SELECT state FROM executions_executionstate WHERE execution_id = %s"

_OURS = "SELECT EXISTS (SELECT FROM executions_noderun WHERE id = %s AND attempt = %s AND status = 'running')"

_HELD = """
    SELECT EXISTS (SELECT FROM executions_noderun WHERE id = %(id)s AND attempt = %(next_attempt)s
        AND owner IS NOT DISTINCT FROM %(next_owner)s::int8 AND status = %(status)s)
"""


def claim(node_run_id: UUID, *, owner: int) -> ClaimedRow | None:
    """Take one ready node run; None when another delivery took it first, or it is not wanted any more."""
    reach(Fault.BEFORE_CLAIM)
    asked_at = monotonic()
    with cursor() as sql:
        row = sql.execute(_CLAIM, {"next": node_run_id, "owner": Int8(owner)}, prepare=True).fetchone()
    if row is None:
        return None
    reach(Fault.AFTER_CLAIM)
    return ClaimedRow(**dict(zip(ClaimedRow.__dataclass_fields__, (*row, asked_at), strict=True)))


def is_ours(node_run_id: UUID, *, attempt: int) -> bool:
    """Whether an attempt that we have claimed has not been given to others, nor called off."""
    with cursor() as sql:
        row = sql.execute(_OURS, [node_run_id, attempt]).fetchone()
    return bool(row and row[0])


def record(done: Recorded, *, owner: int) -> tuple[bool, bool]:
    """Store an outcome, unfolded. Returns whether we still held the row, and whether a fold is due for the watchers."""
    with cursor() as sql:
        row = sql.execute(_RECORD, outcome(done, owner) | {"fold_every": FOLD_EVERY}, prepare=True).fetchone()
    if row is None:
        return False, False
    reach(Fault.AFTER_OUTCOME)
    return True, bool(row[0])


def record_and_go_on(done: Recorded, following: NewRow, *, execution_id: UUID, owner: int) -> tuple[bool, bool, bool]:
    """As `record`, and claim the node that follows for us. Returns, too, whether that was done: not in a run that is to
    stop, or in which others wait for a place.
    """
    told = {
        "fold_every": FOLD_EVERY,
        "execution_id": execution_id,
        "next_id": following.id,
        "next_node": following.node_id,
        "next_type": following.node_type,
        "next_lane": following.lane,
        "scope": following.scope,
    }
    with cursor() as sql:
        row = sql.execute(_RECORD_AND_GO_ON, outcome(done, owner) | told, prepare=True).fetchone()
    if row is None:
        return False, False, False
    reach(Fault.AFTER_OUTCOME)
    return (True, *row)


def exists(node_run_id: UUID) -> bool:
    with cursor() as sql:
        row = sql.execute(_EXISTS, [node_run_id]).fetchone()
    return bool(row and row[0])


def is_recorded(done: Recorded, *, owner: int) -> bool:
    """Whether *done* is stored: asked after a connection died in the middle of writing it."""
    with cursor() as sql:
        row = sql.execute(_HELD, outcome(done, owner)).fetchone()
    return bool(row and row[0])


def outputs(execution_id: UUID, visits: Collection[Visit]) -> dict[Visit, str]:
    """JSON texts of the outputs of these visits, of those that ran and have one. Raises BlobError."""
    scopes, nodes = [scope for scope, _ in visits], [node_id for _, node_id in visits]
    with cursor() as sql:
        rows = sql.execute(_OUTPUTS, [scopes, nodes, execution_id], prepare=True).fetchall()
    return {(scope, node_id): _whole(text, ref) for scope, node_id, text, ref in rows}


def output_sizes(execution_id: UUID, scope: str, nodes: Sequence[str]) -> dict[str, tuple[int, int]]:
    """Characters and bytes of the outputs of *nodes* in *scope*; nothing but these leaves the database."""
    with cursor() as sql:
        rows = sql.execute(_SIZES, [execution_id, scope, list(nodes)], prepare=True).fetchall()
    return {node_id: (characters, size) for node_id, characters, size in rows}


def results(execution_id: UUID, nodes: Sequence[str], scopes: Sequence[str]) -> Iterator[ResultRow]:
    """What *nodes* came to in *scopes*, in the order in which they ended: of those with an output or a failure.

    Raises BlobError.
    """
    with cursor() as sql:
        rows = sql.execute(_RESULTS, [execution_id, list(nodes), list(scopes)], prepare=True).fetchall()
    for scope, node_id, text, ref, error in rows:
        yield ResultRow(scope, node_id, None if text is None and ref is None else _whole(text, ref), error)


def items(execution_id: UUID, node_id: str, scope: str, index: int) -> tuple[int, int | None, list[Any]]:
    """The chunk that holds item *index* of an open container: the index of its first item, their total, its items."""
    with cursor() as sql:
        row = sql.execute(_ITEMS, [execution_id, node_id, scope, index], prepare=True).fetchone()
    if row is None:
        raise LookupError(f"{scope}/{node_id} of run {execution_id} has no items")
    return row[0], row[1], row[2]


def waiting(execution_id: UUID) -> dict[Visit, WaitingRow]:
    """The rows that wait for their next attempt."""
    with cursor() as sql:
        rows = sql.execute(_WAITING, [execution_id], prepare=True).fetchall()
    return {(scope, node_id): WaitingRow(*more) for scope, node_id, *more in rows}


def is_out(
    execution_id: UUID, *, scope: str = "", nodes: Sequence[str] | None = None, within: str | None = None
) -> bool:
    """Whether a visit of the run is under way: of one of *nodes* in *scope*, of a scope that begins with *within*."""
    told = {"run": execution_id, "scope": scope, "nodes": None if nodes is None else list(nodes), "within": within}
    with cursor() as sql:
        row = sql.execute(_OUT, told, prepare=True).fetchone()
    return bool(row and row[0])


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


def _whole(text: str | None, ref: Any) -> str:
    """An output from its row, or from where the row says that it is."""
    return text if text is not None else blobs.get(blobs.load_blob(ref))
