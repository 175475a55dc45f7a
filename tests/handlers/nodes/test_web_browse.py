from __future__ import annotations

from typing import Any

import pytest

from handlers.errors import EgressRefused, InputError, ProviderError
from handlers.registry import check_config
from tests.handlers.fakes import CATALOGUE, run
from tests.handlers.servers import Reply, http_server

PAGE = Reply(
    headers={"Content-Type": "text/html"}, body=b"<title>T</title><h1>Head</h1><p>" + b"x" * 200 + b"<a href=/n>n</a>"
)


def browse(config: dict[str, Any], *replies: Reply) -> tuple[Any, str]:
    with http_server(*(replies or (PAGE,))) as server:
        return run("webBrowse", {**config, "url": server.url}).data, server.url


def test_web_browse_page_is_data() -> None:
    told, url = browse({"maxLength": 100})

    assert told == {
        "url": url,
        "title": "T",
        "description": None,
        "content": "Head\n" + "x" * 95,
        "contentType": "text/html",
        "statusCode": 200,
        "length": 207,
        "truncated": True,
        "links": [f"{url}/n"],
    }


@pytest.mark.parametrize(
    ("config", "begins"),
    [
        ({"extractText": False}, "<title>T</title><h1>"),
        ({"extractType": "html"}, "<title>T</title><h1>"),
        ({"extractType": "text"}, "Head\nx"),  # as existing templates say
        ({"format": "markdown"}, "# Head\n\nx"),
    ],
)
def test_web_browse_content_has_the_form_that_is_asked_for(config: dict[str, Any], begins: str) -> None:
    assert browse(config)[0]["content"].startswith(begins)


def test_web_browse_tells_where_redirects_led() -> None:
    told, url = browse({}, Reply(status=302, headers={"Location": "/there"}), PAGE)

    assert told["url"] == f"{url}/there"


@pytest.mark.parametrize(("status", "retryable"), [(404, False), (503, True)])
def test_web_browse_of_no_success_fails(status: int, retryable: bool) -> None:
    with pytest.raises(ProviderError) as failure:
        browse({}, Reply(status=status))

    assert (failure.value.status, failure.value.retryable) == (status, retryable)


def test_web_browse_of_what_has_no_text_fails() -> None:
    with pytest.raises(InputError) as failure:
        browse({}, Reply(headers={"Content-Type": "image/png"}, body=b"\x89PNG"))

    assert failure.value.code == "unsupported_type"


@pytest.mark.usefixtures("default_policy")
def test_web_browse_inside_is_refused() -> None:
    with pytest.raises(EgressRefused):
        run("webBrowse", {"url": "http://169.254.169.254/latest/meta-data"})


@pytest.mark.parametrize(
    ("config", "fields"),
    [
        ({"url": "{{a}}"}, []),
        ({}, ["url"]),
        ({"url": "file:///etc/passwd"}, ["url"]),
        ({"url": "http://a.test", "maxLength": 99}, ["maxLength"]),
    ],
)
def test_web_browse_as_drawn_is_checked(config: dict[str, Any], fields: list[str]) -> None:
    assert [field for field, _ in check_config(CATALOGUE["webBrowse"], config)] == fields
