"""A mail server that keeps what it is given, and refuses what the test says."""

from __future__ import annotations

import socket
import ssl
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import IO, Any

from tests.handlers.servers import socket_server


@dataclass
class MailBox:
    """What the server does, and what it got."""

    port: int = 0
    certificate: Path | None = None  # of its TLS
    is_tls: bool = False  # from the first byte; otherwise by STARTTLS, if there is a certificate
    password: str | None = None
    replies: dict[str, str] = field(default_factory=dict)  # beginning of a command → what it is answered with
    commands: list[str] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    secured: list[str] = field(default_factory=list)  # the commands that came encrypted
    logins: list[str] = field(default_factory=list)

    @property
    def messages(self) -> list[Any]:
        return [message_from_bytes(raw, _class=EmailMessage, policy=default) for raw in self.raw]


@contextmanager
def mail_server(box: MailBox) -> Iterator[MailBox]:
    def talk(connection: socket.socket) -> None:
        if box.is_tls:
            connection = _encrypted(connection, box)
        session = _Session(connection, box)
        try:
            session.serve()
        finally:
            session.close()

    with socket_server(talk) as (_, port):
        box.port = port
        yield box


def _encrypted(connection: socket.socket, box: MailBox) -> ssl.SSLSocket:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    assert box.certificate is not None
    context.load_cert_chain(box.certificate)
    return context.wrap_socket(connection, server_side=True)


class _Session:
    def __init__(self, connection: socket.socket, box: MailBox) -> None:
        self.box = box
        self.use(connection)

    def use(self, connection: socket.socket) -> None:
        self.connection = connection
        self.lines: IO[bytes] = connection.makefile("rb")

    def close(self) -> None:
        self.lines.close()
        self.connection.close()

    def say(self, *lines: str) -> None:
        for line in lines:
            self.connection.sendall(line.encode() + b"\r\n")

    def serve(self) -> None:
        self.say("220 test")
        while line := self.lines.readline():
            command = line.decode().rstrip("\r\n")
            self.box.commands.append(command)
            if isinstance(self.connection, ssl.SSLSocket):
                self.box.secured.append(command)
            answer = next((said for start, said in self.box.replies.items() if command.startswith(start)), None)
            if answer is not None:
                self.say(answer)
            elif not self.answer(command):
                return

    def answer(self, command: str) -> bool:
        match command.split(maxsplit=1)[0].upper():
            case "EHLO":
                offers = ["250-test"]
                if self.box.certificate and not isinstance(self.connection, ssl.SSLSocket):
                    offers.append("250-STARTTLS")
                self.say(*offers, "250-AUTH PLAIN", "250 8BITMIME")
            case "STARTTLS":
                self.say("220 go on")
                self.lines.close()
                self.use(_encrypted(self.connection, self.box))
            case "AUTH":
                _, user, password = b64decode(command.split()[2]).decode().split("\0")
                self.box.logins.append(user)
                self.say("235 welcome" if password == self.box.password else "535 5.7.8 no")
            case "RCPT":
                self.box.recipients.append(command.partition("<")[2].partition(">")[0])
                self.say("250 ok")
            case "DATA":
                self.say("354 go on")
                self.box.raw.append(b"".join(iter(self.lines.readline, b".\r\n")))
                self.say("250 taken")
            case "QUIT":
                self.say("221 bye")
                return False
            case _:
                self.say("250 ok")
        return True
