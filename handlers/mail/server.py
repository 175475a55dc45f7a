"""Which server takes the mail, and how the connection to it is secured."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from handlers.errors import ConfigError
from handlers.ports import Credential


class Security(StrEnum):
    STARTTLS = "starttls"  # in the clear until the server is asked to encrypt; without that nothing is sent
    TLS = "tls"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    host: str
    port: int
    user: str | None = None  # None: it asks for none
    password: str = field(default="", repr=False)
    security: Security = Security.STARTTLS


def of_credential(credential: Credential) -> MailServer:
    """Raises ConfigError for one that leads to no mail server."""
    if credential.kind != "smtp":
        raise ConfigError(f"The credential {credential.name!r} is of kind {credential.kind}; choose one of kind smtp.")
    values = credential.values
    port, security = values.get("port", "587"), values.get("security", Security.STARTTLS)
    if not values.get("host") or not port.isdecimal() or security not in set(Security):
        raise ConfigError(f"The credential {credential.name!r} names no mail server: host, port and security.")
    return MailServer(
        host=values["host"],
        port=int(port),
        user=values.get("user") or None,
        password=values.get("password", ""),
        security=Security(security),
    )
