from __future__ import annotations

from typing import Any

import pytest
from django.db import OperationalError, connection

from executions.lent_files import LentFiles
from handlers import InputError
from handlers.ports import StoredFile
from tests.factories import WorkspaceFactory
from workflows.files import services
from workflows.models import WorkspaceFile

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def files() -> LentFiles:
    return LentFiles(WorkspaceFactory().pk)


def test_files_lent_are_written_read_and_known(files: LentFiles) -> None:
    written = files.write("a/b.csv", b"1,2")

    assert written == StoredFile(path="a/b.csv", size=3, content_type="text/csv") == files.stat("a/b.csv")
    assert files.read("a/b.csv", max_bytes=3) == b"1,2"
    assert files.stat("a/c.csv") is None


@pytest.mark.parametrize(
    ("act", "code"),
    [
        (lambda files: files.read("none", max_bytes=1), "file_missing"),
        (lambda files: files.read("there", max_bytes=1), "file_too_large"),
        (lambda files: files.write("there", b"x"), "file_exists"),
        (lambda files: files.read("../there", max_bytes=1), "invalid_path"),
        (lambda files: files.stat("/there"), "invalid_path"),
    ],
)
def test_files_lent_say_whose_move_it_is(files: LentFiles, act: Any, code: str) -> None:
    files.write("there", b"12")

    with pytest.raises(InputError) as refusal:
        act(files)

    assert refusal.value.code == code


def test_file_whose_commit_was_lost_on_the_way_is_written_once(
    files: LentFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database went away after it had committed: entered again, it is no file that exists already."""
    real, calls = services.enter, []

    def enter(*args: Any, **kwargs: Any) -> Any:
        entered = real(*args, **kwargs)
        calls.append(entered.key)
        if len(calls) == 1:
            raise OperationalError("server closed the connection unexpectedly")
        return entered

    monkeypatch.setattr(services, "enter", enter)

    assert files.write("a", b"x").path == "a"
    assert calls == [WorkspaceFile.objects.get().key] * 2


def test_files_lent_hold_no_connection(files: LentFiles) -> None:
    """A hundred nodes that go on with what they have read must not take a hundred."""
    files.write("a", b"x")

    files.read("a", max_bytes=1)

    assert connection.connection is None
