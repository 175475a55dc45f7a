"""What nodes say about their run: entries by key, which pages and the API show beside it. The last one of a key stays.

An entry is one statement of its own that takes no lock on the run: what is said is there while the node still works,
and stays when its attempt fails. Several that begin new keys at the same moment may go a little over the bound.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

from django.db import connection, transaction

from executions import outage, signals
from executions.models import RunMetadata
from handlers import InputError, JSONObject
from workflows.fields import storable

MOST_ENTRIES: Final = 100  # of a run
LONGEST_KEY: Final = 128  # characters
LONGEST_VALUE: Final = 16_384  # characters of JSON: it is shown beside a run, and sent to all that watch it

_TOO_LARGE: Final = "metadata_too_large"
_SET: Final = """
    INSERT INTO executions_runmetadata (execution_id, key, value)
    SELECT %(execution_id)s, %(key)s, %(value)s
    WHERE EXISTS (SELECT FROM executions_runmetadata WHERE execution_id = %(execution_id)s AND key = %(key)s)
       OR (SELECT count(*) FROM executions_runmetadata WHERE execution_id = %(execution_id)s) < %(most)s
    ON CONFLICT (execution_id, key) DO UPDATE SET value = EXCLUDED.value
"""


def set_entry(execution_id: UUID, key: str, value: str) -> None:
    """Set one entry to *value*, JSON text, and tell it. Raises InputError."""
    key = str(storable(key))
    if not 1 <= len(key) <= LONGEST_KEY:
        raise InputError(f"A key of a run's metadata has 1 to {LONGEST_KEY} characters.", code=_TOO_LARGE)
    if len(value) > LONGEST_VALUE:
        raise InputError(
            f"The metadata {key!r} has {len(value):,} characters of JSON, and may have {LONGEST_VALUE:,}: the place of"
            " a large result is the node's output.",
            code=_TOO_LARGE,
        )
    if not outage.retried(lambda: _set(execution_id, key, value)):
        raise InputError(
            f"The run has {MOST_ENTRIES} entries of metadata already, and {key!r} would be one more.",
            code="metadata_full",
        )
    transaction.on_commit(
        lambda: signals.metadata_set.send(sender=None, execution_id=execution_id, key=key, value=value)
    )


def metadata_of(execution_id: UUID) -> JSONObject:
    """The entries of a run, in the order in which their keys were first set."""
    rows = RunMetadata.objects.filter(execution_id=execution_id).order_by("pk")
    return dict(rows.values_list("key", "value"))


def _set(execution_id: UUID, key: str, value: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(_SET, {"execution_id": execution_id, "key": key, "value": value, "most": MOST_ENTRIES})
        return bool(cursor.rowcount)
