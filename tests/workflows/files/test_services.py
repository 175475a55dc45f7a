from __future__ import annotations

from collections.abc import Iterator
from threading import Barrier, Thread
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.db import connection

from handlers.paths import BadPath
from tests.factories import WorkspaceFactory, WorkspaceFileFactory
from workflows.files import contents, services
from workflows.files.errors import FileExists, FileMissing, FilesAway, FileTooLarge, QuotaExceeded
from workflows.models import Workspace, WorkspaceFile

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(params=["django.core.files.storage.InMemoryStorage", "workflows.durable_files.DurableFiles"])
def storage(request: Any, settings: LazySettings, tmp_path: Any) -> Any:
    """Both kinds: objects by key, and files."""
    backend = {"BACKEND": request.param, "OPTIONS": {"location": str(tmp_path / "files")}}
    settings.STORAGES = {**settings.STORAGES, "files": backend}
    return storages["files"]


@pytest.fixture
def away(settings: LazySettings) -> Iterator[Any]:
    settings.STORAGES = {**settings.STORAGES, "files": {"BACKEND": "tests.executions.storages.Shaky", "OPTIONS": {}}}
    return storages["files"]


@pytest.fixture
def workspace() -> Workspace:
    return WorkspaceFactory()


def keys_in(storage: Any, workspace: Workspace) -> list[str]:
    return sorted(f"{workspace.pk}/{name}" for name in storage.listdir(str(workspace.pk))[1])


def test_file_written_is_read_as_it_was(storage: Any, workspace: Workspace) -> None:
    written = services.write_file(workspace.pk, "a/b.pdf", b"%PDF")

    assert services.read_file(workspace.pk, "a/b.pdf", max_bytes=4) == b"%PDF"
    assert (written.path, written.size, written.content_type) == ("a/b.pdf", 4, "application/pdf")


def test_upload_is_written_as_bytes_are(storage: Any, workspace: Workspace) -> None:
    written = services.write_file(workspace.pk, "big", ContentFile(b"ab" * 70_000))

    assert (written.size, written.content_type) == (140_000, "application/octet-stream")
    assert services.read_file(workspace.pk, "big", max_bytes=140_000) == b"ab" * 70_000


def test_file_of_another_workspace_is_not_there(storage: Any, workspace: Workspace) -> None:
    WorkspaceFileFactory(path="theirs")

    with pytest.raises(FileMissing):
        services.read_file(workspace.pk, "theirs", max_bytes=100)
    with pytest.raises(FileMissing):
        services.delete_file(workspace.pk, "theirs")
    assert services.write_file(workspace.pk, "theirs", b"mine").size == 4


def test_file_that_is_there_is_not_overwritten_unless_it_may_be(storage: Any, workspace: Workspace) -> None:
    services.write_file(workspace.pk, "a", b"first")

    with pytest.raises(FileExists, match="'a'"):
        services.write_file(workspace.pk, "a", b"second")
    with pytest.raises(FileExists):  # it came between the two halves of a write
        services.enter(
            workspace.pk,
            "a",
            contents.put(ContentFile(b"third"), workspace_id=workspace.pk),
            content_type=None,
            overwrite=False,
        )

    assert services.read_file(workspace.pk, "a", max_bytes=100) == b"first"


def test_file_overwritten_leaves_nothing_behind(storage: Any, workspace: Workspace) -> None:
    first = services.write_file(workspace.pk, "a", b"first", content_type="text/x-first")

    second = services.write_file(workspace.pk, "a", b"second", overwrite=True)

    assert (second.pk, second.size, second.content_type) == (first.pk, 6, "application/octet-stream")
    assert services.read_file(workspace.pk, "a", max_bytes=100) == b"second"
    assert keys_in(storage, workspace) == [second.key]


def test_file_entered_twice_is_one(storage: Any, workspace: Workspace) -> None:
    """Who lost the connection in the middle of a commit enters it again."""
    content = services.store(workspace.pk, "a", b"x", overwrite=False)

    rows = [services.enter(workspace.pk, "a", content, content_type=None, overwrite=False).pk for _ in range(2)]

    assert rows[0] == rows[1]
    assert services.read_file(workspace.pk, "a", max_bytes=1) == b"x"


