from __future__ import annotations

from typing import Any

import pytest

from handlers import ConfigError, ProviderError, RateLimited
from tests.handlers.integrations.played import TOKEN, ask, asked, reply

POSTED = {"ok": True, "channel": "C123", "ts": "1700000000.000100", "message": {"type": "message", "text": "Hello"}}


@pytest.mark.parametrize(
    ("operation", "parameters", "sent"),
    [
        ("sendMessage", {"channel": "#ops", "message": "Hello"}, {"channel": "#ops", "text": "Hello"}),
        ("postMessage", {"channel": "C1", "text": {"a": 1}}, {"channel": "C1", "text": '{"a":1}'}),
        (
            "chat.postMessage",
            {"channelId": "C1", "blocks": '[{"type": "divider"}]', "threadTs": "17.1", "text": ""},
            {"channel": "C1", "blocks": [{"type": "divider"}], "thread_ts": "17.1"},
        ),
        ("sendDirectMessage", {"userId": "U7", "text": "Hello"}, {"channel": "U7", "text": "Hello"}),
    ],
)
def test_slack_message_is_posted(operation: str, parameters: dict[str, Any], sent: dict[str, Any]) -> None:
    """By any of the names that existing workflows have for it."""
    data, (request,) = ask("slack", operation, parameters, reply(POSTED))

    assert asked(request) == ("POST /chat.postMessage", {}, sent)
    assert request.headers["authorization"] == f"Bearer {TOKEN}"
    assert data == POSTED


def test_slack_history_is_read_page_by_page() -> None:
    """The cursor of a page asks for the next; the last has an empty one."""
    first = {
        "ok": True,
        "messages": [{"ts": "3"}, {"ts": "2"}],
        "has_more": True,
        "response_metadata": {"next_cursor": "bmV4dA=="},
    }
    second = {"ok": True, "messages": [{"ts": "1"}], "has_more": False, "response_metadata": {"next_cursor": ""}}

    data, requests = ask(
        "slack", "getChannelHistory", {"channel": "C1", "since": "1", "limit": 300}, reply(first), reply(second)
    )

    assert [asked(request)[:2] for request in requests] == [
        ("GET /conversations.history", {"channel": "C1", "oldest": "1", "limit": "200"}),
        ("GET /conversations.history", {"channel": "C1", "oldest": "1", "limit": "200", "cursor": "bmV4dA=="}),
    ]
    assert data == {"items": [{"ts": "3"}, {"ts": "2"}, {"ts": "1"}], "count": 3, "hasMore": False, "nextCursor": None}


def test_slack_channels_are_listed_by_kinds() -> None:
    """Slack takes the kinds as one text, and a limit that a page can hold is asked for as it is."""
    answer = {"ok": True, "channels": [{"id": "C1"}], "response_metadata": {"next_cursor": "go-on"}}

    data, (request,) = ask("slack", "listChannels", {"limit": 1, "types": "public_channel, im"}, reply(answer))

    assert asked(request)[1] == {"types": "public_channel,im", "exclude_archived": "true", "limit": "1"}
    assert data == {"items": [{"id": "C1"}], "count": 1, "hasMore": True, "nextCursor": "go-on"}


@pytest.mark.parametrize(
    ("operation", "parameters", "route", "sent", "answer", "output"),
    [
        (
            "createChannel",
            {"name": "team-a"},
            "POST /conversations.create",
            {"name": "team-a", "is_private": False},
            {"channel": {"id": "C9"}},
            {"id": "C9"},
        ),
        (
            "inviteToChannel",
            {"channel": "C9", "users": ["U1", "U2"]},
            "POST /conversations.invite",
            {"channel": "C9", "users": "U1,U2"},
            {"channel": {"id": "C9"}},
            {"id": "C9"},
        ),
        (
            "addReaction",
            {"channel": "C9", "ts": "1.2", "emoji": "tada"},
            "POST /reactions.add",
            {"channel": "C9", "timestamp": "1.2", "name": "tada"},
            {},
            {"ok": True},
        ),
        (
            "updateMessage",
            {"channel": "C9", "ts": "1.2", "text": "New"},
            "POST /chat.update",
            {"channel": "C9", "ts": "1.2", "text": "New"},
            {"ts": "1.2"},
            {"ok": True, "ts": "1.2"},
        ),
    ],
)
def test_slack_operation_sends_what_slack_asks_for(
    operation: str, parameters: dict[str, Any], route: str, sent: Any, answer: dict[str, Any], output: Any
) -> None:
    data, (request,) = ask("slack", operation, parameters, reply({"ok": True} | answer))

    assert asked(request) == (route, {}, sent)
    assert data == output


def test_slack_user_is_found_by_address() -> None:
    answer = {"ok": True, "user": {"id": "U1", "name": "ada"}}

    data, (request,) = ask("slack", "lookupUserByEmail", {"email": "ada@example.com"}, reply(answer))

    assert asked(request) == ("GET /users.lookupByEmail", {"email": "ada@example.com"}, None)
    assert data == {"id": "U1", "name": "ada"}


def test_slack_people_are_listed() -> None:
    answer = {"ok": True, "members": [{"id": "U1"}], "response_metadata": {"next_cursor": ""}}

    data, (request,) = ask("slack", "listUsers", {}, reply(answer))

    assert asked(request)[:2] == ("GET /users.list", {"limit": "100"})
    assert data["items"] == [{"id": "U1"}]


@pytest.mark.parametrize(
    ("error", "kind", "code", "retryable"),
    [
        ("channel_not_found", ProviderError, "not_found", False),
        ("msg_too_long", ProviderError, "rejected", False),
        ("not_in_channel", ProviderError, "forbidden", False),
        ("internal_error", ProviderError, "provider_error", True),
        ("token_revoked", ConfigError, "credential_refused", False),
        ("ratelimited", RateLimited, "rate_limited", True),
    ],
)
def test_slack_error_that_comes_with_200_is_a_failure(error: str, kind: type, code: str, retryable: bool) -> None:
    """Slack's status is 200 whatever happens: `ok` says it."""
    with pytest.raises(kind) as failure:
        ask("slack", "sendMessage", {"channel": "#a", "text": "Hi"}, reply({"ok": False, "error": error}))

    assert (failure.value.code, failure.value.retryable) == (code, retryable)
    assert (failure.value.details["status"], failure.value.details["providerCode"]) == (200, error)
    assert str(failure.value).startswith("slack: POST http://127.0.0.1")
    assert error in str(failure.value)
    assert TOKEN not in str(failure.value)


def test_slack_rate_limit_says_how_long_to_wait() -> None:
    refusal = reply({"ok": False, "error": "ratelimited"}, status=429, headers={"Retry-After": "17"})

    with pytest.raises(RateLimited) as failure:
        ask("slack", "sendMessage", {"channel": "#a", "text": "Hi"}, refusal)

    assert (failure.value.status, failure.value.retry_after) == (429, 17)
