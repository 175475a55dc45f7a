"""Contents that no row refers to: of a write that was lost between its two halves, of a delete that was cut short."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.core.files.storage import storages

from workflows.files import contents
from workflows.files.models import WorkspaceFile
from workflows.models import Workspace

# A content is stored before its row is written; however long the database was away, that is over within a day.
LEAST_AGE: Final = timedelta(days=1)


def remove_leftovers(*, now: datetime) -> int:
    """Delete what lies in the storage of files for no file's sake, and has for a day. Returns how many contents."""
    removed = 0
    for workspace_id in Workspace.objects.order_by("pk").values_list("pk", flat=True):
        for key in list(_leftovers(workspace_id, now)):
            contents.discard(key)
            removed += 1
    return removed


def _leftovers(workspace_id: UUID, now: datetime) -> Iterator[str]:
    storage = storages["files"]
    try:
        _, names = storage.listdir(str(workspace_id))
    except FileNotFoundError:  # it has never had a file
        return
    # Rows are read after the list: what is entered in between has one, and is too young besides.
    kept = set(WorkspaceFile.objects.of(workspace_id).values_list("key", flat=True))
    for name in names:
        key = f"{workspace_id}/{name}"
        if key not in kept and now - storage.get_modified_time(key) > LEAST_AGE:
            yield key
