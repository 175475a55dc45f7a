from __future__ import annotations

from typing import Any

import pytest

from handlers import InputError, ProviderError
from handlers.errors import EgressRefused
from handlers.given_files import load
from tests.handlers.fakes import RecordingLent
from tests.handlers.servers import Reply, http_server


@pytest.fixture
def lent() -> RecordingLent:
    lent = RecordingLent()
    lent.files.write("in/a.csv", b"1,2")
    return lent


def given(value: Any, lent: RecordingLent, max_bytes: int = 100) -> Any:
    file = load(value, lent, field="file", max_bytes=max_bytes)
    return file.name, file.content, file.content_type, file.path


@pytest.mark.parametrize(
    "value",
    [
        "in/a.csv",
        "/in/a.csv",
        {"path": "in/a.csv", "name": "other", "size": 1},
        [{"path": "in/a.csv"}],
        {"files": [{"path": "in/a.csv"}], "combinedText": "…"},
    ],
)
def test_file_of_the_workspace_is_found_by_its_path(lent: RecordingLent, value: Any) -> None:
    """As text, as other nodes give it, as the node `files` gives it."""
    assert given(value, lent) == ("a.csv", b"1,2", "text/csv", "in/a.csv")


@pytest.mark.parametrize(
    ("value", "name", "content", "content_type"),
    [
        ({"name": "a.md", "text": "# Hi"}, "a.md", b"# Hi", "text/markdown"),
        ({"name": "C:\\docs\\a.json", "content": {"n": 1}}, "a.json", b'{"n":1}', "application/json"),
        ({"base64": "aGk=", "contentType": "Text/Plain; charset=x"}, "", b"hi", "text/plain"),
        ({"name": "x", "data": "data:image/png;base64,aGk="}, "x", b"hi", "image/png"),
        ("data:,a%20b", "", b"a b", "text/plain"),
        ("data:text/html;charset=utf-8;base64,aGk%3D", "", b"hi", "text/html"),
    ],
)
def test_file_within_a_value_is_its_content(
    lent: RecordingLent, value: Any, name: str, content: bytes, content_type: str
) -> None:
    assert given(value, lent) == (name, content, content_type, None)


def test_file_of_the_web_is_fetched(lent: RecordingLent) -> None:
    with http_server(Reply(body=b"%PDF", headers={"Content-Type": "application/pdf; x=y"})) as server:
        fetched = given(f"{server.url}/in/Bericht%20M%C3%A4rz.pdf?key=1", lent)

    assert fetched == ("Bericht März.pdf", b"%PDF", "application/pdf", None)


def test_file_of_the_web_that_is_refused_fails_without_its_query(lent: RecordingLent) -> None:
    """Keys stand in queries."""
    with http_server(Reply(status=404)) as server, pytest.raises(ProviderError, match="answered 404") as failure:
        load({"url": f"{server.url}/a?key=secret"}, lent, field="file", max_bytes=9)

    assert "secret" not in str(failure.value)


@pytest.mark.parametrize("url", ["http://10.1.2.3/a.pdf", "http://169.254.169.254/latest/", "http://localhost/a"])
def test_file_of_a_private_address_is_refused(default_policy: None, lent: RecordingLent, url: str) -> None:
    """Whoever starts a run may name files."""
    with pytest.raises(EgressRefused):
        load({"url": url}, lent, field="file", max_bytes=9)


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (None, "file_missing"),
        ("", "file_missing"),
        (7, "file_missing"),
        ({}, "file_missing"),
        ({"name": "a"}, "file_missing"),
        ("none.csv", "file_missing"),
        ("../in/a.csv", "invalid_path"),
        ("file:///etc/passwd", "invalid_path"),
        ({"url": "file:///etc/passwd"}, "invalid_path"),
        ({"base64": "ä"}, "invalid_input"),
        ("data:nonsense", "invalid_input"),
        (["in/a.csv", "in/a.csv"], "invalid_input"),
        ({"text": "x" * 101}, "file_too_large"),
        ("data:," + "x" * 101, "file_too_large"),
    ],
)
def test_file_that_is_none_is_refused(lent: RecordingLent, value: Any, code: str) -> None:
    with pytest.raises(InputError) as refusal:
        given(value, lent)

    assert refusal.value.code == code
