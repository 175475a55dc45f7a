from __future__ import annotations

import pytest

from handlers import InputError
from tests.handlers.fakes import RecordingLent, run


@pytest.fixture
def lent() -> RecordingLent:
    lent = RecordingLent()
    lent.files.write("in/a.txt", b"\xef\xbb\xbfGr\xc3\xbc\xc3\x9fe")
    lent.files.write("b.bin", b"\xff\0")
    return lent


def test_file_read_is_text_with_what_is_known_of_it(lent: RecordingLent) -> None:
    output = run("fileRead", {"path": "in/a.txt"}, lent=lent)

    assert output.data == {
        "content": "Grüße",
        "encoding": "utf-8",
        "path": "in/a.txt",
        "name": "a.txt",
        "size": 10,
        "contentType": "text/plain",
    }


@pytest.mark.parametrize("encoding", ["base64", "binary"])
def test_file_read_as_bytes_is_base64(lent: RecordingLent, encoding: str) -> None:
    """JSON has no bytes."""
    output = run("fileRead", {"path": "b.bin", "encoding": encoding}, lent=lent)

    assert (output.data["content"], output.data["encoding"]) == ("/wA=", "base64")


def test_file_read_takes_the_workspace_for_the_root_of_all(lent: RecordingLent) -> None:
    """Existing workflows write a slash before their paths."""
    assert run("fileRead", {"path": "/in/a.txt"}, lent=lent).data["path"] == "in/a.txt"


@pytest.mark.parametrize(
    ("config", "code"),
    [
        ({"path": "none.txt"}, "file_missing"),
        ({"path": "/etc/passwd"}, "file_missing"),
        ({"path": "../b.bin"}, "invalid_path"),
        ({"path": "//etc/passwd"}, "invalid_path"),
        ({"path": "in/a.txt", "maxSize": 9}, "file_too_large"),
        ({"path": "b.bin"}, "not_text"),
    ],
)
def test_file_read_says_why_it_cannot(lent: RecordingLent, config: dict[str, object], code: str) -> None:
    with pytest.raises(InputError) as refusal:
        run("fileRead", config, lent=lent)

    assert refusal.value.code == code
