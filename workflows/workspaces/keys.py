"""API keys as text: `fm_live_` and 32 base62 characters. That is 190 random bits, so the stored hash needs no salt."""

from __future__ import annotations

import re
import secrets
import string
from hashlib import sha256
from typing import Final

PREFIX: Final = "fm_live_"
SHOWN: Final = 12  # first characters, which stay readable in lists and logs

_ALPHABET: Final = string.digits + string.ascii_letters
_RANDOM: Final = 32  # characters after the prefix
_WELL_FORMED: Final = re.compile(rf"{PREFIX}[0-9A-Za-z]{{{_RANDOM}}}")


def new_key() -> str:
    return PREFIX + "".join(secrets.choice(_ALPHABET) for _ in range(_RANDOM))


def is_well_formed(key: str) -> bool:
    return _WELL_FORMED.fullmatch(key) is not None


def digest(key: str) -> str:
    """What is stored and looked up: SHA-256 of the key, 64 hex digits."""
    return sha256(key.encode()).hexdigest()
