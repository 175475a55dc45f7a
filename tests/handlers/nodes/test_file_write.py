from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from handlers import InputError
from tests.handlers.fakes import CATALOGUE, RecordingLent, attempt, run


def write(lent: RecordingLent, number: int, **config: Any) -> Any:
    """Attempt *number* of a node that writes."""
    node = replace(attempt("fileWrite", {"path": "a.txt", "overwrite": False, **config}), attempt=number)
    return CATALOGUE["fileWrite"].handler.run(node, lent)


@pytest.mark.parametrize(
    ("config", "content"),
    [
        ({"content": "Grüße"}, "Grüße".encode()),
        ({"content": {"n": [1, None]}}, b'{"n":[1,null]}'),
        ({"content": "\ud83d"}, b"?"),
        ({"content": "/w\nA=", "encoding": "base64"}, b"\xff\0"),
        ({"content": ""}, b""),
    ],
)
def test_file_write_stores_what_it_is_given(config: dict[str, Any], content: bytes) -> None:
    lent = RecordingLent()

    output = run("fileWrite", {"path": "/out/a.txt", **config}, lent=lent)

    assert lent.files.stored["out/a.txt"] == (content, "text/plain")
    assert output.data == {"path": "out/a.txt", "name": "a.txt", "size": len(content), "contentType": "text/plain"}


def test_file_write_replaces_what_is_there_unless_it_may_not() -> None:
    lent = RecordingLent()
    lent.files.write("a.txt", b"old")

    with pytest.raises(InputError) as refusal:
        run("fileWrite", {"path": "a.txt", "content": "new", "overwrite": False}, lent=lent)
    kept = lent.files.stored["a.txt"][0]
    run("fileWrite", {"path": "a.txt", "content": "new"}, lent=lent)

    assert (refusal.value.code, kept, lent.files.stored["a.txt"][0]) == ("file_exists", b"old", b"new")


def test_file_write_of_a_second_attempt_knows_its_own_file() -> None:
    """The first wrote it, and its worker died before anybody heard."""
    lent = RecordingLent()
    first = write(lent, 1, content="mine")

    assert write(lent, 2, content="mine").data == first.data
    for number, content in ((1, "mine"), (2, "other")):
        with pytest.raises(InputError) as refusal:
            write(lent, number, content=content)
        assert refusal.value.code == "file_exists"


@pytest.mark.parametrize("path", ["../a", "a/../../b", "//a", "C:/a", "a\\b", "a/", "a\0"])
def test_file_write_leads_nowhere_else(path: str) -> None:
    lent = RecordingLent()

    with pytest.raises(InputError) as refusal:
        run("fileWrite", {"path": path, "content": "x"}, lent=lent)

    assert refusal.value.code == "invalid_path"
    assert lent.files.stored == {}


def test_file_write_of_what_is_no_base64_says_so() -> None:
    with pytest.raises(InputError, match="content is not base64"):
        run("fileWrite", {"path": "a", "content": "ä", "encoding": "base64"})
