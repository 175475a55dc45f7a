"""What a handler gives back, made fit for the rows of its run. What does not fit fails the node, not the run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from django.conf import settings

from handlers import HandlerError, JSONObject, VariableWrite
from handlers.values import LARGEST_SUMMAND, is_summable
from workflows.fields import dumps

# Of nesting, as in the body of a request. Whoever reads or compares a value descends into it, a call for each level.
# Python's stack ends at a thousand; PostgreSQL's a few thousand later, with an error that looks like an outage.
MOST_LEVELS: Final = 200
LONGEST_PORT: Final = 1_000  # characters; the longest case a switch may have


def encoded(data: Any) -> str:
    """The JSON text of an output. Raises HandlerError for what is not JSON, nested too deeply or too large."""
    try:
        text = dumps(data)
    except RecursionError as error:
        raise _too_deep() from error
    except (TypeError, ValueError) as error:
        raise HandlerError(f"the output is not JSON: {error}", code="invalid_output") from error
    if len(text) > MOST_LEVELS and text.count("[") + text.count("{") > MOST_LEVELS and not _is_shallow(data):
        raise _too_deep()
    return fitting(text)


def fitting(text: str) -> str:
    """*text*, JSON, when an output may be as large as it is. Raises HandlerError."""
    limit: int = settings.FLOWMAESTRO_MAX_OUTPUT_BYTES
    if not _fits(text, limit):
        raise HandlerError(f"the output has {size(text):,} bytes; the limit is {limit:,}", code="output_too_large")
    return text


def encoded_writes(writes: Sequence[VariableWrite]) -> str | None:
    """Their JSON text, None for none. Raises HandlerError also for a number that could not be added up later.

    Here and not in the fold, where several writes meet: the fold has no node left to fail, and must not raise.
    """
    for write in writes:
        if write.how != "append" and not is_summable(write.value):
            raise HandlerError(
                f"the number for variable {write.name!r:.100} is not within ±{LARGEST_SUMMAND:g}", code="invalid_output"
            )
    return encoded([[write.name, write.how, write.value] for write in writes]) if writes else None


def is_inline(text: str) -> bool:
    """Whether an output is small enough for its row."""
    return _fits(text, settings.FLOWMAESTRO_MAX_INLINE_BYTES)


def size(text: str) -> int:
    """Bytes in UTF-8."""
    return len(text) if text.isascii() else len(text.encode())


def checked_port(port: Any) -> str:
    """*port*, when it can be stored. Raises HandlerError; no built-in node has such a port, a plug-in's may be data."""
    if not isinstance(port, str) or len(port) > LONGEST_PORT or "\0" in port or not _has_encoding(port):
        raise HandlerError(
            f"the port {port!r:.100} is no text of at most {LONGEST_PORT:,} characters without NUL",
            code="invalid_output",
        )
    return port


def plain(details: Any) -> JSONObject:
    """*details* of an error as they are read back later. What cannot be stored says so, and does not hide the error."""
    try:
        told = json.loads(encoded(details))
    except HandlerError as error:
        return {"unreadable": str(error)}
    return told if isinstance(told, dict) else {"value": told}


def _fits(text: str, limit: int) -> bool:
    return len(text) <= limit // 4 or size(text) <= limit  # a character has at most four bytes


def _too_deep() -> HandlerError:
    return HandlerError(f"the output is nested more than {MOST_LEVELS} levels deep", code="invalid_output")


def _is_shallow(data: Any) -> bool:
    """Level by level, since to descend is what the limit is about."""
    level = [data]
    for _ in range(MOST_LEVELS):
        level = [
            item
            for value in level
            for item in (value.values() if isinstance(value, dict) else value)
            if isinstance(item, dict | list | tuple)
        ]
        if not level:
            return True
    return False


def _has_encoding(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:  # half a surrogate pair
        return False
    return True