def test_one_of_many_that_write_a_path_at_once_does(storage: Any, workspace: Workspace) -> None:
    """Without `overwrite`, a name is taken by exactly one, and its content is the one that is there."""
    started, done = Barrier(6), []

    def write(number: int) -> None:
        try:
            started.wait()
            services.write_file(workspace.pk, "a", f"{number}".encode())
            done.append(number)
        except FileExists:
            pass
        finally:
            connection.close()

    threads = [Thread(target=write, args=[number]) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [services.read_file(workspace.pk, "a", max_bytes=1)] == [f"{number}".encode() for number in done]
    assert len(keys_in(storage, workspace)) == 1


def test_file_deleted_is_gone_with_its_content(storage: Any, workspace: Workspace) -> None:
    services.write_file(workspace.pk, "a", b"x")

    services.delete_file(workspace.pk, "a")

    assert keys_in(storage, workspace) == []
    with pytest.raises(FileMissing):
        services.delete_file(workspace.pk, "a")


def test_path_that_leads_elsewhere_touches_nothing(storage: Any, workspace: Workspace) -> None:
    for act in (
        lambda: services.write_file(workspace.pk, "../a", b"x"),
        lambda: services.read_file(workspace.pk, "../a", max_bytes=1),
        lambda: services.delete_file(workspace.pk, "../a"),
    ):
        with pytest.raises(BadPath):
            act()

    assert not WorkspaceFile.objects.exists()


def test_path_of_a_file_is_no_path_in_the_storage(storage: Any, workspace: Workspace) -> None:
    """A symbolic link in the folder, whoever made it, has a name that no file gets."""
    written = services.write_file(workspace.pk, "link/passwd", b"x")

    assert written.key.startswith(f"{workspace.pk}/")
    assert "link" not in written.key


def test_file_too_large_is_refused(storage: Any, workspace: Workspace, settings: LazySettings) -> None:
    settings.FLOWMAESTRO_MAX_FILE_BYTES = 4
    services.write_file(workspace.pk, "a", b"1234")

    with pytest.raises(FileTooLarge, match=r"5 bytes; up to 4"):
        services.write_file(workspace.pk, "b", b"12345")
    with pytest.raises(FileTooLarge, match=r"4 bytes; up to 3"):
        services.read_file(workspace.pk, "a", max_bytes=3)


def test_workspace_without_room_is_told_so(storage: Any, workspace: Workspace, settings: LazySettings) -> None:
    """What is replaced makes room; what is refused takes none."""
    settings.FLOWMAESTRO_MAX_WORKSPACE_FILE_BYTES = 10
    services.write_file(workspace.pk, "a", b"x" * 8)

    with pytest.raises(QuotaExceeded, match="8 of 10 bytes"):
        services.write_file(workspace.pk, "b", b"123")
    services.write_file(workspace.pk, "a", b"x" * 10, overwrite=True)
    WorkspaceFileFactory(path="of another workspace")

    assert len(keys_in(storage, workspace)) == 1


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ("text/csv", "text/csv"),
        ("text/html; charset=utf-8", "text/html; charset=utf-8"),
        ("text/html\r\nX-Admin: 1", "text/plain"),
        ("nonsense", "text/plain"),
        ("application/octet-stream", "text/plain"),
        ("application/x-www-form-urlencoded", "text/plain"),  # what curl says unasked
        ("a/" + "b" * 300, "text/plain"),
        (None, "text/plain"),
    ],
)
def test_type_of_a_file_is_one(workspace: Workspace, told: str | None, kept: str) -> None:
    """It becomes a header."""
    assert services.write_file(workspace.pk, "a.txt", b"", content_type=told).content_type == kept


def test_storage_that_is_away_is_worth_another_try(away: Any, workspace: Workspace) -> None:
    services.write_file(workspace.pk, "a", b"x")
    away.away.update(save=1, open=1)

    with pytest.raises(FilesAway, match="503 SlowDown") as failure:
        services.write_file(workspace.pk, "b", b"x")
    with pytest.raises(FilesAway):
        services.read_file(workspace.pk, "a", max_bytes=1)

    assert failure.value.retryable
    assert [*WorkspaceFile.objects.values_list("path", flat=True)] == ["a"]


def test_file_replaced_while_it_is_read_is_read_anew(
    storage: Any, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    services.write_file(workspace.pk, "a", b"first")
    real, replaced = contents.get, []

    def get(key: str) -> bytes:
        if not replaced:
            replaced.append(services.write_file(workspace.pk, "a", b"second", overwrite=True))
        return real(key)

    monkeypatch.setattr(contents, "get", get)

    assert services.read_file(workspace.pk, "a", max_bytes=100) == b"second"
