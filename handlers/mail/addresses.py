"""Addresses of mail, as people write them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from email.headerregistry import Address
from email.utils import getaddresses
from typing import Annotated, Any, Final, TypeAlias

from pydantic import BeforeValidator

from handlers.values import encodable

MAX_ADDRESSES: Final = 100  # of one message, in each field; who writes to more wants a service for that
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
# What every server takes; RFC 5321 knows more, in quotes, of which nobody has one.
_LOCAL: Final = re.compile(r"[^\s\"(),:;<>@\[\\\]]{1,64}")
_DOMAIN: Final = re.compile(r"(?=.{1,253}$)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailbox:
    """Somebody's address, checked."""

    name: str  # as it is shown; may be empty
    local: str
    domain: str

    @property
    def spec(self) -> str:
        """The address as servers are told it."""
        return f"{self.local}@{self.domain}"

    def in_header(self) -> Address:
        return Address(display_name=self.name, username=self.local, domain=self.domain)


def read_addresses(value: Any) -> tuple[Mailbox, ...]:
    """The addresses in a text parted by commas, or in a list of such. Raises ValueError for what is none."""
    texts = [text for text in (value if isinstance(value, list | tuple) else [value]) if text not in (None, "")]
    if not all(isinstance(text, str) for text in texts):
        raise ValueError("An address is text, such as Ada <ada@example.com>.")
    found = tuple(_address(name, spec) for text in texts for name, spec in _split(text))
    if len(found) > MAX_ADDRESSES:
        raise ValueError(f"These are {len(found)} addresses; a message goes to {MAX_ADDRESSES} in each field at most.")
    return found


def read_address(value: Any) -> Mailbox | None:
    found = read_addresses(value)
    if len(found) > 1:
        raise ValueError("One address belongs here.")
    return found[0] if found else None


def _split(text: str) -> Iterable[tuple[str, str]]:
    if _CONTROL.search(text):
        raise ValueError("An address has a line break or another control character in it.")
    rows = [row for row in getaddresses([text]) if any(row)]
    # The library reads `a@b c.d` as a@bc.d, which somebody may have.
    if (not rows and text.strip(" ,")) or any(spec not in text for _, spec in rows):
        raise ValueError(f"{text!r} is no address.")
    return rows


def _address(name: str, spec: str) -> Mailbox:
    local, _, domain = spec.rpartition("@")
    try:
        plain = domain.encode("idna").decode("ascii")
    except UnicodeError:
        plain = ""
    if not _LOCAL.fullmatch(local) or not _DOMAIN.fullmatch(plain):
        raise ValueError(f"{spec or name!r} is no address.")
    return Mailbox(name=encodable(name), local=encodable(local), domain=plain)


Addresses: TypeAlias = Annotated[
    tuple[Mailbox, ...], BeforeValidator(read_addresses, json_schema_input_type=str | list[str] | None)
]
OneAddress: TypeAlias = Annotated[Mailbox | None, BeforeValidator(read_address, json_schema_input_type=str | None)]
