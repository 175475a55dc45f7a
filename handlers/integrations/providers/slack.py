"""Slack: messages, channels, people. The credential is a bot's or a user's token (`xoxb-…`, `xoxp-…`)."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AliasChoices, Field, model_validator

from handlers.base import JSONValue
from handlers.integrations import Bearer, CursorPaging, Listing, Meaning, Parameters, Provider, Sent, Several
from handlers.integrations.parameters import Listed
from handlers.values import Text


def _is_refused(data: JSONValue) -> bool:
    """Slack answers 200 whatever happens, and says `ok: false`."""
    return not (isinstance(data, dict) and data.get("ok") is True)


slack = Provider(
    "slack",
    title="Slack",
    doc=__doc__ or "",
    base_url="https://slack.com/api",
    auth=Bearer(),
    told_at=("error",),
    codes_at=("error",),
    is_refused=_is_refused,
    # Source: Slack API, errors of chat.postMessage and conversations.list.
    meanings={
        **dict.fromkeys(
            ("invalid_auth", "not_authed", "token_expired", "token_revoked", "account_inactive"), Meaning.CREDENTIAL
        ),
        **dict.fromkeys(
            ("missing_scope", "access_denied", "no_permission", "not_in_channel", "restricted_action"),
            Meaning.FORBIDDEN,
        ),
        **dict.fromkeys(
            ("channel_not_found", "user_not_found", "users_not_found", "message_not_found"), Meaning.MISSING
        ),
        **dict.fromkeys(("ratelimited", "rate_limited"), Meaning.RATE),
        **dict.fromkeys(
            ("fatal_error", "internal_error", "request_timeout", "service_unavailable", "team_added_to_org"),
            Meaning.LATER,
        ),
    },
    rate_pause=30.0,
)

CHANNEL = "Its id, or its name with #."
TIME = "The `ts` of a message."


class Message(Parameters):
    """What a message is made of."""

    text: Text | None = Field(
        None, validation_alias=AliasChoices("text", "message"), description="With Slack's marks: *bold*, <url|text>."
    )
    blocks: Listed | None = Field(None, description="Slack's Block Kit; `text` is then what notifications show.")

    @model_validator(mode="after")
    def _says_something(self) -> Message:
        if self.text is None and not self.blocks:
            raise ValueError("A message needs text or blocks.")
        return self


class Posted(Message):
    thread_ts: str | None = Field(None, description=f"{TIME} The message answers it.")
    unfurl_links: bool | None = Field(None, description="Whether links are shown with a preview.")


@slack.operation("sendMessage", "POST /chat.postMessage", aliases=("postMessage", "chatPostMessage"))
class SendMessage(Posted):
    """Post a message to a channel. The answer has its `ts` and `channel`."""

    channel: str = Field(validation_alias=AliasChoices("channel", "channelId"), description=CHANNEL)


@slack.operation("sendDirectMessage", "POST /chat.postMessage", aliases=("sendDM",))
class SendDirectMessage(Posted):
    """Write to one person, as the app."""

    user: Annotated[str, Sent(name="channel")] = Field(
        validation_alias=AliasChoices("user", "userId", "channel"), description="The id of a user: U…."
    )


@slack.operation("updateMessage", "POST /chat.update", aliases=("editMessage",))
class UpdateMessage(Message):
    """Replace what a message says."""

    channel: str = Field(validation_alias=AliasChoices("channel", "channelId"), description="Its id.")
    ts: str = Field(validation_alias=AliasChoices("ts", "messageTs"), description=TIME)


@slack.operation(
    "getChannelHistory",
    "GET /conversations.history",
    aliases=("listMessages", "getMessages"),
    paging=CursorPaging(
        items="messages", cursor="response_metadata.next_cursor", sent_as="cursor", size="limit", most=200
    ),
)
class GetChannelHistory(Listing):
    """The messages of a channel, the newest first."""

    channel: str = Field(validation_alias=AliasChoices("channel", "channelId"), description="Its id.")
    oldest: str | None = Field(
        None, validation_alias=AliasChoices("oldest", "since"), description="Seconds since 1970: none before."
    )
    latest: str | None = Field(
        None, validation_alias=AliasChoices("latest", "until"), description="Seconds since 1970: none after."
    )


@slack.operation(
    "listChannels",
    "GET /conversations.list",
    aliases=("getChannels",),
    paging=CursorPaging(
        items="channels", cursor="response_metadata.next_cursor", sent_as="cursor", size="limit", most=200
    ),
)
class ListChannels(Listing):
    """The channels that the token sees."""

    types: Several = Field(default_factory=lambda: ["public_channel"], description="public_channel, private_channel, …")
    exclude_archived: bool = Field(True, description="Whether archived channels are left out.")

    def make_query(self, drawn: dict[str, Any]) -> dict[str, Any]:
        return drawn | {"types": ",".join(self.types)}


@slack.operation("createChannel", "POST /conversations.create", picks="channel")
class CreateChannel(Parameters):
    """Make a channel."""

    name: str = Field(
        validation_alias=AliasChoices("name", "channelName"), description="Small letters, digits, - and _."
    )
    is_private: bool = Field(False, description="Whether only those who are invited see it.")


@slack.operation("inviteToChannel", "POST /conversations.invite", picks="channel", aliases=("inviteUsers",))
class InviteToChannel(Parameters):
    """Bring people into a channel."""

    channel: str = Field(validation_alias=AliasChoices("channel", "channelId"), description="Its id.")
    users: Several = Field(description="Ids of users.")

    def make_body(self, drawn: dict[str, Any], errand: Any) -> JSONValue:
        del errand
        return drawn | {"users": ",".join(self.users)}


@slack.operation(
    "listUsers",
    "GET /users.list",
    aliases=("getUsers",),
    paging=CursorPaging(
        items="members", cursor="response_metadata.next_cursor", sent_as="cursor", size="limit", most=200
    ),
)
class ListUsers(Listing):
    """The people of the workspace, those who left and bots among them."""


@slack.operation("getUserByEmail", "GET /users.lookupByEmail", picks="user", aliases=("lookupUserByEmail",))
class GetUserByEmail(Parameters):
    """Whoever has this address."""

    email: str = Field(description="The address they signed up with.")


@slack.operation("addReaction", "POST /reactions.add")
class AddReaction(Parameters):
    """React to a message with an emoji."""

    channel: str = Field(validation_alias=AliasChoices("channel", "channelId"), description="Its id.")
    timestamp: str = Field(validation_alias=AliasChoices("timestamp", "ts"), description=TIME)
    name: str = Field(validation_alias=AliasChoices("name", "emoji"), description="The emoji's name, without colons.")
