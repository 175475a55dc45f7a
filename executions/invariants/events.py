"""Whether the events of a run are numbered without a gap: counted, not read."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Final
from uuid import UUID

from django.db import connection

from executions.invariants.findings import Finding, Invariant

# One statement, and so one moment: a run that goes on meanwhile has as many events as it says.
_MISCOUNTED: Final = """
    SELECT s.execution_id, s.seq, count(e.seq), coalesce(min(e.seq), 1), coalesce(max(e.seq), 0)
    FROM executions_executionstate s LEFT JOIN executions_event e ON e.execution_id = s.execution_id
    WHERE s.execution_id = ANY(%s)
    GROUP BY s.execution_id, s.seq
    HAVING count(e.seq) <> s.seq OR coalesce(max(e.seq), 0) <> s.seq OR coalesce(min(e.seq), 1) <> 1
"""


def event_gaps(runs: Collection[UUID]) -> Iterator[Finding]:
    """Runs whose events are not 1, 2, … up to the number in their state."""
    with connection.cursor() as cursor:
        cursor.execute(_MISCOUNTED, [list(runs)])
        rows = cursor.fetchall()
    for run, known, count, first, last in rows:
        numbers = f"{count} events from {first} to {last}" if count else "no events"
        yield Finding(
            code=Invariant.NUMBERS,
            execution_id=run,
            wrong=f"It has {numbers}, and its state says that {known} is the last.",
        )
