from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from handlers.errors import Cancelled, ConfigError, EgressRefused, ProviderError, RateLimited
from handlers.ports import Credential
from handlers.registry import check_config
from tests.handlers.cancelling import cancelled
from tests.handlers.fakes import CATALOGUE, RecordingLent, run
from tests.handlers.servers import Received, Reply, http_server, socket_server, stay_silent

JSON = {"Content-Type": "application/json"}
# What the documentations of both show, cut to what is read.
BRAVE_WEB = {
    "type": "search",
    "query": {"original": "python"},
    "web": {
        "type": "search",
        "results": [
            {
                "title": "Python",
                "url": "https://python.test/",
                "description": "A language",
                "page_age": "2026-01-02T00:00:00",
                "age": "2 days ago",
            },
            {"title": "More", "url": "https://more.test/", "description": "About it"},
        ],
    },
}
BRAVE_NEWS = {
    "type": "news",
    "results": [{"title": "N", "url": "https://n.test/", "description": "D", "age": "1 hour ago"}],
}
BRAVE_IMAGES = {
    "type": "images",
    "results": [
        {
            "title": "I",
            "url": "https://i.test/",
            "thumbnail": {"src": "https://t.test/i"},
            "properties": {"url": "https://i.test/i.png"},
        }
    ],
}
TAVILY = {
    "query": "python",
    "answer": None,
    "images": [{"url": "https://i.test/i.png", "description": "A snake"}, "https://j.test/j.png"],
    "results": [
        {"title": "Python", "url": "https://python.test/", "content": "A language", "score": 0.8, "raw_content": None}
    ],
    "response_time": "1.67",
}


def lent(url: str, **values: str) -> RecordingLent:
    told = {"api_key": "k3y-of-mine", "base_url": url, **values}
    return RecordingLent(credentials=[Credential(id="c", kind="api_key", name="Mine", values=told)])


def find(provider: str, answer: Any, **config: Any) -> tuple[Any, Received]:
    reply = answer if isinstance(answer, Reply) else Reply(headers=JSON, body=json.dumps(answer).encode())
    with http_server(reply) as server:
        told = {"query": "python", "provider": provider, "connectionId": "c", **config}
        output = run("webSearch", told, lent=lent(server.url))
    return output.data, server.received[0]


@pytest.mark.parametrize(
    ("kind", "answer", "path", "results"),
    [
        (
            "general",
            BRAVE_WEB,
            "/web/search",
            [
                {
                    "title": "Python",
                    "url": "https://python.test/",
                    "snippet": "A language",
                    "publishedAt": "2026-01-02T00:00:00",
                    "age": "2 days ago",
                },
                {"title": "More", "url": "https://more.test/", "snippet": "About it"},
            ],
        ),
        (
            "news",
            BRAVE_NEWS,
            "/news/search",
            [{"title": "N", "url": "https://n.test/", "snippet": "D", "age": "1 hour ago"}],
        ),
        (
            "images",
            BRAVE_IMAGES,
            "/images/search",
            [
                {
                    "title": "I",
                    "url": "https://i.test/",
                    "imageUrl": "https://i.test/i.png",
                    "thumbnailUrl": "https://t.test/i",
                }
            ],
        ),
    ],
)
def test_web_search_of_brave_is_asked_and_read(kind: str, answer: Any, path: str, results: Any) -> None:
    told, request = find("brave", answer, searchType=kind, maxResults=3)

    assert told == {
        "query": "python",
        "provider": "brave",
        "searchType": kind,
        "results": results,
        "count": len(results),
    }
    assert (request.method, urlsplit(request.path).path, parse_qs(urlsplit(request.path).query)) == (
        "GET",
        path,
        {"q": ["python"], "count": ["3"]},
    )
    assert request.headers["x-subscription-token"] == "k3y-of-mine"


@pytest.mark.parametrize(
    ("kind", "body", "results"),
    [
        (
            "general",
            {"query": "python", "max_results": 5, "topic": "general"},
            [{"title": "Python", "url": "https://python.test/", "snippet": "A language", "score": 0.8}],
        ),
        (
            "news",
            {"query": "python", "max_results": 5, "topic": "news"},
            [{"title": "Python", "url": "https://python.test/", "snippet": "A language", "score": 0.8}],
        ),
        (
            "images",
            {"query": "python", "max_results": 5, "include_images": True, "include_image_descriptions": True},
            [
                {"title": "A snake", "url": "https://i.test/i.png", "imageUrl": "https://i.test/i.png"},
                {"url": "https://j.test/j.png", "imageUrl": "https://j.test/j.png"},
            ],
        ),
    ],
)
def test_web_search_of_tavily_is_asked_and_read(kind: str, body: Any, results: Any) -> None:
    told, request = find("tavily", TAVILY, searchType=kind)

    assert told["results"] == results
    assert (request.method, request.path, json.loads(request.body)) == ("POST", "/search", body)
    assert request.headers["authorization"] == "Bearer k3y-of-mine"


