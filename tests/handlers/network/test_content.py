from __future__ import annotations

import gzip
from typing import Any

import httpx2
import pytest

from handlers import network
from handlers.errors import InputError
from tests.handlers.fakes import RecordingLent


@pytest.mark.parametrize(
    ("content_type", "content", "data"),
    [
        ("application/json", b'{"a": [1]}', {"a": [1]}),
        ("application/problem+json; charset=utf-8", b'{"title": "no"}', {"title": "no"}),
        ("application/json", b"", None),  # as 204 has it
        ("text/plain", "grün".encode(), "grün"),
        ("text/plain; charset=iso-8859-1", b"gr\xfcn", "grün"),
        ("text/html", b"gr\xfcn", "grün"),  # names no encoding and is not UTF-8: what browsers make of it
        ("text/html; charset=nonsense", b"green", "green"),  # names none that exists
        ("application/xml", b"<a/>", "<a/>"),  # text by what it holds
        ("", b"hello", "hello"),
    ],
)
def test_decode_of_text_follows_the_content_type(content_type: str, content: bytes, data: Any) -> None:
    """JSON is read, other text is text."""
    response = httpx2.Response(200, headers={"Content-Type": content_type})

    assert network.decode(response, content, RecordingLent()) == data


def test_decode_of_json_that_is_none_is_text_and_is_logged() -> None:
    """A service that says JSON and sends OK has done its work; what it did is not thrown away."""
    response, lent = httpx2.Response(200, headers={"Content-Type": "application/json"}), RecordingLent()

    data = network.decode(response, b"OK", lent)

    assert data == "OK"
    assert [level for level, _ in lent.logs] == ["warning"]


@pytest.mark.parametrize(
    ("content_type", "content"),
    [
        ("image/png", b"\x89PNG\r\n\x1a\n\0\0"),
        ("application/octet-stream", b"text\0with a zero"),  # no text that a database would take
        ("application/json", b"\xff\xfe"),
    ],
)
def test_decode_of_binary_content_raises_input_error(content_type: str, content: bytes) -> None:
    """What is no text is refused, not mangled."""
    response = httpx2.Response(200, headers={"Content-Type": content_type})

    with pytest.raises(InputError) as failure:
        network.decode(response, content, RecordingLent())

    assert failure.value.code == "binary_response"


def test_read_of_content_up_to_the_limit_returns_all_of_it() -> None:
    """The limit itself is allowed."""
    response = httpx2.Response(200, content=b"12345")

    assert network.read(response, max_bytes=5) == b"12345"


def test_read_of_packed_content_counts_what_it_unpacks_to() -> None:
    """A few kilobytes may hold a gigabyte."""
    bomb = gzip.compress(b"0" * 1_000_000)
    response = httpx2.Response(200, headers={"Content-Encoding": "gzip"}, content=bomb)

    with pytest.raises(InputError) as failure:
        network.read(response, max_bytes=100_000)

    assert failure.value.code == "response_too_large"
