from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from handlers.errors import ConfigError, EgressRefused, InputError, NodeTimeout, ProviderError, Unreachable
from handlers.ports import Credential
from handlers.registry import check_config
from tests.handlers.cancelling import cancelled
from tests.handlers.fakes import CATALOGUE, RecordingLent, run
from tests.handlers.mail.servers import MailBox, mail_server
from tests.handlers.servers import socket_server, stay_silent

LETTER = {"connectionId": "c", "from": "me@example.com", "to": "ada@example.com", "subject": "Hello", "text": "Hi"}


def lent(port: int, seconds: float = 30, **values: str) -> RecordingLent:
    told = {"host": "127.0.0.1", "port": str(port), "security": "none", **values}
    return RecordingLent(seconds=seconds, credentials=[Credential(id="c", kind="smtp", name="Mine", values=told)])


def send(box: MailBox, config: dict[str, Any] | None = None, **values: str) -> Any:
    with mail_server(box):
        return run("email", {**LETTER, **(config or {})}, lent=lent(box.port, **values)).data


def test_email_is_handed_over_and_says_to_whom() -> None:
    box = MailBox()

    told = send(box, {"cc": "Bob <bob@example.com>", "bcc": ["eve@example.com"]})

    (message,) = box.messages
    assert box.recipients == ["ada@example.com", "bob@example.com", "eve@example.com"]
    assert (message["To"], message["Cc"], message["Bcc"], message["Subject"]) == (
        "ada@example.com",
        "Bob <bob@example.com>",
        None,
        "Hello",
    )
    assert told == {
        "messageId": message["Message-ID"],
        "from": "me@example.com",
        "accepted": box.recipients,
        "rejected": {},
        "subject": "Hello",
    }


def test_email_takes_files_of_the_workspace() -> None:
    box = MailBox()
    with mail_server(box):
        borrowed = lent(box.port)
        stored = borrowed.files.write("out/report.pdf", b"%PDF")
        run("email", {**LETTER, "attachments": [stored.to_json(), "out/report.pdf"]}, lent=borrowed)

    parts = list(box.messages[0].iter_attachments())
    assert [(part.get_filename(), part.get_content_type(), part.get_content()) for part in parts] == [
        ("report.pdf", "application/pdf", b"%PDF")
    ] * 2


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_email_and_password_travel_encrypted(security: str, certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is said in the clear but the wish to be encrypted."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    box = MailBox(certificate=certificate, is_tls=security == "tls", password="s3cret")

    send(box, security=security, user="me@example.com", password="s3cret")

    clear = box.commands[: len(box.commands) - len(box.secured)]
    assert [command.split()[0] for command in clear] == (["ehlo", "STARTTLS"] if security == "starttls" else [])
    assert (box.logins, len(box.messages)) == (["me@example.com"], 1)


def test_email_to_a_server_without_tls_is_not_sent_where_that_is_required() -> None:
    """A server in between that leaves the offer out (STARTTLS stripping) gets neither password nor mail."""
    box = MailBox()

    with pytest.raises(ConfigError) as failure:
        send(box, security="starttls", user="me@example.com", password="s3cret")

    assert failure.value.code == "tls"
    assert [command.split()[0] for command in box.commands] == ["ehlo"]


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_email_to_a_server_that_nobody_trusts_is_not_sent(security: str, certificate: Path) -> None:
    box = MailBox(certificate=certificate, is_tls=security == "tls")

    with pytest.raises(Unreachable) as failure:
        send(box, security=security, user="me@example.com", password="s3cret")

    assert (failure.value.code, failure.value.retryable) == ("tls", False)
    assert (box.logins, box.raw) == ([], [])


def test_email_with_a_password_that_is_refused_is_a_matter_of_the_credential() -> None:
    with pytest.raises(ConfigError) as failure:
        send(MailBox(password="other"), user="me@example.com", password="s3cret")

    assert failure.value.code == "credentials_refused"
    assert "s3cret" not in str(failure.value)


def test_email_that_some_may_not_get_goes_to_the_others() -> None:
    box = MailBox(replies={"rcpt TO:<bob": "550 5.1.1 nobody"})

    told = send(box, {"cc": "bob@example.com"})

    assert (told["accepted"], told["rejected"]) == (["ada@example.com"], {"bob@example.com": "550 5.1.1 nobody"})


@pytest.mark.parametrize(
    ("replies", "code", "retryable"),
    [
        ({"rcpt": "550 nobody"}, "recipients_refused", False),
        ({"rcpt": "450 later"}, "provider_error", True),  # greylisting
        ({"mail": "550 not you"}, "provider_error", False),
        ({"mail": "451 later"}, "provider_error", True),
        ({"data": "554 spam"}, "provider_error", False),
    ],
)
def test_email_that_is_not_taken_fails_the_node(replies: dict[str, str], code: str, retryable: bool) -> None:
    """Tried again if the server says that it may pass."""
    with pytest.raises((InputError, ProviderError)) as failure:
        send(MailBox(replies=replies))

    assert (failure.value.code, failure.value.retryable) == (code, retryable)


@pytest.mark.parametrize(
    "config",
    [
        {"to": "ada@example.com\r\nRCPT TO:<eve@example.com>"},
        {"to": "ada@example.com>\nDATA\nSubject: x"},
        {"from": "me@example.com>\r\nRCPT TO:<eve@example.com"},
        {"replyTo": "me@example.com\r\nBcc: eve@example.com"},
        {"cc": ["ada@example.com\nBcc: eve@example.com"]},
    ],
)
def test_email_with_an_address_that_would_be_a_command_is_not_sent(config: dict[str, Any]) -> None:
    """SMTP and header injection."""
    with pytest.raises(ValidationError):
        run("email", {**LETTER, **config}, lent=lent(9))


def test_email_with_a_line_of_a_single_dot_is_whole() -> None:
    """What follows it would otherwise be commands to the server."""
    box = MailBox()

    send(box, {"text": "one\n.\nMAIL FROM:<eve@example.com>\n..two"})

    assert (
        box.messages[0].get_content() == "one\n.\nMAIL FROM:<eve@example.com>\n..two\n" or box.raw[0].count(b"..") == 2
    )
    assert len(box.raw) == 1


@pytest.mark.usefixtures("default_policy")
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "::1"])
def test_email_to_a_server_inside_is_refused(host: str) -> None:
    """Server-side request forgery, in the protocol of mail."""
    with pytest.raises(EgressRefused):
        run("email", LETTER, lent=lent(25, host=host))


