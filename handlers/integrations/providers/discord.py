"""Discord: messages, threads, channels and members of a server. The credential is a bot's token."""

from __future__ import annotations

from hashlib import sha256
from typing import Annotated, Literal

from pydantic import AliasChoices, Field, model_validator

from handlers.base import JSONObject, JSONValue
from handlers.integrations import Bearer, Errand, LastItemPaging, Listing, Meaning, Parameters, Provider
from handlers.integrations.parameters import Listed, Unsent
from handlers.values import Text

discord = Provider(
    "discord",
    title="Discord",
    doc=__doc__ or "",
    base_url="https://discord.com/api/v10",
    auth=Bearer(words={"api_key": "Bot", "bearer": "Bot"}),  # what OAuth2 gives is a bearer token
    # Source: Discord, API reference, User Agent: others are turned away.
    headers={"User-Agent": "DiscordBot (FlowMaestro, 0.1)"},
    codes_at=("code",),
    meanings={
        **dict.fromkeys(("50001", "50013"), Meaning.FORBIDDEN),  # missing access, missing permissions
        **dict.fromkeys(("10003", "10004", "10008", "10013"), Meaning.MISSING),  # channel, server, message, user
    },
)
MAX_NONCE_LENGTH = 25


class InChannel(Parameters):
    channel_id: str = Field(validation_alias=AliasChoices("channelId", "channel"), description="Its id.")


class OneMessage(InChannel):
    message_id: str = Field(description="Its id.")


class InServer(Parameters):
    guild_id: str = Field(validation_alias=AliasChoices("guildId", "serverId"), description="The server's id.")


class Message(InChannel):
    content: Text | None = Field(
        None, max_length=2_000, validation_alias=AliasChoices("content", "text", "message"), description="Markdown."
    )
    embeds: Listed | None = Field(None, max_length=10, description="As Discord's API has them.")

    @model_validator(mode="after")
    def _says_something(self) -> Message:
        if self.content is None and not self.embeds:
            raise ValueError("A message needs content or embeds.")
        return self


@discord.operation("sendMessage", "POST /channels/{channel_id}/messages", aliases=("postMessage", "createMessage"))
class SendMessage(Message):
    """Post a message to a channel or a thread; one that an attempt before has posted is not posted again."""

    reply_to: Annotated[str | None, Unsent] = Field(None, description="The id of the message that this answers.")
    tts: bool | None = Field(None, description="Whether it is read aloud.")

    def make_body(self, drawn: JSONObject, errand: Errand) -> JSONValue:
        # Source: Discord, Create Message, enforce_nonce: of two with one nonce within minutes the first is answered.
        nonce = sha256(errand.idempotency_key.encode()).hexdigest()[:MAX_NONCE_LENGTH]
        answered: JSONObject = {} if self.reply_to is None else {"message_reference": {"message_id": self.reply_to}}
        return drawn | answered | {"nonce": nonce, "enforce_nonce": True}


@discord.operation("editMessage", "PATCH /channels/{channel_id}/messages/{message_id}", aliases=("updateMessage",))
class EditMessage(Message):
    """Change what a message of the bot says."""

    message_id: str = Field(description="Its id.")


@discord.operation("deleteMessage", "DELETE /channels/{channel_id}/messages/{message_id}")
class DeleteMessage(OneMessage):
    """Delete a message; Discord answers nothing."""


@discord.operation(
    "getMessages",
    "GET /channels/{channel_id}/messages",
    aliases=("listMessages", "getChannelMessages"),
    paging=LastItemPaging(sent_as="before", size="limit"),
)
class GetMessages(InChannel, Listing):
    """The messages of a channel, the newest first."""


@discord.operation("addReaction", "PUT /channels/{channel_id}/messages/{message_id}/reactions/{emoji}/@me")
class AddReaction(OneMessage):
    """React to a message; Discord answers nothing."""

    emoji: str = Field(description="The character itself, or name:id of one of the server's.")


@discord.operation("createThread", "POST /channels/{channel_id}/messages/{message_id}/threads")
class CreateThread(OneMessage):
    """Begin a thread at a message."""

    name: str = Field(max_length=100)
    auto_archive_duration: Literal[60, 1440, 4320, 10080] | None = Field(None, description="Minutes of silence.")


@discord.operation("listChannels", "GET /guilds/{guild_id}/channels")
class ListChannels(InServer):
    """The channels of a server, all at once."""


@discord.operation("createChannel", "POST /guilds/{guild_id}/channels")
class CreateChannel(InServer):
    """Make a channel."""

    name: str = Field(max_length=100)
    type: int = Field(0, description="0: text, 2: voice, 4: category, 15: forum.")
    topic: Text | None = None
    parent_id: str | None = Field(None, description="The category it belongs to.")


@discord.operation(
    "listMembers",
    "GET /guilds/{guild_id}/members",
    paging=LastItemPaging(sent_as="after", named_by="user.id", size="limit", most=1000),
)
class ListMembers(InServer, Listing):
    """The members of a server. The bot needs the intent for it."""


@discord.operation("addRole", "PUT /guilds/{guild_id}/members/{user_id}/roles/{role_id}", aliases=("assignRole",))
class AddRole(InServer):
    """Give a member a role; Discord answers nothing."""

    user_id: str
    role_id: str
