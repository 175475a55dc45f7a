"""`$toMillis` with a picture, which jsonata makes an expression for Python's `re` of: one that can be made to hang.

Its literals go into that expression as they are, and parts that stand side by side can share a text between them in
more ways than there is time for. So literals may hold nothing that means something there, a component stands once, and
RE2 says first whether there is a match at all: to find that there is none is what takes for ever.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jsonata.datetimeutils import DateTimeUtils
from jsonata.functions import Functions

from handlers.formula.bounds import Fault, bound_picture

_MEANINGFUL = frozenset("\\*+?^$(){}[]|")


def to_millis(text: Any, picture: Any, compile_pattern: Callable[[str], Any]) -> Any:
    """As jsonata's own function; *compile_pattern* makes an expression of RE2, whatever the case of letters."""
    bound_picture(text)
    bound_picture(picture)
    if isinstance(text, str) and isinstance(picture, str):
        parts = DateTimeUtils._generate_regex(DateTimeUtils._analyse_datetime_picture(picture)).parts  # noqa: SLF001 -- there is no other way to what it would match with
        _check(parts)
        if not compile_pattern("^" + "".join(f"({part.regex})" for part in parts) + "$").search(text):
            return None
    return Functions.datetime_to_millis(text, picture)


def _check(parts: list[Any]) -> None:
    if any(part.component is None and _MEANINGFUL.intersection(part.regex) for part in parts):
        raise Fault("a picture of $toMillis has letters, digits, spaces and . , : ; / - between its parts")
    components = [part.component for part in parts if part.component is not None]
    if len(components) != len(set(components)):
        raise Fault("a picture of $toMillis has each part once")
