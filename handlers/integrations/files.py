"""Files of the workspace that go to a service or come from one."""

from __future__ import annotations

from mimetypes import guess_type
from typing import Annotated, Any, Final, TypeAlias

from pydantic import BeforeValidator

from handlers.base import JSONObject
from handlers.integrations.parameters import Errand

MAX_UPLOAD_BYTES: Final = 50 * 1024 * 1024


def _path(value: Any) -> Any:
    """A path, or what a node that made a file says of it."""
    return value["path"] if isinstance(value, dict) and isinstance(value.get("path"), str) else value


# The path of a file in the workspace, or the object that nodes refer to one by.
FilePath: TypeAlias = Annotated[str, BeforeValidator(_path)]


def read_file(path: str, errand: Errand) -> tuple[bytes, str, str]:
    """Content, media type and name of the file at *path*."""
    content = errand.lent.files.read(path, max_bytes=MAX_UPLOAD_BYTES)
    stored = errand.lent.files.stat(path)
    name = path.rpartition("/")[2]
    return content, (stored.content_type if stored else guess_type(name)[0]) or "application/octet-stream", name


def write_file(path: str, content: bytes, errand: Errand, *, content_type: str | None = None) -> JSONObject:
    """Store what a service sent at *path*, in place of what an attempt before this one stored there."""
    return errand.lent.files.write(path, content, content_type=content_type, overwrite=True).to_json()
