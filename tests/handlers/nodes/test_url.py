from __future__ import annotations

from typing import Any

import pytest

from handlers.errors import InputError, ProviderError
from handlers.registry import check_config
from tests.handlers.cancelling import cancelled
from tests.handlers.fakes import CATALOGUE, RecordingLent, run
from tests.handlers.policies import allowing
from tests.handlers.servers import Reply, http_server, socket_server, stay_silent

HTML = {"Content-Type": "text/html"}
PAGE = Reply(
    headers=HTML,
    body=b"<title>T</title><meta name=description content=D><h1>Head</h1><p>One. Two.</p><a href=/more>m</a>",
)
GONE = "http://127.0.0.1:9/"


def test_url_pages_are_data() -> None:
    """In the shape that existing workflows read."""
    with http_server(PAGE) as server:
        told = run("url", {"urls": [f"{server.url}/a"], "scrapingMode": "text"}).data

    (page,) = told.pop("urls")
    (chunk,) = page.pop("chunks")
    assert page.pop("fetchedAt")
    assert page == {
        "url": f"{server.url}/a",
        "finalUrl": f"{server.url}/a",
        "content": "Head\nOne. Two.\nm",
        "title": "T",
        "description": "D",
        "statusCode": 200,
        "contentType": "text/html",
    }
    assert told.pop("allChunks") == [chunk]
    assert told == {
        "combinedContent": "Head\nOne. Two.\nm",
        "urlCount": 1,
        "successCount": 1,
        "errorCount": 0,
        "totalChunkCount": 1,
    }


@pytest.mark.parametrize(
    ("mode", "content"),
    [
        ("markdown", "# Head\n\nOne. Two.\n\n[m](/more)"),
        ("full", "# Head\n\nOne. Two.\n\n[m](/more)"),  # as existing templates say
        ("html", PAGE.body.decode()),
    ],
)
def test_url_content_has_the_form_that_is_asked_for(mode: str, content: str) -> None:
    with http_server(PAGE) as server:
        told = run("url", {"urls": server.url, "scrapingMode": mode}).data

    assert told["urls"][0]["content"] == content


def test_url_that_cannot_be_had_is_data_beside_the_others() -> None:
    """Each address has its own story."""
    with http_server(PAGE) as server, http_server(Reply(status=404)) as lost, allowing("127.0.0.1"):
        urls = [server.url, lost.url, "http://127.0.0.2/", "no address"]
        told = run("url", {"urls": urls}).data

    assert (told["urlCount"], told["successCount"], told["errorCount"]) == (4, 1, 3)
    assert [(row.get("errorCode"), row["statusCode"]) for row in told["urls"]] == [
        (None, 200),
        ("provider_error", 404),
        ("egress_refused", None),
        ("invalid_url", None),
    ]
    assert "404" in told["urls"][1]["error"]


def test_url_of_which_nothing_can_be_had_for_now_is_tried_again() -> None:
    """And completes with what is known when there is no further attempt."""
    with (
        http_server(Reply(status=503, headers={"Retry-After": "7"})) as server,
        pytest.raises(ProviderError) as failure,
    ):
        run("url", {"urls": [server.url, "no address"]})

    error = failure.value
    output: Any = error.output
    assert (error.retryable, error.retry_after, output.data["errorCount"]) == (True, 7, 2)


def test_url_of_which_nothing_can_be_had_at_all_is_data() -> None:
    with http_server(Reply(status=404)) as server:
        assert run("url", {"urls": server.url}).data["errorCount"] == 1


@pytest.mark.parametrize(
    ("config", "inputs", "count"),
    [
        ({"urls": f"{GONE}a\n{GONE}b , {GONE}c"}, {}, 3),
        ({"urls": [GONE, {"url": f"{GONE}b"}, GONE]}, {}, 2),
        ({"urlVariable": [f"{GONE}a"]}, {}, 1),
        ({}, {"urls": [GONE]}, 1),
        ({"inputName": "page"}, {"page": GONE, "urls": "no"}, 1),
        ({"required": False}, {}, 0),
    ],
)
def test_url_addresses_are_where_the_author_says(config: Any, inputs: Any, count: int) -> None:
    try:
        told = run("url", config, inputs=inputs).data
    except ProviderError as failure:  # nobody serves them
        told = failure.output.data  # type: ignore[union-attr]  # what this test is about
    assert told["urlCount"] == count


@pytest.mark.parametrize("config", [{}, {"urls": []}, {"urls": "  "}])
def test_url_without_an_address_fails(config: Any) -> None:
    with pytest.raises(InputError) as failure:
        run("url", config)

    assert failure.value.code == "missing_input"


@pytest.mark.parametrize("urls", [7, [7], [[GONE]], {"href": GONE}, [f"{GONE}{number}" for number in range(51)]])
def test_url_addresses_that_are_none_or_too_many_fail(urls: Any) -> None:
    with pytest.raises(InputError):
        run("url", {"urls": urls})


def test_url_subpages_are_those_of_the_same_host() -> None:
    page = Reply(headers=HTML, body=b"<a href=/more>m</a><a href=http://127.0.0.2/x>other</a><a href=/>self</a>")
    with http_server(page, Reply(headers=HTML, body=b"<p>more")) as server:
        told = run("url", {"urls": f"{server.url}/", "scrapeSubpages": True}).data

    assert [row["url"] for row in told["urls"]] == [f"{server.url}/", f"{server.url}/more"]


def test_url_of_documents_that_are_no_pages() -> None:
    """Text, JSON and feeds are read; a picture has no text."""
    replies = {
        "text/plain": b"plain",
        "application/ld+json": b'{"a": 1}',
        "application/rss+xml": b"<rss/>",
        "": b"<html><p>x",
    }
    for content_type, body in replies.items():
        with http_server(Reply(headers={"Content-Type": content_type} if content_type else {}, body=body)) as server:
            told = run("url", {"urls": server.url}).data["urls"][0]
        assert (told.get("error"), bool(told["content"])) == (None, True)

    with http_server(Reply(headers={"Content-Type": "image/png"}, body=b"\x89PNG")) as server:
        assert run("url", {"urls": server.url}).data["urls"][0]["errorCode"] == "unsupported_type"


def test_url_redirect_inside_is_refused_for_its_row() -> None:
    """Server-side request forgery by a redirect."""
    with http_server(Reply(status=302, headers={"Location": "http://127.0.0.2/"})) as server, allowing("127.0.0.1"):
        told = run("url", {"urls": server.url}).data

    assert told["urls"][0]["errorCode"] == "egress_refused"


def test_url_cancelled_while_pages_come_ends_at_once() -> None:
    lent = RecordingLent()
    with socket_server(stay_silent) as (host, port), cancelled(lent):
        run("url", {"urls": [f"http://{host}:{port}/{number}" for number in range(8)]}, lent=lent)


@pytest.mark.parametrize(
    ("config", "fields"),
    [
        ({"urlVariable": "trigger.url"}, []),
        ({"scrapingMode": "article"}, []),
        ({"scrapingMode": "pdf"}, ["scrapingMode"]),
        ({"timeout": 61}, ["timeout"]),
        ({"chunkingAlgorithm": "word"}, ["chunkingAlgorithm"]),
    ],
)
def test_url_as_drawn_is_checked(config: dict[str, Any], fields: list[str]) -> None:
    assert [field for field, _ in check_config(CATALOGUE["url"], config)] == fields
