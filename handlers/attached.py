"""Files of the workspace that a configuration refers to, read to be sent on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from mimetypes import guess_type
from typing import Any

from handlers.ports import Files


@dataclass(frozen=True, slots=True, kw_only=True)
class Attached:
    name: str  # without the folders it is in
    content_type: str
    content: bytes


def path_of(item: Any) -> str:
    """The path that *item* is, or that of the file which another node has stored. Raises ValueError."""
    path = item.get("path") if isinstance(item, Mapping) else item
    if not isinstance(path, str) or not path:
        raise ValueError("A file is named by its path, or is what another node has stored.")
    return path


def read_attached(paths: Iterable[str], files: Files, *, max_bytes: int) -> list[Attached]:
    """All of them, of at most *max_bytes* together. Raises what `Files.read` does."""
    found, left = [], max_bytes
    for path in paths:
        content = files.read(path, max_bytes=left)
        left -= len(content)
        stored = files.stat(path)
        content_type = stored.content_type if stored else guess_type(path)[0] or "application/octet-stream"
        found.append(Attached(name=path.rpartition("/")[2], content_type=content_type, content=content))
    return found
