"""The contents of files in their storage, `STORAGES["files"]`: written once, read, deleted. Rows say whose they are."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from typing import IO, Any
from uuid import UUID

from django.core.files.base import File
from django.core.files.storage import Storage, storages

from workflows.files.errors import FilesAway

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What lies in the storage."""

    key: str
    size: int  # bytes
    sha256: str


def put(content: File[bytes], *, workspace_id: UUID) -> Content:
    """Store *content*, for good when this returns. Raises FilesAway."""
    digest, size = sha256(), 0
    for chunk in content.chunks():
        digest.update(chunk)
        size += len(chunk)
    content.seek(0)
    with _asking():
        key = _storage().save(f"{workspace_id}/{secrets.token_hex(16)}", content)
    return Content(key=key, size=size, sha256=digest.hexdigest())


def opened(key: str) -> IO[Any]:
    """The content to read from; whoever asks for it closes it. Raises FilesAway, also when it is not there.

    A row refers to it, so that is a folder which is not mounted, or somebody who tidied up behind our back.
    """
    with _asking():
        return _storage().open(key)


def get(key: str) -> bytes:
    """The whole content. Raises FilesAway."""
    with _asking(), opened(key) as content:
        return bytes(content.read())


def discard(key: str) -> None:
    """Delete a content that no row refers to any more. Never raises: what is left behind costs some room, no more."""
    try:
        _storage().delete(key)
    except Exception:
        logger.warning("the content %s is of no use any more, and could not be deleted", key, exc_info=True)


def _storage() -> Storage:
    return storages["files"]


@contextmanager
def _asking() -> Iterator[None]:
    """Whatever a storage raises, each has errors of its own, becomes ours."""
    try:
        yield
    except FilesAway:
        raise
    except Exception as error:
        raise FilesAway(f"The storage of files does not answer: {type(error).__name__}: {error}") from error
