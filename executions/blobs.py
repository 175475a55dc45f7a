"""Texts too large for their row, in blob storage: written before the row that refers to them, and never changed.

The storage is Django's, `STORAGES["outputs"]`. All web and worker processes must see the same one. Keys are
`<workspace>/<execution>/<random>`, so that what no row refers to (its write was lost, or undone) is found under its
run, and goes with it.
"""

from __future__ import annotations

import gzip
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

from django.core.files.base import ContentFile
from django.core.files.storage import Storage, storages

from executions.core import BlobDamaged, BlobError, BlobMissing, BlobsAway
from handlers import JSONObject

_LEVEL: Final = 1  # of compression: 64 MB of JSON take half a second, and shrink to a few per cent more than at 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Blob:
    """Where a text lies and what it is: kept in a column of its own, in the text's place."""

    key: str
    characters: int
    bytes: int  # in UTF-8
    sha256: str  # of what is stored

    def dump(self) -> JSONObject:
        return asdict(self)


def load_blob(data: Mapping[str, Any]) -> Blob:
    return Blob(**data)


def put(text: str, *, workspace_id: UUID, execution_id: UUID) -> Blob:
    """Store *text*, for good when this returns. Raises BlobsAway."""
    content = text.encode()
    # Without `.gz` in its name: object storages would declare its encoding by it, and unpack it on the way back.
    packed = gzip.compress(content, _LEVEL, mtime=0)
    with _asking():
        key = _storage().save(_new_key(workspace_id, execution_id), ContentFile(packed))
    return Blob(key=key, characters=len(text), bytes=len(content), sha256=sha256(packed).hexdigest())


def get(blob: Blob) -> str:
    """The whole text. Raises BlobMissing, BlobDamaged, BlobsAway."""
    return gzip.decompress(_packed(blob)).decode()


def copy(blob: Blob, *, workspace_id: UUID, execution_id: UUID) -> Blob:
    """The same text for another run, which outlives the first. Raises BlobMissing, BlobDamaged, BlobsAway."""
    packed = _packed(blob)
    with _asking():
        key = _storage().save(_new_key(workspace_id, execution_id), ContentFile(packed))
    return replace(blob, key=key)


def keys_of(workspace_id: UUID, execution_id: UUID) -> list[str]:
    """Everything that lies there for a run, whether a row refers to it or not. Raises BlobsAway."""
    folder = _folder(workspace_id, execution_id)
    try:
        with _asking(folder):
            _, names = _storage().listdir(folder)
    except BlobMissing:
        return []
    return [f"{folder}/{name}" for name in names]


def delete_of(workspace_id: UUID, execution_id: UUID) -> int:
    """Delete all blobs of a run, orphans as well. Returns how many. Raises BlobsAway."""
    keys = keys_of(workspace_id, execution_id)
    with _asking():
        for key in keys:
            _storage().delete(key)
        if keys:
            _storage().delete(_folder(workspace_id, execution_id))  # where folders are more than a part of a key
    return len(keys)


def _packed(blob: Blob) -> bytes:
    with _asking(blob.key), _storage().open(blob.key) as opened:
        packed: bytes = opened.read()
    if sha256(packed).hexdigest() != blob.sha256:
        raise BlobDamaged(blob.key)
    return packed


def _new_key(workspace_id: UUID, execution_id: UUID) -> str:
    return f"{_folder(workspace_id, execution_id)}/{secrets.token_hex(16)}"


def _folder(workspace_id: UUID, execution_id: UUID) -> str:
    return f"{workspace_id}/{execution_id}"


def _storage() -> Storage:
    return storages["outputs"]


@contextmanager
def _asking(key: str | None = None) -> Iterator[None]:
    """Whatever a storage raises (each has errors of its own) becomes ours; of a *key* it says when it is not there."""
    try:
        yield
    except BlobError:
        raise
    except FileNotFoundError as error:
        if key is None:
            raise BlobsAway(f"the storage of large outputs does not take them: {error}") from error
        raise BlobMissing(key) from error
    except Exception as error:
        raise BlobsAway(f"the storage of large outputs does not answer: {type(error).__name__}: {error}") from error
