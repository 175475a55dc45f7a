"""A mail to people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pydantic import AliasChoices, Field

from handlers import mail, network
from handlers.attached import Attached, path_of, read_attached
from handlers.base import Effect, JSONValue, Lane, NodeConfig, NodeData, NodeHandler, NodeInput, NodeOutput
from handlers.errors import InputError
from handlers.ports import Files, Lent
from handlers.registry import node_type
from handlers.values import Text

MAX_ATTACHED_BYTES: Final = 18 * 1024 * 1024  # in Base64 a third more; common servers take 25 MB
SECONDS: Final = 60


class EmailConfig(NodeConfig):
    connection_id: str = Field(min_length=1, description="Id of a credential of kind smtp.")
    sender: mail.OneAddress = Field(
        None,
        validation_alias=AliasChoices("from", "sender"),
        description="Who writes; the credential's user, if that is an address.",
    )
    to: mail.Addresses = Field((), description="Addresses, as a list or parted by commas.")
    cc: mail.Addresses = ()
    bcc: mail.Addresses = Field((), description="Who gets it without the others seeing that.")
    reply_to: mail.Addresses = ()
    subject: Text = ""
    text: Text | None = Field(None, validation_alias=AliasChoices("text", "body"), description="The message as text.")
    html: Text | None = Field(None, description="The message as HTML; as text it is what can be read of it.")
    attachments: Any = Field(None, description="Path of a file, a stored file, or a list of these.")


class EmailData(NodeData):
    message_id: str
    sender: str = Field(alias="from")
    accepted: list[str] = Field(description="Addresses that the server took.")
    rejected: dict[str, str] = Field(description="Those it did not, with what it said.")
    subject: str


@node_type("email", category="integrations", title="E-mail", effect=Effect.EFFECT, lane=Lane.IO)
class Email(NodeHandler[EmailConfig]):
    """Send a mail by the server of a credential (SMTP).

    Output: `{"messageId", "from", "accepted", "rejected", "subject"}`: the addresses that the server took, and those it
    did not, with what it said: `{"<address>": "550 …"}`. Where it takes none, the node fails with
    `recipients_refused`, or is tried again if that may pass.

    The mail has `text`, `html` or both, and up to 18 MB of `attachments`, which are files of the workspace or what
    other nodes have stored. Line breaks in the subject are blanks; in an address they fail the node. All attempts send
    the same `Message-ID`, by which a mail that was taken, and lost before we knew, is seen to be a second copy.

    The connection is encrypted as the credential says; a server that does not offer that gets nothing (`tls`). It has
    to be on the public internet unless the site's operator allows another (`egress_refused`).
    """

    Config = EmailConfig
    Output = EmailData

    def run(self, node: NodeInput[EmailConfig], lent: Lent) -> NodeOutput:
        config = node.config
        server = mail.of_credential(lent.credential(config.connection_id))
        letter = _letter(config, server, lent.files)
        message = mail.write(letter, key=node.idempotency_key, sent_at=node.now)
        with network.call(lent, seconds=min(SECONDS, lent.remaining())):
            receipt = mail.send(message, server, sender=letter.sender.spec, recipients=letter.recipients)
        for address, said in receipt.refused.items():
            lent.log("warning", f"The server does not take mail to {address}: {said}")
        accepted: list[JSONValue] = [*receipt.accepted]
        return NodeOutput(
            data={
                "messageId": message["Message-ID"],
                "from": letter.sender.spec,
                "accepted": accepted,
                "rejected": dict(receipt.refused),
                "subject": str(message["Subject"]),
            }
        )

    @classmethod
    def check(cls, config: Mapping[str, Any]) -> list[tuple[str, str]]:
        wrong = []
        if not any(config.get(field) for field in ("to", "cc", "bcc")):
            wrong.append(("to", "A mail goes to somebody."))
        if not any(config.get(field) for field in ("text", "body", "html")):
            wrong.append(("text", "A mail has a text, or HTML."))
        return wrong


def _letter(config: EmailConfig, server: mail.MailServer, files: Files) -> mail.Letter:
    sender = config.sender or _sender_of(server)
    letter = mail.Letter(
        sender=sender,
        to=config.to,
        cc=config.cc,
        bcc=config.bcc,
        reply_to=config.reply_to,
        subject=config.subject or "",
        text=config.text,
        html=config.html,
        attachments=_attachments(config.attachments, files),
    )
    if not letter.recipients:
        raise InputError("to: There is nobody to send this to.")
    return letter


def _sender_of(server: mail.MailServer) -> mail.Mailbox:
    try:
        found = mail.read_address(server.user)
    except ValueError:
        found = None
    if found is None:
        raise InputError("from: Say who writes; the user of the credential is no address.")
    return found


def _attachments(value: Any, files: Files) -> list[Attached]:
    items = [] if value in (None, "") else value if isinstance(value, list) else [value]
    try:
        paths = [path_of(item) for item in items]
    except ValueError as error:
        raise InputError(f"attachments: {error}") from error
    return read_attached(paths, files, max_bytes=MAX_ATTACHED_BYTES)
