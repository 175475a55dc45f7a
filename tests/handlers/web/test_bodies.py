from __future__ import annotations

from email import message_from_bytes
from email.message import Message
from typing import Any

import pytest

from handlers import web
from handlers.errors import InputError
from handlers.web import bodies
from tests.handlers.fakes import MemoryFiles


def stored(**contents: bytes) -> MemoryFiles:
    files = MemoryFiles()
    for name, content in contents.items():
        files.write(f"in/{name}.txt", content)
    return files


def parts(body: web.Body | None) -> list[Message]:
    """As a server reads them."""
    assert body is not None
    message = message_from_bytes(b"Content-Type: " + body.content_type.encode() + b"\r\n\r\n" + body.content)
    assert isinstance(message.get_payload(), list)
    return message.get_payload()  # type: ignore[return-value]  # a list, as was just seen


def test_parts_are_fields_and_files_with_their_names_and_types() -> None:
    """In order, a name as often as it has values."""
    attached = {"doc": "in/a.txt", "more": [{"path": "in/b.txt", "name": "b.txt"}, "in/a.txt"]}

    body = web.encode_parts({"title": "grün", "tag": [1, 2]}, attached, stored(a=b"A", b=b"\0B"), key="k")

    told = [
        (part.get_param("name", header="content-disposition"), part.get_filename(), part.get_content_type())
        for part in parts(body)
    ]
    assert told == [
        ("title", None, "text/plain"),
        ("tag", None, "text/plain"),
        ("tag", None, "text/plain"),
        ("doc", "a.txt", "text/plain"),
        ("more", "b.txt", "text/plain"),
        ("more", "a.txt", "text/plain"),
    ]
    assert [part.get_payload(decode=True) for part in parts(body)] == ["grün".encode(), b"1", b"2", b"A", b"\0B", b"A"]


def test_parts_of_every_attempt_are_the_same_bytes() -> None:
    """A service that sees one Idempotency-Key with two bodies refuses the second."""
    first, again, other = (web.encode_parts({"a": 1}, None, MemoryFiles(), key=key) for key in ("k", "k", "other"))

    assert first == again
    assert first != other


@pytest.mark.parametrize("name", ['a"; filename="x', "a\r\nX-Own: 1", "a\r\n\r\nbody"])
def test_part_whose_name_would_be_a_header_stays_a_name(name: str) -> None:
    """What a form's field is called may come from outside."""
    (part,) = parts(web.encode_parts({name: "v"}, None, MemoryFiles(), key="k"))

    assert list(part.keys()) == ["Content-Disposition"]
    assert part.get_payload(decode=True) == b"v"
    assert part.get_filename() is None


@pytest.mark.parametrize(("fields", "attached"), [(None, None), ("", {}), ({}, [])])
def test_parts_of_nothing_are_no_body(fields: Any, attached: Any) -> None:
    assert web.encode_parts(fields, attached, MemoryFiles(), key="k") is None


@pytest.mark.parametrize(
    ("fields", "attached", "code"),
    [
        ("text", None, "invalid_input"),
        (None, {"doc": 7}, "invalid_input"),
        (None, {"doc": {"name": "a.txt"}}, "invalid_input"),
        (None, {"doc": "in/none.txt"}, "file_missing"),
    ],
)
def test_parts_that_cannot_be_read_fail(fields: Any, attached: Any, code: str) -> None:
    with pytest.raises(InputError) as failure:
        web.encode_parts(fields, attached, MemoryFiles(), key="k")

    assert failure.value.code == code


def test_parts_are_bounded_in_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two files that are each within the bound are not both."""
    monkeypatch.setattr(bodies, "MAX_UPLOAD_BYTES", 3)

    with pytest.raises(InputError) as failure:
        web.encode_parts(None, {"f": ["in/a.txt", "in/b.txt"]}, stored(a=b"12", b=b"34"), key="k")

    assert failure.value.code == "file_too_large"


def test_body_of_kind_none_is_none() -> None:
    """Whatever an editor has left in its field."""
    assert web.encode("none", {"a": 1}) is None
