"""What the nodes of a run remember for each other (`handlers.ports.Memory`): rows of their own, no lock on the run.

What a node stores is there at once and stays when its attempt fails: another attempt stores it again. Of each node that
stored under a key there is a row, and the latest counts. So a run that keeps some nodes of the one before it has
precisely what these stored, and nothing of those that run again.

Two nodes that store at the same moment wait for each other, for the length of a statement or two, by an advisory lock
on the run's memory: both would find room where there is room for one.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.db import connection, transaction

from executions import outage, outputs
from executions.models import Execution, MemoryEntry
from handlers import InputError
from handlers.ports import LONGEST_KEY, Remembered
from workflows.fields import storable

MOST_ENTRIES: Final = 1_000
MOST_BYTES: Final = 10 * 1024**2  # of all values of a run
MOST_VALUE_BYTES: Final = 100 * 1024

_LOCK: Final = "SELECT pg_advisory_xact_lock(hashtextextended('memory:' || %(execution_id)s, 0))"
_ROOM: Final = """
    SELECT count(DISTINCT key) FILTER (WHERE key <> %(key)s) + 1,
           coalesce(sum(size) FILTER (WHERE key <> %(key)s OR node_id <> %(node_id)s), 0) + %(size)s
    FROM executions_memoryentry WHERE execution_id = %(execution_id)s
"""
_STORE: Final = """
    INSERT INTO executions_memoryentry
        (execution_id, key, node_id, value, size, embedding, embedded_by, first_at, stored_at)
    VALUES (%(execution_id)s, %(key)s, %(node_id)s, %(value)s, %(size)s, %(embedding)s, %(embedded_by)s,
            clock_timestamp(), clock_timestamp())
    ON CONFLICT (execution_id, key, node_id) DO UPDATE SET
        value = EXCLUDED.value, size = EXCLUDED.size, embedding = EXCLUDED.embedding,
        embedded_by = EXCLUDED.embedded_by, stored_at = EXCLUDED.stored_at
"""
_COPY: Final = """
    INSERT INTO executions_memoryentry
        (execution_id, key, node_id, value, size, embedding, embedded_by, first_at, stored_at)
    SELECT %(execution_id)s, key, node_id, value, size, embedding, embedded_by, first_at, stored_at
    FROM executions_memoryentry WHERE execution_id = %(before)s AND node_id = ANY(%(nodes)s)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class LentMemory:
    """The memory of a run as one node sees it."""

    execution_id: UUID
    node_id: str  # the top-level node, or the one in whose body it is
    hide: Callable[[str], str]  # JSON text without the secrets that are known by now

    def store(self, entry: Remembered) -> None:
        key = entry.key
        if not 1 <= len(key) <= LONGEST_KEY or storable(key) != key:
            raise InputError(
                f"The key of an entry in shared memory has 1 to {LONGEST_KEY} characters, without NUL.",
                code="invalid_key",
            )
        value = self.hide(outputs.encoded(entry.value))
        size = outputs.size(value)
        if size > MOST_VALUE_BYTES:
            raise InputError(
                f"The value for {key!r} has {size:,} bytes of JSON; in shared memory {MOST_VALUE_BYTES:,} are allowed.",
                code="value_too_large",
            )
        outage.asked(lambda: self._store(entry, value, size))

    def all(self) -> Sequence[Remembered]:
        return outage.asked(lambda: entries_of(self.execution_id))

    def _store(self, entry: Remembered, value: str, size: int) -> None:
        told: dict[str, Any] = {
            "execution_id": str(self.execution_id),
            "key": entry.key,
            "node_id": self.node_id,
            "value": value,
            "size": size,
            "embedding": None if entry.embedding is None else array("f", entry.embedding).tobytes(),
            "embedded_by": entry.embedded_by,
        }
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_LOCK, told)
            cursor.execute(_ROOM, told)
            entries, size_of_all = cursor.fetchone()
            if entries > MOST_ENTRIES or size_of_all > MOST_BYTES:
                raise InputError(
                    f"The run's shared memory is full: it holds {MOST_ENTRIES:,} entries and {MOST_BYTES:,} bytes.",
                    code="memory_full",
                )
            cursor.execute(_STORE, told)


def entries_of(execution_id: UUID) -> list[Remembered]:
    """What a run remembers, in the order in which the keys were first stored."""
    rows = MemoryEntry.objects.filter(execution_id=execution_id).order_by("first_at", "pk")
    latest: dict[str, MemoryEntry] = {}
    for row in rows:
        before = latest.get(row.key)
        if before is None or row.stored_at >= before.stored_at:
            latest[row.key] = row  # at the place of the first
    return [_told(row) for row in latest.values()]


def copy_entries(before: Execution, run: Execution, nodes: Collection[str]) -> None:
    """Give *run* what these top-level nodes of *before* stored, themselves or in their bodies."""
    with connection.cursor() as cursor:
        cursor.execute(_COPY, {"execution_id": run.pk, "before": before.pk, "nodes": list(nodes)})


def _told(row: MemoryEntry) -> Remembered:
    floats = None if row.embedding is None else tuple(array("f", bytes(row.embedding)))
    return Remembered(key=row.key, value=row.value, embedding=floats, embedded_by=row.embedded_by)
