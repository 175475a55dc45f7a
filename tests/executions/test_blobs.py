from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from pytest_django.fixtures import Settings

from executions import blobs
from executions.core import BlobDamaged, BlobMissing, BlobsAway
from tests.executions.storages import Shaky, with_outputs_in
from workflows.ids import uuid7

SPACE, RUN, OTHER = UUID(int=1), UUID(int=2), UUID(int=3)


@pytest.fixture(params=["django.core.files.storage.InMemoryStorage", "workflows.durable_files.DurableFiles"])
def storage(request: pytest.FixtureRequest, settings: Settings, tmp_path: Path) -> Any:
    settings.STORAGES = with_outputs_in(request.param, location=str(tmp_path / "blobs"))
    return storages["outputs"]


@pytest.fixture
def shaky(settings: Settings) -> Shaky:
    settings.STORAGES = with_outputs_in("tests.executions.storages.Shaky")
    return storages["outputs"]


def put(text: str, run: UUID = RUN) -> blobs.Blob:
    return blobs.put(text, workspace_id=SPACE, execution_id=run)


@pytest.mark.parametrize("text", ["", '"x"', '{"grüße":"日本語 \U0001f600 \u2028","nul":"\\u0000"}', "[1.0]" * 500_000])
def test_text_put_is_read_back_to_the_letter(storage: Any, text: str) -> None:
    blob = put(text)

    assert blobs.get(blobs.load_blob(blob.dump())) == text
    assert (blob.characters, blob.bytes) == (len(text), len(text.encode()))


def test_text_is_compressed(storage: Any) -> None:
    """JSON repeats itself: a megabyte of it need not be one."""
    blob = put('{"name":"value"},' * 100_000)

    assert storage.size(blob.key) < 20_000


def test_key_is_of_the_run_and_never_used_twice(storage: Any) -> None:
    """Nothing that a person wrote is in it, nor an ending by which a storage would unpack it unasked."""
    keys = {put("same").key for _ in range(3)}

    assert len(keys) == 3
    assert all(re.fullmatch(rf"{SPACE}/{RUN}/[0-9a-f]{{32}}", key) for key in keys)


def test_blob_that_is_not_there_is_missing(storage: Any) -> None:
    blob = put("x")
    storage.delete(blob.key)

    with pytest.raises(BlobMissing, match=re.escape(blob.key)):
        blobs.get(blob)


def test_blob_that_was_changed_is_refused(storage: Any) -> None:
    """Before it is unpacked: what lies there is not ours."""
    blob = put("x")
    storage.delete(blob.key)
    storage.save(blob.key, ContentFile(b"something else"))

    with pytest.raises(BlobDamaged, match=re.escape(blob.key)):
        blobs.get(blob)


def test_blobs_of_a_run_go_with_it_and_others_stay(storage: Any) -> None:
    """Those that no row refers to as well: their keys say whose they are."""
    mine, other = [put("a"), put("b")], put("c", OTHER)

    deleted = blobs.delete_of(SPACE, RUN)

    assert (deleted, blobs.keys_of(SPACE, RUN), blobs.get(other)) == (2, [], "c")
    assert not any(storage.exists(blob.key) for blob in mine)


def test_blob_copied_outlives_the_run_it_is_of(storage: Any) -> None:
    """To the letter, and under the other run."""
    text = '{"grüße":"日本語"}'
    blob = put(text)

    copied = blobs.copy(blob, workspace_id=SPACE, execution_id=OTHER)
    blobs.delete_of(SPACE, RUN)

    assert (blobs.get(copied), blobs.keys_of(SPACE, OTHER)) == (text, [copied.key])
    assert (copied.characters, copied.bytes, copied.sha256) == (blob.characters, blob.bytes, blob.sha256)


def test_blob_that_is_damaged_is_not_copied(storage: Any) -> None:
    blob = put("x")
    storage.delete(blob.key)
    storage.save(blob.key, ContentFile(b"something else"))

    with pytest.raises(BlobDamaged, match=re.escape(blob.key)):
        blobs.copy(blob, workspace_id=SPACE, execution_id=OTHER)

    assert blobs.keys_of(SPACE, OTHER) == []


def test_run_without_blobs_has_none_to_delete(storage: Any) -> None:
    assert (blobs.keys_of(SPACE, uuid7()), blobs.delete_of(SPACE, uuid7())) == ([], 0)


@pytest.mark.parametrize("error", [OSError("stale file handle"), PermissionError(13, "no"), RuntimeError("throttled")])
def test_whatever_a_storage_raises_means_that_it_is_away(shaky: Shaky, error: Exception) -> None:
    """Each provider's library has errors of its own."""
    blob = put("x")
    shaky.error, shaky.away = error, {"save": 1, "open": 1}

    with pytest.raises(BlobsAway, match=re.escape(str(error))) as putting:
        put("y")
    with pytest.raises(BlobsAway):
        blobs.get(blob)

    assert putting.value.__cause__ is error
    assert blobs.get(blob) == "x"


def test_folder_that_cannot_be_made_is_no_missing_blob(shaky: Shaky) -> None:
    """A disk that is gone has no place for it, which says nothing of what was stored."""
    shaky.error, shaky.away["save"] = FileNotFoundError(2, "No such file or directory"), 1

    with pytest.raises(BlobsAway):
        put("x")
