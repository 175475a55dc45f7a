"""Keys that sort by the time they were made, so that new rows share index pages."""

from __future__ import annotations

from uuid import UUID

from uuid_utils.compat import uuid7 as _uuid7


def uuid7() -> UUID:
    """A new UUID, version 7. Source: RFC 9562, 5.7."""
    return _uuid7()
