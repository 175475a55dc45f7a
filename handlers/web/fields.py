"""Fields of a configuration that make up a request, as authors and editors write them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Final, TypeAlias

import httpx2
from pydantic import AfterValidator, BeforeValidator

from handlers.values import encodable, text_of

HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # Source: RFC 9110, 5.6.2, token
CONTROL_CHARACTER: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


def pairs(value: Any) -> tuple[tuple[str, Any], ...]:
    """Both ways to write headers and parameters, a list of `{key, value}` and an object, as pairs.

    Null is left out: a reference to a node that was skipped. A list in an object is the name several times. Raises
    ValueError for anything else.
    """
    if isinstance(value, Mapping):
        rows = [
            (name, item) for name, items in value.items() for item in (items if isinstance(items, list) else [items])
        ]
    elif isinstance(value, list) and all(isinstance(row, Mapping) and "key" in row for row in value):
        rows = [(row["key"], row.get("value")) for row in value]
    elif value is None:
        return ()
    else:
        raise ValueError('Write an object, or a list of {"key": …, "value": …}.')
    # A row without a name is the empty line at the end of an editor's table.
    return tuple((encodable(text_of(name)), item) for name, item in rows if name not in ("", None) and item is not None)


def text_pairs(value: Any) -> tuple[tuple[str, str], ...]:
    """`pairs` whose values are text."""
    return tuple((name, encodable(text_of(item))) for name, item in pairs(value))


def _headers(rows: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    for name, value in rows:
        if not HEADER_NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no name of a header.")
        if CONTROL_CHARACTER.search(value):
            raise ValueError(f"The header {name} has a line break or another control character in its value.")
    return tuple((name, value.strip()) for name, value in rows)


def _header_name(name: str) -> str:
    if not HEADER_NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name of a header or a parameter.")
    return name


def web_url(url: str) -> str:
    """*url*, which has to be one that can be asked for. Raises ValueError."""
    try:
        parsed = httpx2.URL(url)
    except httpx2.InvalidURL as error:
        raise ValueError(f"This is no URL: {error}") from error
    if parsed.scheme not in {"http", "https"} or not parsed.host:
        raise ValueError("A URL begins with http:// or https:// and a host.")
    return url


Pairs: TypeAlias = Annotated[tuple[tuple[str, str], ...], BeforeValidator(text_pairs, json_schema_input_type=Any)]
Headers: TypeAlias = Annotated[Pairs, AfterValidator(_headers)]
HeaderName: TypeAlias = Annotated[str, AfterValidator(_header_name)]
WebUrl: TypeAlias = Annotated[str, AfterValidator(web_url)]
