"""The built-in functions of JSONata that could make much out of little, counting before they do."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Any

from jsonata.functions import Functions
from jsonata.jsonata import Jsonata
from jsonata.utils import Utils

from handlers.formula.bounds import Fault, bound_text, weighed


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
            places = text.count(pattern) if isinstance(pattern, str) else sum(1 for _ in pattern.finditer(text))
            # A $1 stands for a part of what matched, and all matches together are no more than the text.
            bound_text(places * len(replacement) + len(text) * (1 + replacement.count("$")))
        return Functions.replace(text, pattern, replacement, limit)

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
    "distinct": "<x:x>",
    "spread": "<x-:a<o>>",
    "string": "<x-b?:s>",
    "clone": "<(oa)-:o>",
    "eval": "<sx?:x>",
}
NATIVES = {name: Jsonata.JNativeFunction(name, shape, _Natives, name) for name, shape in _SIGNATURES.items()}


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
