"""How much of a document is read, for those who check before they start a reader."""

from __future__ import annotations

from typing import Final

MOST_PAGES: Final = 5_000
MOST_CHARACTERS: Final = 20_000_000
