"""Keys that sort by the time they were made, so that new rows share index pages."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from uuid import UUID

from uuid_utils.compat import uuid7 as _uuid7


def uuid7() -> UUID:
    """A new UUID, version 7. Source: RFC 9562, 5.7."""
    return _uuid7()


def shortened(uuid: UUID) -> str:
    """The 22 characters that stand for it in addresses, which people see."""
    return urlsafe_b64encode(uuid.bytes).decode().rstrip("=")


def from_shortened(text: str) -> UUID:
    """What `shortened` made *text* of. Raises ValueError."""
    return UUID(bytes=urlsafe_b64decode(f"{text}=="))
