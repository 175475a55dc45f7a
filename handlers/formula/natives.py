"""The built-in functions of JSONata that could make much out of little, counting before they do."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator
from typing import Any

from jsonata.functions import Functions
from jsonata.jsonata import Jsonata
from jsonata.regex_engine import RegexFlags
from jsonata.utils import Utils

from handlers.formula.bounds import Fault, bound_matches, bound_picture, bound_text, bound_values, weighed
from handlers.formula.dates import to_millis
from handlers.formula.patterns import compile_pattern


class _Natives:
    @staticmethod
    def pad(text: Any, width: Any, char: Any) -> Any:
        if isinstance(width, int | float):
            bound_text(abs(width))
        return Functions.pad(text, width, char)

    @staticmethod
    def join(texts: Any, separator: Any) -> Any:
        if texts is not None:
            bound_text(sum(map(len, texts)) + len(texts) * len(separator or ""))
        return Functions.join(texts, separator)

    @staticmethod
    def replace(text: Any, pattern: Any, replacement: Any, limit: Any) -> Any:
        if isinstance(text, str) and isinstance(replacement, str):
            places = text.count(pattern) if isinstance(pattern, str) else bound_matches(pattern, text)
            # A $1 stands for a part of what matched, and all matches together are no more than the text.
            bound_text(places * len(replacement) + len(text) * (1 + replacement.count("$")))
        return Functions.replace(text, pattern, replacement, limit)

    @staticmethod
    def match(text: Any, pattern: Any, limit: Any) -> Any:
        if isinstance(text, str):
            bound_matches(pattern, text)
        return Functions.match_(text, pattern, limit)

    @staticmethod
    def split(text: Any, separator: Any, limit: Any) -> Any:
        if isinstance(text, str):
            if isinstance(separator, str):
                bound_values(text.count(separator))
            else:
                bound_matches(separator, text)
        return Functions.split(text, separator, limit)

    @staticmethod
    def format_number(value: Any, picture: Any, options: Any) -> Any:
        bound_picture(picture)
        return Functions.format_number(value, picture, options)

    @staticmethod
    def format_integer(value: Any, picture: Any) -> Any:
        bound_picture(picture)
        return Functions.format_integer(value, picture)

    @staticmethod
    def parse_integer(text: Any, picture: Any) -> Any:
        bound_picture(text)
        bound_picture(picture)
        return Functions.parse_integer(text, picture)

    @staticmethod
    def from_millis(millis: Any, picture: Any, timezone: Any) -> Any:
        bound_picture(picture)
        return Functions.datetime_from_millis(millis, picture, timezone)

    @staticmethod
    def now(picture: Any, timezone: Any) -> Any:
        bound_picture(picture)
        return Functions.now(picture, timezone)

    @staticmethod
    def to_millis(text: Any, picture: Any) -> Any:
        return to_millis(text, picture, lambda pattern: compile_pattern(pattern, RegexFlags(case_insensitive=True)))

    @staticmethod
    def distinct(values: Any) -> Any:
        if not isinstance(values, list):
            return values
        # The original compares each with each.
        kept = {_key(value): value for value in reversed(weighed(values))}
        return Utils.create_sequence_from_iter(reversed(kept.values()))

    @staticmethod
    def spread(value: Any) -> Any:
        # The original copies the result once for each item.
        return Utils.create_sequence_from_iter(_pairs(value)) if isinstance(value, list | dict) else value

    @staticmethod
    def string(value: Any, prettify: Any) -> Any:
        return Functions.string(weighed(value), prettify)

    @staticmethod
    def clone(value: Any) -> Any:
        return Functions.function_clone(weighed(value))

    @staticmethod
    def eval(expression: Any, focus: Any) -> Any:
        del expression, focus
        raise Fault("$eval is not available: text that comes with the data is no program")


# Their signatures. Source: jsonata's own register_functions.
_SIGNATURES = {
    "pad": "<s-ns?:s>",
    "join": "<a<s>s?:s>",
    "replace": "<s-(sf)(sf)n?:s>",
    "match": "<s-f<s:o>n?:a<o>>",
    "split": "<s-(sf)n?:a<s>>",
    "formatNumber": "<n-so?:s>",
    "formatInteger": "<n-s:s>",
    "parseInteger": "<s-s:n>",
    "fromMillis": "<n-s?s?:s>",
    "toMillis": "<s-s?:n>",
    "now": "<s?s?:s>",
    "distinct": "<x:x>",
    "spread": "<x-:a<o>>",
    "string": "<x-b?:s>",
    "clone": "<(oa)-:o>",
    "eval": "<sx?:x>",
}
NATIVES = {
    name: Jsonata.JNativeFunction(
        name, shape, _Natives, re.sub("[A-Z]", lambda capital: f"_{capital[0].lower()}", name)
    )
    for name, shape in _SIGNATURES.items()
}


def _key(value: Any) -> Hashable:
    """Equal for equal values; Python alone would hold true and 1 for equal."""
    if isinstance(value, bool):
        return ("boolean", value)
    if isinstance(value, list):
        return tuple(map(_key, value))
    if isinstance(value, dict):
        return frozenset((name, _key(item)) for name, item in value.items())
    return value if isinstance(value, Hashable) else id(value)


def _pairs(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        yield from ({key: item} for key, item in value.items())
    elif isinstance(value, list):
        for item in value:
            yield from _pairs(item)
    else:
        yield value
