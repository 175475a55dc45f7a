from __future__ import annotations

from dataclasses import replace
from email import message_from_bytes
from email.policy import default
from typing import Any

import pytest

from handlers import mail
from handlers.attached import Attached
from tests.handlers.fakes import NOW

ADA = mail.Mailbox(name="Ada", local="ada", domain="example.com")
LETTER = mail.Letter(sender=ADA, to=[replace(ADA, name="")], subject="Hello", text="Hi there")


def read(letter: mail.Letter) -> Any:
    return message_from_bytes(mail.write(letter, key="k", sent_at=NOW).as_bytes(), policy=default)


def test_message_has_the_headers_that_mail_needs() -> None:
    message = read(replace(LETTER, cc=[ADA], reply_to=[ADA]))

    assert (message["From"], message["To"], message["Cc"], message["Reply-To"], message["Subject"]) == (
        "Ada <ada@example.com>",
        "ada@example.com",
        "Ada <ada@example.com>",
        "Ada <ada@example.com>",
        "Hello",
    )
    assert message["Date"] == "Sun, 01 Mar 2026 12:00:00 +0000"
    assert message["Auto-Submitted"] == "auto-generated"


def test_message_of_every_attempt_is_the_same() -> None:
    """What was taken, and lost before we knew, is seen to be a second copy."""
    letter = replace(LETTER, html="<p>Hi", attachments=[Attached(name="a", content_type="a/b", content=b"x")])

    first, again, other = (mail.write(letter, key=key, sent_at=NOW).as_bytes() for key in ("k", "k", "other"))

    assert first == again
    assert read(LETTER)["Message-ID"].endswith("@example.com>")
    assert first != other


@pytest.mark.parametrize(
    "subject", ["Hello\r\nBcc: eve@example.com", "Hello\nBcc: eve@example.com", "Hello\u2028Bcc: eve"]
)
def test_subject_with_a_line_break_begins_no_header(subject: str) -> None:
    """Header injection."""
    message = read(replace(LETTER, subject=subject))

    assert message["Bcc"] is None
    assert message["Subject"].startswith("Hello Bcc: eve")


def test_message_names_nobody_who_is_not_to_be_seen() -> None:
    hidden = replace(ADA, local="hidden")
    letter = replace(LETTER, bcc=[hidden, ADA])

    assert b"hidden" not in mail.write(letter, key="k", sent_at=NOW).as_bytes()
    assert letter.recipients == ["ada@example.com", "hidden@example.com"]


def test_message_has_text_html_and_files() -> None:
    file = Attached(name="Grüße.pdf", content_type="application/pdf", content=b"\0%PDF")

    message = read(replace(LETTER, text="T", html="<p>H</p>", attachments=[file]))

    assert message.get_body(("plain",)).get_content() == "T\r\n"
    assert message.get_body(("html",)).get_content() == "<p>H</p>\r\n"
    (part,) = message.iter_attachments()
    assert (part.get_filename(), part.get_content_type(), part.get_content()) == (
        "Grüße.pdf",
        "application/pdf",
        b"\0%PDF",
    )


def test_file_whose_name_would_be_a_header_is_a_name() -> None:
    """Header injection by a file."""
    file = Attached(name='a"\r\nX-Own: 1\r\n\r\n', content_type="a/b", content=b"x")

    with pytest.raises(ValueError, match="linefeed"):
        read(replace(LETTER, attachments=[file]))


def test_message_of_html_alone_can_be_read_as_text() -> None:
    assert (
        read(replace(LETTER, text=None, html="<p>One</p><p>Two</p>")).get_body(("plain",)).get_content()
        == "One\r\nTwo\r\n"
    )


@pytest.mark.parametrize(
    ("value", "specs"),
    [
        ("ada@example.com", ["ada@example.com"]),
        ("Ada <ada@example.com>, bob@example.com", ["ada@example.com", "bob@example.com"]),
        (["ada@example.com", "Bob <bob@example.com>"], ["ada@example.com", "bob@example.com"]),
        ('"Lovelace, Ada" <ada@example.com>', ["ada@example.com"]),
        ("ada@grün.example", ["ada@xn--grn-ioa.example"]),
        ("ada@localhost", ["ada@localhost"]),
        (None, []),
        ("", []),
        ([], []),
    ],
)
def test_addresses_are_read_as_people_write_them(value: Any, specs: list[str]) -> None:
    assert [address.spec for address in mail.read_addresses(value)] == specs


@pytest.mark.parametrize(
    "value",
    [
        "ada",
        "ada@",
        "@example.com",
        "ada@example..com",
        "ada@exa mple.com",
        "ada@example.com\r\nBcc: eve@example.com",  # header injection
        "ada@example.com>\r\nRCPT TO:<eve@example.com",  # SMTP injection
        "ada@example.com\nDATA",
        '"a\r\nb" <ada@example.com>',
        "ada@example.com bob@example.com",
        "a@b@example.com",
        7,
        [7],
        ["a@example.com"] * 101,
    ],
)
def test_address_that_is_none_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="address"):
        mail.read_addresses(value)
