from __future__ import annotations

import pytest

from realtime.texts import readable


@pytest.mark.parametrize(
    ("stored", "text"),
    [
        (None, ""),  # nothing was said, or Redis forgot
        (b"", ""),
        ("Grüße 👋".encode(), "Grüße 👋"),
        (b"\0\0\0\0\0 world", ""),  # Redis forgot the beginning and padded it
    ],
)
def test_readable_is_the_text_or_nothing(stored: bytes | None, text: str) -> None:
    """A text whose beginning is lost is no text."""
    assert readable(stored) == text
