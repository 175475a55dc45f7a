"""Large outputs as files: the storage of a site on one machine, or on several that share a folder."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Final

from django.core.files.storage import FileSystemStorage

_OURS_ONLY: Final = {"file_permissions_mode": 0o600, "directory_permissions_mode": 0o700}


class DurableFiles(FileSystemStorage):
    """Files that are on the disk when `save` returns, as the row is that refers to them; readable by us only."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**(_OURS_ONLY | options))

    def save(self, name: str | None, content: IO[Any], max_length: int | None = None) -> str:
        saved = super().save(name, content, max_length)
        path, root = Path(self.path(saved)), Path(self.location)
        _sync(path)
        for folder in path.parents:
            with suppress(OSError):  # some network file systems know no such thing for folders
                _sync(folder)
            if folder == root.parent:
                break
        return saved


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
