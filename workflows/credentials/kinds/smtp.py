"""A mail server."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from typing import Literal

from pydantic import Field

from handlers import mail, network
from workflows.credentials.kind import Borrower, Kind, Plain, Port, Secret, credential_kind
from workflows.credentials.probes import PROBE_SECONDS


@credential_kind("smtp", title="Mail server (SMTP)")
class Smtp(Kind):
    """A server that takes mail to send."""

    host: Plain = Field(description="The name or address of the server.")
    port: Port = Field(587, description="587 for starttls, 465 for tls, as a rule.")
    user: Plain | None = Field(None, description="The name of the user; none for a server that asks for none.")
    password: Secret | None = Field(None, description="The password.")
    security: Literal["starttls", "tls", "none"] = Field("starttls", description="How the connection is encrypted.")

    def spelled(self) -> Iterable[str]:
        """Source: RFC 4616, 2 (PLAIN); LOGIN sends the password by itself."""
        if self.password is None:
            return ()
        plain = f"\0{self.user or ''}\0{self.password}"
        return tuple(b64encode(text.encode()).decode() for text in (plain, self.password))

    def try_out(self, borrower: Borrower) -> str:
        with network.call(borrower, seconds=PROBE_SECONDS):
            mail.log_in(mail.of_credential(self.borrowed()))
        return f"The mail server {self.host}:{self.port} {'answers' if self.user is None else f'lets {self.user} in'}."
