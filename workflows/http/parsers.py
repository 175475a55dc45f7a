"""Bodies are JSON that can be stored and told again: what could not is refused here, not when it is written."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import IO, Any, Final

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

MOST_LEVELS: Final = 200  # of nesting; Python's own limit is reached at a few hundred more, in less controlled ways


class BodyParser(JSONParser):
    """UTF-8 JSON without NaN, infinities, halves of surrogate pairs, or more than MOST_LEVELS levels.

    A JSONParser by descent: REST framework holds those to DATA_UPLOAD_MAX_MEMORY_SIZE.
    """

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        del media_type, parser_context
        try:
            text = stream.read().decode("utf-8-sig")
            value = json.loads(text, parse_float=_finite, parse_constant=_refused)
            if "\\u" in text:
                json.dumps(value, ensure_ascii=False).encode()
        except (ValueError, RecursionError) as error:
            raise ParseError(f"The body is not JSON we can store: {_reason(error)}") from error
        if not _is_shallow(value):
            raise ParseError(f"The body is nested more than {MOST_LEVELS} levels deep.")
        return value


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"{text[:40]} is too large for a number")
    return number


def _refused(text: str) -> float:
    raise ValueError(f"{text} is not JSON")


def _reason(error: Exception) -> str:
    match error:
        case UnicodeEncodeError():
            return "it holds half of a surrogate pair"
        case UnicodeDecodeError():
            return "it is not UTF-8"
        case RecursionError():
            return "it is nested too deeply"
        case _:
            return str(error)


def _is_shallow(value: object) -> bool:
    level = [value]
    for _ in range(MOST_LEVELS):
        level = [child for parent in level for child in _children(parent) if isinstance(child, dict | list)]
        if not level:
            return True
    return False


def _children(value: object) -> Any:
    match value:
        case dict():
            return value.values()
        case list():
            return value
        case _:
            return ()
