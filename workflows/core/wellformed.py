"""Whether a value is JSON that can be stored and walked. The one check that must come before any other."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Final

# Python's own stack ends at a thousand calls; the deepest of the existing templates has nine levels.
MAX_DEPTH: Final = 100


def find_flaws(payload: Any) -> Iterator[tuple[str, str]]:
    """What keeps *payload* from being stored as JSON: pairs of place (`nodes.a.config`) and sentence."""
    left: list[tuple[str, int, Any]] = [("", 0, payload)]
    while left:
        place, depth, value = left.pop()
        if depth > MAX_DEPTH:
            yield place, f"is nested more than {MAX_DEPTH} levels deep"
        elif isinstance(value, dict):
            for key, item in value.items():
                if not isinstance(key, str):
                    yield place, f"has a key that is not text: {key!r}"
                elif flaw := _text_flaw(key):
                    yield place, f"has a key that {flaw}"
                else:
                    left.append((f"{place}.{key}" if place else key, depth + 1, item))
        elif isinstance(value, list):
            left.extend(
                (f"{place}.{index}" if place else str(index), depth + 1, item) for index, item in enumerate(value)
            )
        elif flaw := _scalar_flaw(value):
            yield place, flaw


def _scalar_flaw(value: Any) -> str | None:
    match value:
        case str():
            return _text_flaw(value)
        case None | bool() | int():
            return None
        case float():
            return None if math.isfinite(value) else f"is {value}, which is not JSON"
    return f"is a {type(value).__name__}, which is not JSON"


def _text_flaw(text: str) -> str | None:
    # PostgreSQL stores neither: text has no NUL, and UTF-8 no half characters.
    if "\0" in text:
        return "holds a NUL character"
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            return "holds half a character (an unpaired surrogate)"
    return None
