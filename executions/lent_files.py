"""The files of a workspace as one attempt is lent them (`handlers.ports.Files`)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from django.db import connection

from executions import outage
from handlers import InputError
from handlers.ports import StoredFile
from workflows.files import contents, services
from workflows.files.errors import FileMissing
from workflows.files.models import WorkspaceFile

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class LentFiles:
    """Waits while the database is away, as the engine does; a storage that is away is another attempt's business."""

    workspace_id: UUID

    def read(self, path: str, *, max_bytes: int) -> bytes:
        return _asked(lambda: services.read_file(self.workspace_id, path, max_bytes=max_bytes))

    def write(
        self, path: str, content: bytes, *, content_type: str | None = None, overwrite: bool = False
    ) -> StoredFile:
        stored = _asked(lambda: services.store(self.workspace_id, path, content, overwrite=overwrite))
        try:
            # Safe to be tried again when the connection broke in the commit: entered is entered.
            entered = _asked(
                lambda: services.enter(self.workspace_id, path, stored, content_type=content_type, overwrite=overwrite)
            )
        except InputError:  # of anything else nobody knows whether it was entered
            contents.discard(stored.key)
            raise
        return _told(entered)

    def stat(self, path: str) -> StoredFile | None:
        with suppress(FileMissing):
            return _told(_asked(lambda: services.find_file(self.workspace_id, path)))
        return None


def _told(file: WorkspaceFile) -> StoredFile:
    return StoredFile(path=file.path, size=file.size, content_type=file.content_type)


def _asked(action: Callable[[], T]) -> T:
    """What *action* comes to. The connection is given back: what a node does next may take minutes."""
    try:
        return outage.retried(action)
    finally:
        if not connection.in_atomic_block:
            connection.close()