@pytest.mark.parametrize(
    "answer", [{"web": {"results": []}}, {"type": "search"}, {"web": None}, [], {"web": {"results": {}}}]
)
def test_web_search_that_finds_nothing_is_an_empty_list(answer: Any) -> None:
    assert find("brave", answer)[0]["results"] == []


def test_web_search_gives_no_more_than_were_asked_for() -> None:
    assert find("brave", BRAVE_WEB, maxResults=1)[0]["count"] == 1


def test_web_search_of_a_long_question_is_cut() -> None:
    told, request = find("brave", BRAVE_WEB, query="x " * 300)

    assert len(told["query"]) == len(parse_qs(urlsplit(request.path).query)["q"][0]) == 400


@pytest.mark.parametrize(
    ("reply", "error", "code"),
    [
        (Reply(status=401), ConfigError, "credentials_refused"),
        (Reply(status=429, headers={"Retry-After": "1"}), RateLimited, "rate_limited"),
        (Reply(status=500), ProviderError, "provider_error"),
        (Reply(status=302, headers={"Location": "/next"}), ProviderError, "provider_error"),  # nobody's key goes along
        (Reply(body=b"<html>"), ProviderError, "invalid_response"),
    ],
)
def test_web_search_that_is_refused_fails(reply: Reply, error: type[Exception], code: str) -> None:
    with pytest.raises(error) as failure:
        find("brave", reply)

    assert getattr(failure.value, "code", None) == code
    assert "k3y-of-mine" not in str(failure.value)


@pytest.mark.parametrize(
    ("variables", "provider", "asked"),
    [
        ({"BRAVE_API_KEY": "brave-key"}, None, "brave"),
        ({"TAVILY_API_KEY": "tavily-key"}, None, "tavily"),
        ({"BRAVE_API_KEY": "brave-key", "TAVILY_API_KEY": "tavily-key"}, "tavily", "tavily"),
    ],
)
def test_web_search_has_the_key_of_the_site(
    variables: dict[str, str], provider: str | None, asked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And hides it; here nobody is there to be asked."""
    for name in ("BRAVE_API_KEY", "TAVILY_API_KEY"):
        monkeypatch.setenv(name, variables.get(name, ""))
    borrowed = RecordingLent()
    borrowed.cancel()

    with pytest.raises(Cancelled):
        run("webSearch", {"query": "q", "provider": provider}, lent=borrowed)

    assert borrowed.hidden == {f"{asked}-key"}


@pytest.mark.parametrize("config", [{}, {"provider": "brave"}])
def test_web_search_without_a_key_says_where_it_belongs(config: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("BRAVE_API_KEY", "TAVILY_API_KEY"):
        monkeypatch.delenv(name, raising=False)

    with pytest.raises(ConfigError, match="BRAVE_API_KEY") as failure:
        run("webSearch", {"query": "q", **config})

    assert failure.value.code == "missing_credentials"


def test_web_search_with_a_credential_of_another_kind_is_refused() -> None:
    borrowed = RecordingLent(credentials=[Credential(id="c", kind="smtp", name="Mine", values={})])

    with pytest.raises(ConfigError, match="Mine"):
        run("webSearch", {"query": "q", "provider": "brave", "connectionId": "c"}, lent=borrowed)
    with pytest.raises(ConfigError, match="provider"):
        run("webSearch", {"query": "q", "connectionId": "c"}, lent=lent("http://127.0.0.1:9"))


@pytest.mark.usefixtures("default_policy")
def test_web_search_of_an_engine_inside_is_refused() -> None:
    """The address of a credential is its owner's choice, too."""
    with pytest.raises(EgressRefused):
        run("webSearch", {"query": "q", "provider": "brave", "connectionId": "c"}, lent=lent("http://169.254.169.254"))


def test_web_search_cancelled_ends_at_once() -> None:
    with socket_server(stay_silent) as (host, port):
        borrowed = lent(f"http://{host}:{port}")
        with cancelled(borrowed):
            run("webSearch", {"query": "q", "provider": "brave", "connectionId": "c"}, lent=borrowed)


@pytest.mark.parametrize(
    ("config", "fields"),
    [
        ({"query": "{{a.b}} news"}, []),
        ({}, ["query"]),
        ({"query": "q", "maxResults": 21}, ["maxResults"]),
        ({"query": "q", "searchType": "videos"}, ["searchType"]),
        ({"query": "q", "provider": "altavista"}, ["provider"]),
    ],
)
def test_web_search_as_drawn_is_checked(config: dict[str, Any], fields: list[str]) -> None:
    assert [field for field, _ in check_config(CATALOGUE["webSearch"], config)] == fields
