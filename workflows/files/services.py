"""What is done with files: find, read, write, delete. A write is in two steps, each safe to be repeated.

`store` writes the content, `enter` makes it what lies under a path. Between the two a content has no row; if nobody
enters it, `discard` it.
"""

from __future__ import annotations

import re
from mimetypes import guess_type
from typing import IO, Any, Final
from uuid import UUID

from django.conf import settings
from django.core.files.base import ContentFile, File
from django.db import transaction
from django.db.models import Sum

from handlers import InputError
from handlers.paths import clean_path
from workflows.files import contents
from workflows.files.contents import Content
from workflows.files.errors import FileExists, FileMissing, FilesAway, FileTooLarge, QuotaExceeded
from workflows.files.models import LONGEST_TYPE, WorkspaceFile
from workflows.workspaces.models import Workspace

UNKNOWN_TYPE: Final = "application/octet-stream"
# What clients send who do not know, or have not been told.
_UNTOLD: Final = frozenset({UNKNOWN_TYPE, "application/x-www-form-urlencoded", "binary/octet-stream"})
# It becomes a header. Source: RFC 6838, 4.2, and a parameter or two.
_TYPE: Final = re.compile(r"[A-Za-z0-9][\w!#$&^.+-]*/[A-Za-z0-9][\w!#$&^.+-]*(; ?[\w-]+=[\w.+-]+)*", re.ASCII)


def find_file(workspace_id: UUID, path: str) -> WorkspaceFile:
    """What lies under *path*. Raises BadPath, FileMissing."""
    clean = clean_path(path)
    found: WorkspaceFile | None = WorkspaceFile.objects.of(workspace_id).filter(path=clean).first()
    if found is None:
        raise FileMissing(clean)
    return found


def read_file(workspace_id: UUID, path: str, *, max_bytes: int) -> bytes:
    """The content of a file. Raises BadPath, FileMissing, FileTooLarge, FilesAway."""
    found = find_file(workspace_id, path)
    if found.size > max_bytes:
        raise FileTooLarge(found.path, size=found.size, most=max_bytes)
    try:
        return contents.get(found.key)
    except FilesAway:
        now = find_file(workspace_id, path)
        if now.key == found.key:
            raise
        return read_file(workspace_id, path, max_bytes=max_bytes)  # it has been replaced under our eyes


def open_file(file: WorkspaceFile) -> IO[Any]:
    """The content of *file* to read from, for whoever closes it. Raises FilesAway."""
    return contents.opened(file.key)


def write_file(
    workspace_id: UUID,
    path: str,
    content: File[bytes] | bytes,
    *,
    content_type: str | None = None,
    overwrite: bool = False,
) -> WorkspaceFile:
    """Store *content* under *path*, for good when this returns; the type is guessed from the name if None.

    Raises BadPath, FileExists, FileTooLarge, QuotaExceeded, FilesAway, and has then changed nothing.
    """
    stored = store(workspace_id, path, content, overwrite=overwrite)
    try:
        return enter(workspace_id, path, stored, content_type=content_type, overwrite=overwrite)
    except InputError:  # of anything else nobody knows whether it was entered
        contents.discard(stored.key)
        raise


def store(workspace_id: UUID, path: str, content: File[bytes] | bytes, *, overwrite: bool) -> Content:
    """The first half of a write: *content* in its storage. Raises as `write_file`; its refusals are early ones."""
    given: File[bytes] = ContentFile(content) if isinstance(content, bytes) else content
    clean = clean_path(path)
    if given.size > settings.FLOWMAESTRO_MAX_FILE_BYTES:
        raise FileTooLarge(clean, size=given.size, most=settings.FLOWMAESTRO_MAX_FILE_BYTES)
    if not overwrite and WorkspaceFile.objects.of(workspace_id).filter(path=clean).exists():
        raise FileExists(clean)
    return contents.put(given, workspace_id=workspace_id)


def enter(
    workspace_id: UUID, path: str, content: Content, *, content_type: str | None, overwrite: bool
) -> WorkspaceFile:
    """The second half: *content* lies under *path*, in one transaction. Entered already, it stays as it is.

    Raises FileExists, QuotaExceeded.
    """
    clean = clean_path(path)
    values: dict[str, Any] = {
        "key": content.key,
        "size": content.size,
        "sha256": content.sha256,
        "content_type": _type_of(clean, content_type),
    }
    with transaction.atomic():
        # Writers of one workspace take turns from here on, for the sum of sizes; its runs and readers do not wait.
        Workspace.objects.select_for_update(no_key=True).get(pk=workspace_id)
        there: WorkspaceFile | None = _locked(workspace_id, clean)
        if there is not None and there.key == content.key:
            return there
        if there is not None and not overwrite:
            raise FileExists(clean)
        _check_quota(workspace_id, content.size, replaced=there.size if there else 0)
        if there is None:
            return WorkspaceFile.objects.create(workspace_id=workspace_id, path=clean, **values)
        replaced = there.key
        for name, value in values.items():
            setattr(there, name, value)
        there.save(update_fields=[*values, "updated_at"])
        transaction.on_commit(lambda: contents.discard(replaced))
        return there


def delete_file(workspace_id: UUID, path: str) -> None:
    """Remove a file for good. Raises BadPath, FileMissing."""
    clean = clean_path(path)
    with transaction.atomic():
        found = _locked(workspace_id, clean)
        if found is None:
            raise FileMissing(clean)
        found.delete()
        transaction.on_commit(lambda: contents.discard(found.key))


def _locked(workspace_id: UUID, path: str) -> WorkspaceFile | None:
    found: WorkspaceFile | None = WorkspaceFile.objects.of(workspace_id).select_for_update().filter(path=path).first()
    return found


def _type_of(path: str, content_type: str | None) -> str:
    """The type that was told, if it is one and says something; else what the name of the file says."""
    told = content_type or ""
    if len(told) <= LONGEST_TYPE and _TYPE.fullmatch(told) and told.lower() not in _UNTOLD:
        return told
    return guess_type(path)[0] or UNKNOWN_TYPE


def _check_quota(workspace_id: UUID, size: int, *, replaced: int) -> None:
    most = settings.FLOWMAESTRO_MAX_WORKSPACE_FILE_BYTES
    if not most:
        return
    used = WorkspaceFile.objects.of(workspace_id).aggregate(used=Sum("size"))["used"] or 0
    if used - replaced + size > most:
        raise QuotaExceeded(used=used, most=most, needed=size)
