"""Gmail: send, draft, find and read mail of the account that the OAuth2 credential belongs to."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from email.message import EmailMessage
from email.policy import SMTP
from typing import Annotated, Any

from pydantic import AliasChoices, Field

from handlers.base import JSONObject, JSONValue
from handlers.errors import InputError
from handlers.integrations import Answer, CursorPaging, Errand, Listing, Parameters, Several
from handlers.integrations.files import FilePath, read_file, write_file
from handlers.integrations.google import google_provider
from handlers.integrations.parameters import Unsent
from handlers.values import Text

gmail = google_provider(
    "gmail",
    title="Gmail",
    base_url="https://gmail.googleapis.com/gmail/v1",
    doc=__doc__ or "",
    aliases=("google-mail",),
)
MAX_MESSAGE_BYTES = 25 * 1024 * 1024  # Source: Gmail API, users.messages.send: 35 MB, encoded
SHOWN_HEADERS = ("subject", "from", "to", "date")


class Email(Parameters):
    """What a message is made of."""

    to: Several = Field(description="Addresses.")
    subject: Text = ""
    body: Text = Field("", validation_alias=AliasChoices("body", "text", "message"), description="Plain text.")
    html: Text | None = Field(None, validation_alias=AliasChoices("html", "htmlBody"), description="The same as HTML.")
    cc: Several | None = None
    bcc: Several | None = None
    sender: str | None = Field(None, validation_alias=AliasChoices("from", "sender"), description="An alias of yours.")
    reply_to: str | None = None
    in_reply_to: str | None = Field(None, description="The Message-ID that this answers.")
    thread_id: str | None = None
    attachments: Annotated[list[FilePath] | None, Unsent] = Field(None, description="Files of the workspace.")

    def make_body(self, drawn: JSONObject, errand: Errand) -> JSONValue:
        del drawn
        return self.message(errand)

    def message(self, errand: Errand) -> JSONObject:
        """Gmail's message: the mail as it is sent, in base64. Source: RFC 5322; Gmail API, users.messages."""
        mail = EmailMessage(policy=SMTP)
        try:
            for name, value in self._headers():
                mail[name] = value
        except ValueError as error:
            raise InputError(f"The mail has a header that cannot be sent: {error}.") from None
        mail.set_content(self.body)
        if self.html is not None:
            mail.add_alternative(self.html, subtype="html")
        for path in self.attachments or ():
            content, kind, name = read_file(path, errand)
            main, _, sub = kind.partition("/")
            mail.add_attachment(content, maintype=main, subtype=sub or "octet-stream", filename=name)
        raw = mail.as_bytes()
        if len(raw) > MAX_MESSAGE_BYTES:
            raise InputError(f"The mail has {len(raw) / 1024**2:.0f} MB with its attachments; Gmail takes 25.")
        thread: JSONObject = {} if self.thread_id is None else {"threadId": self.thread_id}
        return {"raw": urlsafe_b64encode(raw).decode()} | thread

    def _headers(self) -> Iterator[tuple[str, str]]:
        yield "To", ", ".join(self.to)
        yield "Subject", self.subject
        for name, addresses in (("Cc", self.cc), ("Bcc", self.bcc)):
            if addresses:
                yield name, ", ".join(addresses)
        if self.in_reply_to is not None:
            yield "In-Reply-To", self.in_reply_to
            yield "References", self.in_reply_to
        for name, written in (("From", self.sender), ("Reply-To", self.reply_to)):
            if written is not None:
                yield name, written


@gmail.operation("sendEmail", "POST /users/me/messages/send", aliases=("sendMessage", "send"))
class SendEmail(Email):
    """Send a mail. The answer has its `id` and `threadId`."""


@gmail.operation("createDraft", "POST /users/me/drafts")
class CreateDraft(Email):
    """Leave a mail among the drafts."""

    def make_body(self, drawn: JSONObject, errand: Errand) -> JSONValue:
        del drawn
        return {"message": self.message(errand)}


@gmail.operation(
    "listMessages",
    "GET /users/me/messages",
    aliases=("searchMessages", "listEmails", "searchEmails"),
    paging=CursorPaging(items="messages", cursor="nextPageToken", sent_as="pageToken", size="maxResults", most=500),
)
class ListMessages(Listing):
    """Ids of the messages that a search finds, the newest first; `getMessage` reads one."""

    q: str | None = Field(
        None, validation_alias=AliasChoices("q", "query"), description="Gmail's search: from:ada is:unread …"
    )
    label_ids: Several | None = None
    include_spam_trash: bool | None = None


@gmail.operation("getMessage", "GET /users/me/messages/{id}", aliases=("getEmail",))
class GetMessage(Parameters):
    """One message as Gmail tells it, and beside it `subject`, `from`, `to`, `date` and `text`, the plain text of it."""

    id: str = Field(validation_alias=AliasChoices("id", "messageId"))
    format: str = Field("full", description="full, metadata, minimal or raw.")

    def make_result(self, answer: Answer, errand: Errand) -> JSONValue:
        del errand
        data = answer.data
        if not isinstance(data, dict) or not isinstance(data.get("payload"), dict):
            return data
        payload: Any = data["payload"]
        headers = {str(each.get("name", "")).lower(): each.get("value") for each in payload.get("headers", ())}
        shown = {name: headers[name] for name in SHOWN_HEADERS if name in headers}
        texts = [_decoded(part["body"]["data"]) for part in _parts(payload) if part.get("mimeType") == "text/plain"]
        return data | shown | {"text": "".join(text.decode(errors="replace") for text in texts)}


@gmail.operation("getAttachment", "GET /users/me/messages/{message_id}/attachments/{id}")
class GetAttachment(Parameters):
    """Store an attachment as a file of the workspace."""

    message_id: str
    id: str = Field(validation_alias=AliasChoices("id", "attachmentId"))
    save_as: Annotated[str, Unsent] = Field(
        validation_alias=AliasChoices("saveAs", "path", "filename"), description="The path of the file."
    )

    def make_result(self, answer: Answer, errand: Errand) -> JSONValue:
        data = answer.data if isinstance(answer.data, dict) else {}
        return write_file(self.save_as, _decoded(data.get("data")), errand)


@gmail.operation("modifyLabels", "POST /users/me/messages/{id}/modify", aliases=("addLabels", "modifyMessage"))
class ModifyLabels(Parameters):
    """Add and remove labels: UNREAD to be removed is a message read."""

    id: str = Field(validation_alias=AliasChoices("id", "messageId"))
    add_label_ids: Several | None = Field(None, validation_alias=AliasChoices("addLabelIds", "addLabels", "labelIds"))
    remove_label_ids: Several | None = Field(None, validation_alias=AliasChoices("removeLabelIds", "removeLabels"))


@gmail.operation("trashMessage", "POST /users/me/messages/{id}/trash", aliases=("deleteMessage",))
class TrashMessage(Parameters):
    """Put a message into the bin."""

    id: str = Field(validation_alias=AliasChoices("id", "messageId"))


@gmail.operation("listLabels", "GET /users/me/labels", picks="labels")
class ListLabels(Parameters):
    """The labels of the account, each with its id."""


def _parts(payload: Any) -> Iterator[Any]:
    """All parts that have content, the payload itself among them."""
    todo = [payload]
    while todo:
        part = todo.pop(0)
        if isinstance(part, dict):
            if isinstance(part.get("body"), dict) and isinstance(part["body"].get("data"), str):
                yield part
            todo = [*(part.get("parts") or ()), *todo]


def _decoded(data: object) -> bytes:
    text = data if isinstance(data, str) else ""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
