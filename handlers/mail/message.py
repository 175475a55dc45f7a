"""A message as it travels. Pure: equal letters are equal bytes, so that every attempt sends the same message."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Final
from uuid import NAMESPACE_URL, uuid5

from bs4 import BeautifulSoup

from handlers.attached import Attached
from handlers.mail.addresses import Mailbox
from handlers.values import encodable

_BLANKS: Final = re.compile(r"[\x00-\x20\x7f\u2028\u2029]+")
MAX_SUBJECT_LENGTH: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    sender: Mailbox
    to: Sequence[Mailbox] = ()
    cc: Sequence[Mailbox] = ()
    bcc: Sequence[Mailbox] = ()  # told the server and nobody else
    reply_to: Sequence[Mailbox] = ()
    subject: str = ""
    text: str | None = None
    html: str | None = None
    attachments: Sequence[Attached] = ()

    @property
    def recipients(self) -> list[str]:
        """Each once, as the server is told them."""
        return list(dict.fromkeys(address.spec for address in (*self.to, *self.cc, *self.bcc)))


def write(letter: Letter, *, key: str, sent_at: datetime) -> EmailMessage:
    """The message of *letter*. Its Message-ID follows from *key*: a second copy is seen to be one."""
    message = EmailMessage(policy=SMTP)
    message["From"] = letter.sender.in_header()
    for name, addresses in (("To", letter.to), ("Cc", letter.cc), ("Reply-To", letter.reply_to)):
        if addresses:
            message[name] = tuple(address.in_header() for address in addresses)
    # A line break in a subject would begin another header.
    message["Subject"] = _BLANKS.sub(" ", encodable(letter.subject)).strip()[:MAX_SUBJECT_LENGTH]
    message["Date"] = format_datetime(sent_at)
    message["Message-ID"] = f"<{uuid5(NAMESPACE_URL, key)}@{letter.sender.domain}>"
    message["Auto-Submitted"] = "auto-generated"  # or holiday notices would be answered. Source: RFC 3834, 5
    _fill(message, letter, key)
    return message


def _fill(message: EmailMessage, letter: Letter, key: str) -> None:
    text = letter.text
    if text is None and letter.html is not None:
        text = BeautifulSoup(letter.html, "html.parser").get_text("\n", strip=True)
    message.set_content(encodable(text or ""))
    if letter.html is not None:
        message.add_alternative(encodable(letter.html), subtype="html")
    for attachment in letter.attachments:
        main, _, sub = attachment.content_type.partition("/")
        message.add_attachment(
            attachment.content, maintype=main, subtype=sub or "octet-stream", filename=attachment.name
        )
    for number, part in enumerate(part for part in message.walk() if part.is_multipart()):
        part.set_boundary(f"=_{uuid5(NAMESPACE_URL, f'{key}/{number}').hex}")
