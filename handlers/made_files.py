"""Files that a node makes: where they go, and how a second attempt finds what the first left behind.

Without a path of the author's, a file goes to a folder that this visit of this node alone writes to, so that another
attempt replaces its own file and nothing else. Under a path of the author's that may not be overwritten, another
attempt that finds the very same content knows that it was the first one, whose answer was lost.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pydantic import Field

from handlers.base import NodeData, NodeInput
from handlers.errors import InputError
from handlers.given_files import workspace_path
from handlers.paths import clean_path
from handlers.ports import Lent, StoredFile
from handlers.run_files import path_in_run

FORMS: Final[Mapping[str, tuple[str, str]]] = {  # ending and content type
    "pdf": (".pdf", "application/pdf"),
    "xlsx": (".xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    "csv": (".csv", "text/csv"),
    "png": (".png", "image/png"),
    "svg": (".svg", "image/svg+xml"),
    "jpeg": (".jpg", "image/jpeg"),
    "webp": (".webp", "image/webp"),
}


class FileData(NodeData):
    """A stored file in an output; other nodes take it for the file."""

    path: str
    name: str
    size: int = Field(description="Bytes.")
    content_type: str


def keep(
    node: NodeInput[Any], lent: Lent, content: bytes, *, filename: str, extension: str, content_type: str
) -> StoredFile:
    """Store what the node made in the folder of its visit; *filename* gets its *extension* if it lacks one.

    With a `/` in it, *filename* is a path in the workspace, where it replaces what is there: who writes one wants the
    newest there. Raises InputError for a name that is no path.
    """
    name = filename if filename.lower().endswith(extension) else f"{filename}{extension}"
    path = clean_path(workspace_path(name) if "/" in name else path_in_run(node, name))
    return lent.files.write(path, content, content_type=content_type, overwrite=True)


def keep_as(form: str, node: NodeInput[Any], lent: Lent, content: bytes, *, filename: str) -> StoredFile:
    """`keep` with the ending and the type of a *form* in FORMS."""
    extension, content_type = FORMS[form]
    return keep(node, lent, content, filename=filename, extension=extension, content_type=content_type)


def put(
    node: NodeInput[Any], lent: Lent, content: bytes, *, path: str, overwrite: bool, content_type: str | None = None
) -> StoredFile:
    """Store *content* under a path of the author's. Raises InputError with code `file_exists` unless it may."""
    clean = clean_path(workspace_path(path))
    try:
        return lent.files.write(clean, content, content_type=content_type, overwrite=overwrite)
    except InputError as refusal:
        if refusal.code == "file_exists" and node.attempt > 1 and _is_there(lent, clean, content):
            there = lent.files.stat(clean)
            if there is not None:
                return there
        raise


def _is_there(lent: Lent, path: str, content: bytes) -> bool:
    try:
        return lent.files.read(path, max_bytes=len(content)) == content
    except InputError:  # larger, or gone again
        return False
