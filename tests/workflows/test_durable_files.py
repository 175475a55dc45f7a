from __future__ import annotations

import os
from pathlib import Path

import pytest
from django.core.files.base import ContentFile

from workflows.durable_files import DurableFiles


def test_file_and_the_folders_on_its_way_are_readable_by_us_only(tmp_path: Path) -> None:
    files = DurableFiles(location=str(tmp_path / "blobs"))

    files.save("space/run/key", ContentFile(b"secret"))

    paths = [tmp_path / "blobs" / part for part in ("", "space", "space/run", "space/run/key")]
    assert [oct(path.stat().st_mode & 0o777) for path in paths] == ["0o700", "0o700", "0o700", "0o600"]


def test_file_is_on_the_disk_when_it_is_saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the entries of new folders: the row that refers to it survives a power cut, too."""
    synced: list[str] = []
    real = os.fsync

    def fsync(descriptor: int) -> None:
        synced.append(os.path.relpath(Path(f"/proc/self/fd/{descriptor}").readlink(), tmp_path))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)

    DurableFiles(location=str(tmp_path / "blobs")).save("space/run/key", ContentFile(b"x"))

    assert synced == ["blobs/space/run/key", "blobs/space/run", "blobs/space", "blobs", "."]


def test_file_system_that_cannot_sync_folders_is_taken_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.fsync

    def fsync(descriptor: int) -> None:
        if Path(f"/proc/self/fd/{descriptor}").is_dir():
            raise OSError(22, "Invalid argument")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    files = DurableFiles(location=str(tmp_path))

    with files.open(files.save("a/b", ContentFile(b"x"))) as opened:
        assert opened.read() == b"x"


def test_file_that_cannot_be_synced_is_not_saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever stores it must hear of it."""

    def fsync(descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", fsync)

    with pytest.raises(OSError, match="Input/output"):
        DurableFiles(location=str(tmp_path)).save("key", ContentFile(b"x"))
