"""What nodes say about their run: entries by key, which pages and the API show beside it. The last one of a key stays.

An entry is one statement of its own that takes no lock on the run: what is said is there while the node still works,
and stays when its attempt fails. Several that begin new keys at the same moment may go a little over the bound.

What is told of an entry is what it has become, with a number that grows with each of its changes: who hears of two in
the wrong order, or of one that is in a snapshot already, keeps the newer.
"""

from __future__ import annotations

import json
from typing import Any, Final, Literal, TypeAlias
from uuid import UUID

from django.db import connection, transaction

from executions import outage, signals
from executions.models import RunMetadata
from handlers import InputError, JSONObject, JSONValue
from handlers.values import LARGEST_SUMMAND, is_summable
from workflows.fields import storable

MOST_ENTRIES: Final = 100  # of a run
LONGEST_KEY: Final = 128  # characters
LONGEST_VALUE: Final = 16_384  # characters of JSON: it is shown beside a run, and sent to all that watch it

How: TypeAlias = Literal["set", "append", "increment"]

_TOO_LARGE: Final = "metadata_too_large"
# What an entry becomes. As with variables, what is no list, or no number, begins anew (core.variables).
_BECOMES: Final[dict[How, str]] = {
    "set": "EXCLUDED.value",
    # Texts of JSON are joined as texts: `json` keeps them as they were written, without spaces around.
    "append": """
        CASE WHEN json_typeof(entry.value) = 'array' AND entry.value::text <> '[]'
             THEN (left(entry.value::text, -1) || ',' || substr(EXCLUDED.value::text, 2))::json
             ELSE EXCLUDED.value END""",
    "increment": """
        CASE WHEN json_typeof(entry.value) = 'number'
             THEN (entry.value::text::numeric + EXCLUDED.value::text::numeric)::text::json
             ELSE EXCLUDED.value END""",
}
_WRITE: Final = """
    INSERT INTO executions_runmetadata AS entry (execution_id, key, value, revision)
    SELECT %(execution_id)s, %(key)s, %(value)s, 1
    WHERE EXISTS (SELECT FROM executions_runmetadata WHERE execution_id = %(execution_id)s AND key = %(key)s)
       OR (SELECT count(*) FROM executions_runmetadata WHERE execution_id = %(execution_id)s) < %(most)s
    ON CONFLICT (execution_id, key) DO UPDATE SET value = {becomes}, revision = entry.revision + 1
    WHERE length(({becomes})::text) <= %(longest)s
    RETURNING value::text, revision
"""


def write_entry(execution_id: UUID, key: str, value: str, *, how: How = "set") -> None:
    """Set an entry to *value*, JSON text; or append *value* to its list, or add *value* to its number.

    Raises InputError. A database that goes away in that very moment may have it appended or added twice.
    """
    key = str(storable(key))
    if how not in _BECOMES:
        raise InputError(f"A run's metadata is changed by {', '.join(_BECOMES)}, not {how!r}.", code="invalid_metadata")
    if not 1 <= len(key) <= LONGEST_KEY:
        raise InputError(f"A key of a run's metadata has 1 to {LONGEST_KEY} characters.", code=_TOO_LARGE)
    if how == "increment":
        _check_number(key, value)
    elif how == "append":
        value = f"[{value}]"
    if len(value) > LONGEST_VALUE:
        raise _too_large(key, f"has {len(value):,}")
    written = outage.retried(lambda: _write(execution_id, key, value, how))
    if written is None:
        if RunMetadata.objects.filter(execution=execution_id, key=key).exists():
            raise _too_large(key, "would have more")
        raise InputError(
            f"The run has {MOST_ENTRIES} entries of metadata already, and {key!r} would be one more.",
            code="metadata_full",
        )
    now, revision = written
    transaction.on_commit(
        lambda: signals.metadata_set.send(sender=None, execution_id=execution_id, key=key, value=now, revision=revision)
    )


def metadata_of(execution_id: UUID) -> JSONObject:
    """The entries of a run, in the order in which their keys were first set."""
    return {key: value for key, value, _ in entries_of(execution_id)}


def entries_of(execution_id: UUID) -> list[tuple[str, JSONValue, int]]:
    """The same, each with how often it was written."""
    rows = RunMetadata.objects.filter(execution_id=execution_id).order_by("pk")
    return list(rows.values_list("key", "value", "revision"))


def _check_number(key: str, value: str) -> None:
    number = json.loads(value)
    if isinstance(number, bool) or not isinstance(number, int | float) or not is_summable(number):
        raise InputError(
            f"The metadata {key!r} is incremented by a number within ±{LARGEST_SUMMAND:g}, not by {value[:80]}.",
            code="invalid_metadata",
        )


def _too_large(key: str, has: str) -> InputError:
    return InputError(
        f"The metadata {key!r} {has} characters of JSON, and may have {LONGEST_VALUE:,}: the place of a large result is"
        " the node's output.",
        code=_TOO_LARGE,
    )


def _write(execution_id: UUID, key: str, value: str, how: How) -> tuple[str, int] | None:
    """What the entry is now, as JSON text, and how often it was written. None: there is no room for it."""
    told: dict[str, Any] = {
        "execution_id": execution_id,
        "key": key,
        "value": value,
        "most": MOST_ENTRIES,
        "longest": LONGEST_VALUE,
    }
    with connection.cursor() as cursor:
        cursor.execute(_WRITE.format(becomes=_BECOMES[how]), told)
        written: tuple[str, int] | None = cursor.fetchone()
    return written
