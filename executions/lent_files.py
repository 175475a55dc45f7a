"""The files of a workspace as one attempt is lent them (`handlers.ports.Files`)."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

from executions import outage
from handlers import InputError
from handlers.ports import StoredFile
from workflows.files import contents, services
from workflows.files.errors import FileMissing
from workflows.files.models import WorkspaceFile


@dataclass(frozen=True, slots=True)
class LentFiles:
    """Waits while the database is away, as the engine does; a storage that is away is another attempt's business."""

    workspace_id: UUID

    def read(self, path: str, *, max_bytes: int) -> bytes:
        return outage.asked(lambda: services.read_file(self.workspace_id, path, max_bytes=max_bytes))

    def write(
        self, path: str, content: bytes, *, content_type: str | None = None, overwrite: bool = False
    ) -> StoredFile:
        stored = outage.asked(lambda: services.store(self.workspace_id, path, content, overwrite=overwrite))
        try:
            # Safe to be tried again when the connection broke in the commit: entered is entered.
            entered = outage.asked(
                lambda: services.enter(self.workspace_id, path, stored, content_type=content_type, overwrite=overwrite)
            )
        except InputError:  # of anything else nobody knows whether it was entered
            contents.discard(stored.key)
            raise
        return _told(entered)

    def stat(self, path: str) -> StoredFile | None:
        with suppress(FileMissing):
            return _told(outage.asked(lambda: services.find_file(self.workspace_id, path)))
        return None


def _told(file: WorkspaceFile) -> StoredFile:
    return StoredFile(path=file.path, size=file.size, content_type=file.content_type)
