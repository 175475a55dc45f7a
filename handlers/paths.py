"""Which paths a file of a workspace may have. Pure: nothing is looked up, and nothing is decoded on the way.

A path is relative, with `/` between its parts, and the same wherever it is read: on any file system, in a URL, in a
zip. What another reader could take for something else is refused rather than repaired: repairing `a/../b` is how
paths come to lead out.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final
from urllib.parse import unquote

from handlers.errors import InputError

LONGEST_PART: Final = 255  # bytes in UTF-8: what file systems take for a name
# Bytes in UTF-8. Object storages take 1,024 for a key, in which the workspace stands before the path.
LONGEST_PATH: Final = 1024 - 37
_DRIVE: Final = re.compile(r"[A-Za-z]:")
# Line and paragraph separators, and what turns the direction of a text: `exe.txt` that is none.
_CONFUSING: Final = re.compile("[\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_SHOWN: Final = 100  # characters of a path in a message


class BadPath(InputError):
    """The path is none that a file of a workspace may have."""

    code = "invalid_path"


def clean_path(path: object) -> str:
    """*path* in Unicode's composed form (NFC). Raises BadPath, which says what is wrong with it."""
    if not isinstance(path, str):
        raise BadPath(f"A path is text, not {type(path).__name__}.")
    clean = unicodedata.normalize("NFC", path)
    fault = _fault_of(clean) or _fault_of_disguised(clean)
    if fault is not None:
        raise BadPath(f"The path {clean[:_SHOWN]!r} {fault}.")
    return clean


def _fault_of(path: str) -> str | None:
    """What is wrong with *path*, as the end of a sentence; None when nothing is."""
    if not path:
        return "is empty"
    try:
        encoded = path.encode()
    except UnicodeEncodeError:
        return "has half a character in it"
    if len(encoded) > LONGEST_PATH:
        return f"has more than {LONGEST_PATH} bytes"
    if any(unicodedata.category(character) == "Cc" for character in path):
        return "has a control character in it"
    if _CONFUSING.search(path):
        return "has a character in it that changes how it reads"
    if "\\" in path:
        return "has a backslash in it; parts are separated by /"
    if path.startswith("/") or _DRIVE.match(path):
        return "is absolute; it begins with the name of a folder or of the file"
    return next(filter(None, map(_fault_of_part, path.split("/"))), None)


def _fault_of_part(part: str) -> str | None:
    if not part:
        return "has an empty part: // or a / at its end"
    if not part.strip(". "):  # Windows takes `...` and `. .` for dots as well
        return f"has {part!r} for a part, which is no name"
    if part != part.strip():
        return "has a part with a blank at its beginning or end"
    return f"has a part of more than {LONGEST_PART} bytes" if len(part.encode()) > LONGEST_PART else None


def _fault_of_disguised(path: str) -> str | None:
    """The fault of what a careless reader might make of *path*: one that decodes it, or folds its characters."""
    seen = path
    while (decoded := unquote(seen, errors="surrogateescape")) != seen:
        if _fault_of(decoded):
            return f"is written for {decoded[:_SHOWN]!a}, which no path may be"
        seen = decoded
    folded = unicodedata.normalize("NFKC", seen)
    if folded.count("/") != seen.count("/") or _fault_of_folded(folded):
        return "has characters in it that can be taken for dots or slashes"
    return None


def _fault_of_folded(path: str) -> bool:
    return "\\" in path or any(not part.strip(". ") for part in path.split("/"))