def test_email_cancelled_while_it_waits_ends_at_once() -> None:
    with socket_server(stay_silent) as (_, port):
        borrowed = lent(port)
        with cancelled(borrowed):
            run("email", LETTER, lent=borrowed)


def test_email_to_a_server_that_says_nothing_fails_as_timeout() -> None:
    with socket_server(stay_silent) as (_, port), pytest.raises(NodeTimeout):
        run("email", LETTER, lent=lent(port, seconds=0.3))


def test_email_without_a_server_fails_as_unreachable() -> None:
    with pytest.raises(Unreachable):
        run("email", LETTER, lent=lent(9))


@pytest.mark.parametrize("kind", ["bearer", "smtp"])
def test_email_of_a_credential_that_names_no_server_is_refused(kind: str) -> None:
    borrowed = RecordingLent(credentials=[Credential(id="c", kind=kind, name="Mine", values={})])

    with pytest.raises(ConfigError, match="Mine"):
        run("email", LETTER, lent=borrowed)


def test_email_is_from_the_user_of_the_credential_if_nobody_else_is_named() -> None:
    box = MailBox(password="s3cret")

    told = send(box, {"from": None}, user="me@example.com", password="s3cret")

    assert told["from"] == "me@example.com"
    with pytest.raises(InputError, match="from"):
        send(MailBox(), {"from": None}, user="no address")


@pytest.mark.parametrize(
    ("config", "fields"),
    [
        ({}, []),
        ({"to": "{{a.b}}"}, []),
        ({"to": None}, ["to"]),
        ({"text": None}, ["text"]),
        ({"text": None, "html": "<p>"}, []),
        ({"to": "ada"}, ["to"]),
        ({"connectionId": None}, ["connectionId"]),
    ],
)
def test_email_as_drawn_is_checked(config: dict[str, Any], fields: list[str]) -> None:
    assert [field for field, _ in check_config(CATALOGUE["email"], {**LETTER, **config})] == fields
