"""How JSON values read as text, number and truth, where a node type has to choose: by JavaScript's rules.

The definitions people bring along were drawn for an engine written in it. Where JavaScript would answer NaN, which is
not JSON, the answer here is None, for the caller to name what it could not read.
"""

from __future__ import annotations

import json
import math
import re
from decimal import Decimal
from typing import Annotated, Any, Final

from pydantic import BeforeValidator

from handlers.base import JSONValue

# Source: ECMA-262, StringNumericLiteral; without Infinity, which is no JSON.
_NUMERAL = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|0[xX][0-9a-fA-F]+|0[oO][0-7]+|0[bB][01]+", re.ASCII)
_PREFIXED = re.compile(r"0[xXoObB]")
# A longer numeral is no quantity, and int() of a million digits takes seconds.
MAX_NUMERAL_LENGTH = 400
# Where an exponent is written: for whole numbers from here on, for fractions below. Source: ECMA-262, Number::toString.
_EXPONENT_FROM = 1e21
_EXPONENT_BELOW = 1e-6
# Of a number in a workflow variable, either way. Branches add to it without asking each other, and nobody is there to
# fail when the sum is made. A run would need a hundred million such summands to reach infinity, which is not JSON.
LARGEST_SUMMAND: Final = 1e300


def text_of(value: JSONValue) -> str:
    """*value* as text: text as it is, everything else as compact JSON, numbers as JavaScript writes them."""
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return _decimal_text(value)
    return json.dumps(_whole(value), separators=(",", ":"), ensure_ascii=False)


def _decimal_text(number: float) -> str:
    if abs(number) < _EXPONENT_FROM and number.is_integer():
        return str(int(number))
    written = repr(number)
    if "e" not in written:
        return written
    if _EXPONENT_BELOW <= abs(number) < 1:
        return format(Decimal(written), "f")
    return re.sub(r"e([+-])0+", r"e\1", written)


def encodable(text: str) -> str:
    """*text* with halves of surrogate pairs, which JSON's escapes can bring and no encoding has, replaced by `?`."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _whole(value: JSONValue) -> JSONValue:
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXPONENT_FROM:
        return int(value)
    if isinstance(value, list):
        return [_whole(item) for item in value]
    if isinstance(value, dict):
        return {key: _whole(item) for key, item in value.items()}
    return value


def number_of(value: JSONValue) -> int | float | None:
    """The number that a number, numeric text or truth value is; None for anything else, blank text included."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int | float):
        return value
    return _read_numeral(value.strip()) if isinstance(value, str) else None


def _read_numeral(text: str) -> int | float | None:
    if len(text) > MAX_NUMERAL_LENGTH or not _NUMERAL.fullmatch(text):
        return None
    if _PREFIXED.match(text):
        return int(text, 0)
    try:
        return int(text)
    except ValueError:  # a fraction or an exponent
        number = float(text)
    if not math.isfinite(number):
        return None
    return int(number) if number.is_integer() and abs(number) < _EXPONENT_FROM else number


def is_summable(value: JSONValue) -> bool:
    """Whether *value* may stand in a workflow variable: anything but a number too large to be added up, and NaN."""
    return isinstance(value, bool) or not isinstance(value, int | float) or abs(value) <= LARGEST_SUMMAND


def is_truthy(value: JSONValue) -> bool:
    """Everything but null, false, 0 and empty text; an empty list or object is true."""
    return isinstance(value, list | dict) or bool(value)


def is_same(left: JSONValue, right: JSONValue) -> bool:
    """Equality of content. Unlike Python's, true is not 1, at any depth."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(is_same, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(is_same(item, right[key]) for key, item in left.items())
    return left == right


def read_container(text: str) -> JSONValue:
    """The object or list that *text* is the JSON of, or *text* itself."""
    stripped = text.strip()
    if (stripped[:1], stripped[-1:]) not in {("{", "}"), ("[", "]")}:
        return text
    try:
        return read_json(stripped)
    except ValueError:
        return text


def read_json(text: str | bytes) -> JSONValue:
    """The value that *text* is the JSON of. Raises ValueError, also for NaN and Infinity and for endless nesting."""
    try:
        value: JSONValue = json.loads(text, parse_constant=_refuse_constant)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    return value


def is_shallow(value: JSONValue, *, most: int) -> bool:
    """Whether lists and objects are within each other *most* times or less; 0 for a value that is neither."""
    level = [value]
    for _ in range(most + 1):
        containers = [each for each in level if isinstance(each, dict | list)]
        if not containers:
            return True
        level = [item for each in containers for item in (each.values() if isinstance(each, dict) else each)]
    return False


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _text(value: Any) -> Any:
    return None if value is None else encodable(text_of(value))


# A field that is text to be sent, whatever its template yields: an object in a prompt is its JSON. Null stays null.
Text = Annotated[str, BeforeValidator(_text)]
