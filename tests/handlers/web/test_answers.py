from __future__ import annotations

from typing import Any

import httpx2
import pytest

from handlers import web
from handlers.errors import ProviderError
from tests.handlers.fakes import EXECUTION, RecordingLent, attempt

PNG = b"\x89PNG\r\n\x1a\n\0"


def answer(
    content_type: str, *, status: int = 200, url: str = "https://a.test/x/logo", **headers: str
) -> httpx2.Response:
    told = {"Content-Type": content_type, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return httpx2.Response(status, headers=told, request=httpx2.Request("GET", url))


def read(kind: Any, response: httpx2.Response, content: bytes) -> tuple[Any, RecordingLent]:
    lent = RecordingLent()
    return web.read_as(kind, response, content, node=attempt("trigger", {}), lent=lent), lent


def test_answer_that_is_no_text_is_stored_and_handed_on_as_a_file() -> None:
    """As other nodes take files."""
    data, lent = read("auto", answer("image/png"), PNG)

    path = f"runs/{EXECUTION}/node/logo.png"
    assert data == {"path": path, "name": "logo.png", "size": len(PNG), "contentType": "image/png"}
    assert lent.files.stored == {path: (PNG, "image/png")}


def test_answer_of_a_second_attempt_is_stored_over_that_of_the_first() -> None:
    lent = RecordingLent()
    for content in (PNG, PNG + b"2"):
        web.read_as("auto", answer("image/png"), content, node=attempt("trigger", {}), lent=lent)

    assert [content for content, _ in lent.files.stored.values()] == [PNG + b"2"]


@pytest.mark.parametrize(
    ("kind", "content_type", "content", "data"),
    [
        ("json", "text/plain", b'{"a": 1}', {"a": 1}),  # whatever it says it is
        ("text", "application/json", b'{"a": 1}', '{"a": 1}'),
        ("text", "image/png", b"\xff\0", "�\0"),
        ("text", "text/plain; charset=iso-8859-1", b"gr\xfcn", "grün"),
        ("text", "text/plain; charset=nonsense", b"green", "green"),
    ],
)
def test_answer_is_read_as_the_node_says(kind: str, content_type: str, content: bytes, data: Any) -> None:
    assert read(kind, answer(content_type), content)[0] == data


def test_answer_to_be_binary_is_a_file_even_if_it_is_text() -> None:
    data, lent = read("binary", answer("text/csv", url="https://a.test/orders.csv"), b"a;b")

    assert data["name"] == "orders.csv"
    assert [content for content, _ in lent.files.stored.values()] == [b"a;b"]


def test_answer_that_has_to_be_json_and_is_not_fails() -> None:
    """Not tried again: it is what the service has to say."""
    with pytest.raises(ProviderError) as failure:
        read("json", answer("text/html"), b"<p>Welcome")

    assert (failure.value.code, failure.value.retryable) == ("invalid_response", False)


def test_answer_without_content_is_null_where_it_has_to_be_json() -> None:
    """As 204 has it."""
    assert read("json", answer("", status=204), b"")[0] is None


def test_answer_that_is_no_success_is_read_as_what_it_is() -> None:
    """The page that says what is wrong is wanted, not a complaint that it is no JSON."""
    assert read("json", answer("text/html", status=404), b"<p>gone")[0] == "<p>gone"
    assert read("binary", answer("application/json", status=500), b'{"a": 1}')[0] == {"a": 1}


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ('attachment; filename="a b.pdf"', "a b.pdf"),
        ("attachment; filename*=UTF-8''gr%C3%BCn.pdf", "grün.pdf"),
        ('attachment; filename="../../etc/cron.d/x"', "../../etc/cron.d/x"),  # made harmless where it is stored
        ("attachment", "logo"),
        ("attachment; filename*; filename*1", "logo"),  # parts that do not fit together
        ("attachment; filename*=nonsense''%ff", "\xff"),
        ("", "logo"),
    ],
)
def test_suggested_name_is_the_servers_or_that_of_the_address(header: str, name: str) -> None:
    assert web.suggested_name(answer("application/pdf", Content_Disposition=header)) == name


def test_answer_whose_server_suggests_a_path_is_stored_in_the_runs_folder() -> None:
    """Path traversal by Content-Disposition."""
    data, _ = read("binary", answer("text/plain", Content_Disposition='attachment; filename="../../etc/cron.d/x"'), b"")

    assert data["path"] == f"runs/{EXECUTION}/node/x.txt"
