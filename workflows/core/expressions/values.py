"""JSON values in expressions: numbers, text, equality, order, steps. How one reads as another is `handlers.values`.

JavaScript's rules, with these decisions where it says NaN, Infinity, identity or undefined:

- There is one kind of number. Whole results have no point (`4 / 2` is 2, `0.5 + 0.5` is 1); whole numbers are exact at
  any size, all others are doubles. What would be NaN or Infinity is an error.
- Lists and objects are equal when what they hold is equal; data has no identity.
- `==` takes numeric text for the number it spells, and changes nothing else: true is not 1, null is only null.
- What is not there is null.
- Texts are counted and compared by code points.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Iterable
from typing import Final

from handlers import JSONValue
from handlers import values as json_values
from workflows.core.absent import MISSING, Absent
from workflows.core.errors import EvaluationError

MAX_TEXT: Final = 1_000_000  # characters of a text that an expression makes

_LARGEST_PLAIN: Final = 1e21  # whole doubles below are exact ints in their text. Source: ECMA-262, Number::toString
_INDEX: Final = re.compile(r"[0-9]{1,18}", re.ASCII)  # of a list item


class Budget:
    """How much data one evaluation may go through. The language has no loops, so nothing else takes long.

    A unit is an item of a list or an object, 200 characters of a text that is read, 20 of one that is made.
    """

    def __init__(self, units: int = 5_000_000) -> None:  # a second or two
        self._left = units

    def read(self, value: JSONValue) -> None:
        """Raises EvaluationError when too little is left."""
        self._spend(_size(value, characters=200))

    def make(self, value: JSONValue) -> None:
        """Raises EvaluationError when too little is left."""
        self._spend(_size(value, characters=20))

    def _spend(self, units: int) -> None:
        self._left -= units
        if self._left < 0:
            raise EvaluationError("the expression goes through too much data")


def _size(value: JSONValue, *, characters: int) -> int:
    match value:
        case str():
            return 1 + len(value) // characters
        case list() | dict():
            return 1 + len(value)
    return 1


def describe(value: JSONValue) -> str:
    """What *value* is, for a sentence; its content may be secret and is left out."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int() | float():
            return "a number"
        case str():
            return "a text"
        case list():
            return "a list"
        case dict():
            return "an object"


def text_of(value: JSONValue) -> str:
    """*value* inside text: texts as they are, null as `null`, lists and objects as compact JSON.

    Raises EvaluationError for what JSON cannot write.
    """
    try:
        return json_values.text_of(value)
    except (ValueError, OverflowError, RecursionError) as error:
        raise EvaluationError(f"{describe(value)} cannot be written as text: {error}") from None


def tidy(number: float) -> float:
    """*number*, as int when it is whole. Raises EvaluationError for NaN and for what is beyond the largest double."""
    if isinstance(number, int):
        if abs(number) <= sys.float_info.max:
            return number
    elif math.isfinite(number):
        return int(number) if number.is_integer() and abs(number) < _LARGEST_PLAIN else number
    raise EvaluationError("the result is not a number, or too large for one")


def same(left: JSONValue, right: JSONValue, budget: Budget) -> bool:
    """`===`: equal kind and content, at any depth."""
    pairs = [(left, right)]
    while pairs:
        left, right = pairs.pop()
        budget.read(left)
        match left, right:
            case dict(), dict():
                if left.keys() != right.keys():
                    return False
                pairs.extend((value, right[key]) for key, value in left.items())
            case list(), list():
                if len(left) != len(right):
                    return False
                pairs.extend(zip(left, right, strict=True))
            case _:
                if left != right or isinstance(left, bool) != isinstance(right, bool):
                    return False
    return True


def equal(left: JSONValue, right: JSONValue, budget: Budget) -> bool:
    """`==`: as `same`, and a number equals the text that spells it."""
    match left, right:
        case (bool(), _) | (_, bool()):
            return left is right
        case (str(), int() | float()) | (int() | float(), str()):
            return json_values.number_of(left) == json_values.number_of(right)
    return same(left, right, budget)


def order(left: JSONValue, right: JSONValue) -> int | None:
    """Negative, 0 or positive as *left* comes before, with or after *right*; None where they have no order.

    Numbers and what spells them by size, null counting as 0; two other texts by their characters. Anything else is
    neither before nor after, as NaN is in JavaScript.
    """
    a, b = (0 if value is None else json_values.number_of(value) for value in (left, right))
    if a is not None and b is not None:
        return (a > b) - (a < b)
    if isinstance(left, str) and isinstance(right, str):
        return (left > right) - (left < right)
    return None


def walk(value: JSONValue, path: Iterable[str | int]) -> JSONValue | Absent:
    """What lies at *path* below *value*, or MISSING. `length` of texts and lists, and list items by their number."""
    found = value
    for step in path:
        match found:
            case dict():
                key = str(step)
                if key not in found:
                    return MISSING
                found = found[key]
            case list() | str():
                if step == "length":
                    found = len(found)
                    continue
                index = step if isinstance(step, int) else int(step) if _INDEX.fullmatch(step) else -1
                if not 0 <= index < len(found):
                    return MISSING
                found = found[index]
            case _:
                return MISSING
    return found
