from __future__ import annotations

from typing import Any

import pytest

from handlers import ConfigError, InputError, ProviderError, RateLimited
from tests.handlers.integrations.played import TOKEN, ask, asked, reply

PAGE = {"object": "page", "id": "p1", "url": "https://notion.example/p1", "properties": {}}


def text(content: str) -> list[dict[str, Any]]:
    return [{"type": "text", "text": {"content": content}}]


def paragraph(content: str) -> dict[str, Any]:
    return {"object": "block", "type": "paragraph", "paragraph": {"rich_text": text(content)}}


def test_notion_page_is_made_of_plain_values() -> None:
    """As people write them; what is Notion's own shape goes as it is."""
    parameters = {
        "database": "d1",
        "title": "Bug 7",
        "properties": {
            "Notes": "It hangs",
            "Votes": 3,
            "Open": True,
            "Tags": ["a", "b"],
            "Status": {"status": {"name": "New"}},
            "Owner": None,  # a reference to a node that was skipped
        },
        "content": "First.\n\nSecond\nline.",
    }

    data, (request,) = ask("notion", "createPage", parameters, reply(PAGE))

    assert asked(request) == (
        "POST /pages",
        {},
        {
            "parent": {"database_id": "d1"},
            "properties": {
                "Notes": {"rich_text": text("It hangs")},
                "Votes": {"number": 3},
                "Open": {"checkbox": True},
                "Tags": {"multi_select": [{"name": "a"}, {"name": "b"}]},
                "Status": {"status": {"name": "New"}},
                "title": {"title": text("Bug 7")},
            },
            "children": [paragraph("First."), paragraph("Second\nline.")],
        },
    )
    assert request.headers["authorization"] == f"Bearer {TOKEN}"
    assert request.headers["notion-version"] == "2022-06-28"
    assert data == PAGE


def test_notion_page_below_a_page_has_a_title_alone() -> None:
    _, (request,) = ask("notion", "createPage", {"parentPageId": "p0", "title": "Child"}, reply(PAGE))

    assert asked(request)[2] == {"parent": {"page_id": "p0"}, "properties": {"title": {"title": text("Child")}}}


def test_notion_text_that_is_long_is_sent_in_pieces() -> None:
    """Notion takes two thousand characters in one."""
    _, (request,) = ask("notion", "appendContent", {"pageId": "p1", "content": "x" * 4_001}, reply({"results": []}))

    ((block),) = asked(request)[2]["children"]
    assert [len(each["text"]["content"]) for each in block["paragraph"]["rich_text"]] == [2_000, 2_000, 1]


def test_notion_text_of_too_many_paragraphs_is_refused() -> None:
    """Cut, the rest of it would be missing; in several requests, an attempt that is made again would repeat some."""
    with pytest.raises(InputError, match="has 101 blocks"):
        ask("notion", "appendContent", {"pageId": "p1", "content": "x\n\n" * 101}, reply({}))


@pytest.mark.parametrize(
    ("operation", "parameters", "fault"),
    [
        ("createPage", {"title": "x"}, "either databaseId or parentPageId"),
        ("createPage", {"databaseId": "d", "parentPageId": "p"}, "either databaseId or parentPageId"),
        ("updatePage", {"pageId": "p1"}, "appendContent adds text"),
        ("appendContent", {"pageId": "p1"}, "content or children"),
    ],
)
def test_notion_parameters_that_say_nothing_are_refused(operation: str, parameters: dict[str, Any], fault: str) -> None:
    with pytest.raises(ConfigError, match=fault):
        ask("notion", operation, parameters, reply(PAGE))


@pytest.mark.parametrize(
    ("operation", "parameters", "route", "body"),
    [
        (
            "updatePage",
            {"pageId": "p1", "properties": {"Done": False}, "archived": True},
            "PATCH /pages/p1",
            {"archived": True, "properties": {"Done": {"checkbox": False}}},
        ),
        ("getPage", {"id": "p1"}, "GET /pages/p1", None),
        ("getDatabase", {"databaseId": "d1"}, "GET /databases/d1", None),
        (
            "appendBlocks",
            {"blockId": "b1", "children": [{"type": "divider", "divider": {}}], "after": "b0"},
            "PATCH /blocks/b1/children",
            {"children": [{"type": "divider", "divider": {}}], "after": "b0"},
        ),
    ],
)
def test_notion_operation_sends_what_notion_asks_for(
    operation: str, parameters: dict[str, Any], route: str, body: Any
) -> None:
    _, (request,) = ask("notion", operation, parameters, reply(PAGE))

    assert asked(request) == (route, {}, body)


def test_notion_database_is_read_page_by_page() -> None:
    """By POST, with the cursor in the body."""
    first = reply({"object": "list", "results": [PAGE], "has_more": True, "next_cursor": "c2"})
    second = reply({"object": "list", "results": [PAGE | {"id": "p2"}], "has_more": False, "next_cursor": None})
    wanted = {"property": "Open", "checkbox": {"equals": True}}

    data, requests = ask("notion", "queryDatabase", {"databaseId": "d1", "filter": wanted, "limit": 150}, first, second)

    assert [asked(request) for request in requests] == [
        ("POST /databases/d1/query", {}, {"filter": wanted, "page_size": 100}),
        ("POST /databases/d1/query", {}, {"filter": wanted, "page_size": 100, "start_cursor": "c2"}),
    ]
    assert [item["id"] for item in data["items"]] == ["p1", "p2"]


@pytest.mark.parametrize(
    ("operation", "parameters", "route", "query", "body"),
    [
        (
            "search",
            {"query": "Plan"},
            "POST /search",
            {},
            {"query": "Plan", "page_size": 100, "filter": {"property": "object", "value": "page"}},
        ),
        ("getBlocks", {"pageId": "p1"}, "GET /blocks/p1/children", {"page_size": "100"}, None),
        ("listUsers", {}, "GET /users", {"page_size": "100"}, None),
    ],
)
def test_notion_lists(operation: str, parameters: dict[str, Any], route: str, query: Any, body: Any) -> None:
    data, (request,) = ask("notion", operation, parameters, reply({"results": [{"id": "x"}], "next_cursor": None}))

    assert asked(request) == (route, query, body)
    assert data["items"] == [{"id": "x"}]


@pytest.mark.parametrize(
    ("status", "code", "kind", "ours", "retryable"),
    [
        (400, "validation_error", ProviderError, "rejected", False),
        (401, "unauthorized", ConfigError, "credential_refused", False),
        (404, "object_not_found", ProviderError, "not_found", False),
        (409, "conflict_error", ProviderError, "provider_error", True),
        (429, "rate_limited", RateLimited, "rate_limited", True),
    ],
)
def test_notion_error_is_told_in_its_words(status: int, code: str, kind: type, ours: str, retryable: bool) -> None:
    """A conflict of Notion's may pass: two wrote at once."""
    refusal = {"object": "error", "status": status, "code": code, "message": "So it is."}

    with pytest.raises(kind, match=f"answered {status}: So it is") as failure:
        ask("notion", "getPage", {"pageId": "p1"}, reply(refusal, status=status, headers={"Retry-After": "2"}))

    assert (failure.value.code, failure.value.retryable) == (ours, retryable)
