"""Which database a statement is for, and how the connection to it is secured."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

from handlers.errors import ConfigError
from handlers.ports import Credential


class Engine(StrEnum):
    POSTGRESQL = "postgresql"
    MYSQL = "mysql"  # and MariaDB


class Tls(StrEnum):
    """By the names that PostgreSQL's client library has for them."""

    DISABLE = "disable"
    PREFER = "prefer"  # if the server has it
    REQUIRE = "require"  # never without; whose certificate it is, is not looked at
    VERIFY_FULL = "verify-full"


ENGINES: Final[Mapping[str, Engine]] = {
    "postgresql": Engine.POSTGRESQL,
    "postgres": Engine.POSTGRESQL,
    "mysql": Engine.MYSQL,
    "mariadb": Engine.MYSQL,
}
DEFAULT_PORTS: Final[Mapping[Engine, int]] = {Engine.POSTGRESQL: 5432, Engine.MYSQL: 3306}
# Client libraries read more than a host out of a text: sockets in the file system, several hosts.
_HOST: Final = re.compile(r"[A-Za-z0-9_.:-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    engine: Engine
    host: str
    port: int
    user: str
    password: str = field(default="", repr=False)
    database: str
    tls: Tls = Tls.PREFER

    def __post_init__(self) -> None:
        if not _HOST.fullmatch(self.host):
            raise ConfigError("The host of the database is no host name or address.")
        if not self.user or not self.database:
            raise ConfigError("A database needs a user and the name of the database.")
        if any("\0" in text for text in (self.user, self.password, self.database)):
            raise ConfigError("User, password and database have no null characters in them.")


def of_credential(credential: Credential) -> Target:
    """Raises ConfigError for one that leads to no database."""
    if credential.kind != "database":
        raise ConfigError(
            f"The credential {credential.name!r} is of kind {credential.kind}; choose one of kind database.",
        )
    values = credential.values
    engine = _engine(values.get("engine", ""))
    return Target(
        engine=engine,
        host=values.get("host", ""),
        port=_port(values.get("port"), engine),
        user=values.get("user", ""),
        password=values.get("password", ""),
        database=values.get("database", ""),
        tls=_tls(values.get("ssl")),
    )


def of_url(url: str) -> Target:
    """Of `postgresql://user:password@host:port/database?sslmode=require`, or mysql://. Raises ConfigError."""
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname
        query = parse_qs(parts.query)
    except ValueError:
        raise ConfigError("connectionUrl is no URL.") from None  # the error would tell its text
    modes = [*query.get("sslmode", ()), *query.get("ssl", ()), ""]
    engine = _engine(parts.scheme)
    return Target(
        engine=engine,
        host=host or "",
        port=port or DEFAULT_PORTS[engine],
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        database=unquote(parts.path.removeprefix("/")),
        tls=_tls(modes[0]),
    )


def _engine(name: str) -> Engine:
    engine = ENGINES.get(name.lower())
    if engine is None:
        raise ConfigError(f"{name or 'This'} is no database that nodes can use; there are postgresql and mysql.")
    return engine


def _port(written: str | None, engine: Engine) -> int:
    if not written:
        return DEFAULT_PORTS[engine]
    if not written.isascii() or not written.isdigit() or not 0 < int(written) <= 65_535:  # noqa: PLR2004 -- sixteen bits
        raise ConfigError("The port of the database is a number from 1 to 65535.")
    return int(written)


def _tls(written: str | None) -> Tls:
    if written in {"true", "1"}:
        return Tls.REQUIRE
    try:
        return Tls(written or "prefer")
    except ValueError:
        raise ConfigError(f"ssl is one of {', '.join(Tls)}.") from None
