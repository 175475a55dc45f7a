"""What can go wrong with the servers that come with us. The person at the terminal can mend each, so each says how."""

from __future__ import annotations


class EmbeddedError(Exception):
    """An embedded server could not be started or stopped."""
