"""A message handed to a server, by smtplib over a connection that is guarded and ends in time."""

from __future__ import annotations

import smtplib
import socket
import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Any, Final

from handlers import network
from handlers.errors import ConfigError, HandlerError, InputError, NodeTimeout, ProviderError, Unreachable
from handlers.mail.server import MailServer, Security

_PASSES_BELOW: Final = 500  # of replies: 4xx may pass, 5xx stay. Source: RFC 5321, 4.2.1
# What we call ourselves: the name of the machine is nobody's business, and to find it may take the resolver seconds.
_OUR_NAME: Final = "[127.0.0.1]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    accepted: Sequence[str]
    refused: Mapping[str, str]  # address → what the server says


def send(message: EmailMessage, server: MailServer, *, sender: str, recipients: Sequence[str]) -> Receipt:
    """Hand *message* over, within the current network call. Some recipients may be refused, but not all.

    Raises ConfigError (`credentials_refused`, `tls`), InputError (`recipients_refused`), ProviderError, Unreachable,
    NodeTimeout, EgressRefused.
    """
    with _explained(server), _open(server) as session:
        refused = session.send_message(message, sender, list(recipients))
        return Receipt(
            accepted=[address for address in recipients if address not in refused],
            refused={address: _said(*reply) for address, reply in refused.items()},
        )


def log_in(server: MailServer) -> None:
    """Have the server answer, and let a user in if one is named, within the current network call. Raises as `send`."""
    with _explained(server), _open(server) as session:
        session.ehlo_or_helo_if_needed()


@contextmanager
def _open(server: MailServer) -> Iterator[smtplib.SMTP]:
    kind = _Encrypted if server.security is Security.TLS else _Plain
    session = kind(server.host, server.port, local_hostname=_OUR_NAME)
    try:
        if server.security is Security.STARTTLS:
            session.starttls(context=network.tls_context())
        if server.user is not None:
            session.login(server.user, server.password)
        yield session
        with suppress(smtplib.SMTPException, OSError):  # the message has been taken
            session.quit()
    finally:
        session.close()


class _Plain(smtplib.SMTP):
    def _get_socket(self, host: str, port: int, timeout: Any) -> socket.socket:
        del timeout  # the call's is kept by the call
        return network.connect(host, port)


class _Encrypted(_Plain):
    def _get_socket(self, host: str, port: int, timeout: Any) -> socket.socket:
        sock = super()._get_socket(host, port, timeout)
        return network.tls_context().wrap_socket(sock, server_hostname=host)


@contextmanager
def _explained(server: MailServer) -> Iterator[None]:
    try:
        yield
    except (smtplib.SMTPException, OSError) as error:
        raise _failure(error, f"{server.host}:{server.port}") from error


def _failure(error: Exception, place: str) -> HandlerError:
    call = network.current_call()
    if call.is_overdue or isinstance(error, TimeoutError):
        return NodeTimeout(f"{place} did not take the message within {call.seconds:g} s.")
    match error:
        case ssl.SSLCertVerificationError():
            return Unreachable(f"{place}: the certificate is not to be trusted: {error}", code="tls", retryable=False)
        case smtplib.SMTPAuthenticationError():
            told = _said(error.smtp_code, error.smtp_error)
            return ConfigError(f"{place} refused user and password: {told}", code="credentials_refused")
        case smtplib.SMTPRecipientsRefused():
            told = "; ".join(f"{address}: {_said(*reply)}" for address, reply in error.recipients.items())
            if all(code < _PASSES_BELOW for code, _ in error.recipients.values()):
                return ProviderError(f"{place} takes mail to nobody of these for now: {told}", retryable=True)
            return InputError(f"{place} takes mail to nobody of these: {told}", code="recipients_refused")
        case smtplib.SMTPResponseException():
            told, may_pass = _said(error.smtp_code, error.smtp_error), error.smtp_code < _PASSES_BELOW
            return ProviderError(f"{place} did not take the message: {told}", retryable=may_pass)
        case smtplib.SMTPNotSupportedError():
            is_tls = "STARTTLS" in str(error)
            hint = "The credential's security has to be one that the server offers." if is_tls else "It lacks that."
            return ConfigError(f"{place}: {error} {hint}", code="tls" if is_tls else "not_supported")
    return Unreachable(f"{place} cannot be used: {error}")


def _said(code: int, text: bytes | str) -> str:
    return f"{code} {text.decode('utf-8', 'replace') if isinstance(text, bytes) else text}"
