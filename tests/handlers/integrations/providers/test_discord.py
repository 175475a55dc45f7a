from __future__ import annotations

from typing import Any

import pytest

from handlers import ConfigError, ProviderError, RateLimited
from tests.handlers.integrations.played import TOKEN, ask, asked, reply

MESSAGE = {"id": "m1", "channel_id": "c1", "content": "Hello", "author": {"id": "u1"}}


@pytest.mark.parametrize(
    ("kind", "values", "header"),
    [
        ("api_key", {"api_key": "bot-token"}, "Bot bot-token"),
        ("bearer", {"token": "bot-token"}, "Bot bot-token"),
        ("oauth2", {"access_token": TOKEN}, f"Bearer {TOKEN}"),
    ],
)
def test_discord_knows_bots_from_people(kind: str, values: dict[str, str], header: str) -> None:
    """A bot's token has a word of its own before it."""
    _, (request,) = ask("discord", "deleteMessage", {"channel": "c1", "messageId": "m1"}, reply(status=204),
                        credential=values, kind=kind)  # fmt: skip

    assert request.headers["authorization"] == header
    assert request.headers["user-agent"].startswith("DiscordBot (")


def test_discord_message_is_posted_once() -> None:
    """Its nonce is that of the node: of two attempts Discord carries out the first."""
    parameters = {"channelId": "c1", "content": "Hello", "replyTo": "m0"}

    data, requests = ask("discord", "sendMessage", parameters, reply(MESSAGE))
    _, again = ask("discord", "postMessage", parameters, reply(MESSAGE))

    route, query, body = asked(requests[0])
    nonce = body.pop("nonce")
    assert (route, query) == ("POST /channels/c1/messages", {})
    assert body == {"content": "Hello", "message_reference": {"message_id": "m0"}, "enforce_nonce": True}
    assert len(nonce) == 25
    assert asked(again[0])[2]["nonce"] == nonce
    assert data == MESSAGE


@pytest.mark.parametrize(
    ("operation", "parameters", "route", "body"),
    [
        (
            "editMessage",
            {"channelId": "c1", "messageId": "m1", "text": "New"},
            "PATCH /channels/c1/messages/m1",
            {"content": "New"},
        ),
        (
            "addReaction",
            {"channelId": "c1", "messageId": "m1", "emoji": "🎉"},
            "PUT /channels/c1/messages/m1/reactions/%F0%9F%8E%89/@me",
            None,
        ),
        (
            "createThread",
            {"channelId": "c1", "messageId": "m1", "name": "More", "autoArchiveDuration": 60},
            "POST /channels/c1/messages/m1/threads",
            {"name": "More", "auto_archive_duration": 60},
        ),
        ("listChannels", {"serverId": "g1"}, "GET /guilds/g1/channels", None),
        (
            "createChannel",
            {"guildId": "g1", "name": "team", "parentId": "c0"},
            "POST /guilds/g1/channels",
            {"name": "team", "type": 0, "parent_id": "c0"},
        ),
        (
            "addRole",
            {"guildId": "g1", "userId": "u1", "roleId": "r1"},
            "PUT /guilds/g1/members/u1/roles/r1",
            None,
        ),
    ],
)
def test_discord_operation_sends_what_discord_asks_for(
    operation: str, parameters: dict[str, Any], route: str, body: Any
) -> None:
    _, (request,) = ask("discord", operation, parameters, reply(MESSAGE))

    assert asked(request) == (route, {}, body)


def test_discord_messages_are_read_backwards() -> None:
    """A page that is full may have one before it."""
    full = [{"id": str(number)} for number in range(200, 100, -1)]

    data, requests = ask("discord", "getMessages", {"channel": "c1", "limit": 150}, reply(full), reply([{"id": "99"}]))

    assert [asked(request)[:2] for request in requests] == [
        ("GET /channels/c1/messages", {"limit": "100"}),
        ("GET /channels/c1/messages", {"limit": "50", "before": "101"}),
    ]
    assert (data["count"], data["hasMore"]) == (101, False)


def test_discord_members_are_named_by_their_users() -> None:
    members = [{"nick": None, "user": {"id": "u7"}}]

    data, (request,) = ask("discord", "listMembers", {"guildId": "g1", "limit": 1}, reply(members))

    assert asked(request)[:2] == ("GET /guilds/g1/members", {"limit": "1"})
    assert (data["items"], data["nextCursor"]) == (members, "u7")


@pytest.mark.parametrize(
    ("content", "fault"), [({}, "needs content or embeds"), ({"content": "x" * 2_001}, "at most 2000")]
)
def test_discord_message_that_discord_would_not_take_is_refused(content: dict[str, str], fault: str) -> None:
    with pytest.raises(ConfigError, match=fault):
        ask("discord", "sendMessage", {"channelId": "c1", **content}, reply(MESSAGE))


@pytest.mark.parametrize(
    ("status", "code", "kind", "ours"),
    [
        (403, 50013, ProviderError, "forbidden"),
        (404, 10003, ProviderError, "not_found"),
        (400, 50035, ProviderError, "rejected"),
        (401, 0, ConfigError, "credential_refused"),
    ],
)
def test_discord_error_is_told_in_its_words(status: int, code: int, kind: type, ours: str) -> None:
    refusal = {"message": "So it is.", "code": code}

    with pytest.raises(kind, match="So it is") as failure:
        ask("discord", "sendMessage", {"channelId": "c1", "content": "Hi"}, reply(refusal, status=status))

    assert failure.value.code == ours


def test_discord_rate_limit_says_how_long_to_wait() -> None:
    """In fractions of seconds."""
    refusal = reply(
        {"message": "slow", "retry_after": 0.75, "global": False}, status=429, headers={"Retry-After": "0.75"}
    )

    with pytest.raises(RateLimited) as failure:
        ask("discord", "sendMessage", {"channelId": "c1", "content": "Hi"}, refusal)

    assert failure.value.retry_after == 0.75
