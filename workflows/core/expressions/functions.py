"""The methods and functions that exist. One row each: how many arguments, and what it does.

Nothing else can be called: whatever is not in these tables does not parse.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from handlers import JSONValue
from handlers.values import is_truthy, number_of
from workflows.core.errors import EvaluationError
from workflows.core.expressions.values import (
    MAX_TEXT,
    Budget,
    describe,
    same,
    text_of,
    tidy,
)

MAX_ITEMS: Final = 100_000  # of a list that split() makes
MANY: Final = 50  # arguments of Math.min and Math.max

Values: TypeAlias = Sequence[JSONValue]


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """`apply(values, budget)`; of a method, the first value is what it is called on."""

    apply: Callable[[Values, Budget], JSONValue]
    least: int  # arguments in parentheses
    most: int


def number(value: JSONValue, where: str) -> float:
    """*value* as a number. Raises EvaluationError, which says *where* one was needed."""
    found = number_of(value)
    if found is None:
        raise EvaluationError(f"{where} needs a number, not {describe(value)}")
    return tidy(found)


def _text(value: JSONValue, where: str) -> str:
    if not isinstance(value, str):
        raise EvaluationError(f"{where} needs a text, not {describe(value)}")
    return value


def _needle(value: JSONValue, where: str) -> str:
    """What is looked for in a text. Null is refused: as `null` it would be found in `nullable`."""
    if value is None or isinstance(value, list | dict):
        raise EvaluationError(f"{where} looks for a text, not {describe(value)}")
    return text_of(value)


def _list(value: JSONValue, where: str) -> list[JSONValue]:
    if not isinstance(value, list):
        raise EvaluationError(f"{where} needs a list, not {describe(value)}")
    return value


def _object(value: JSONValue, where: str) -> dict[str, JSONValue]:
    if not isinstance(value, dict):
        raise EvaluationError(f"{where} needs an object, not {describe(value)}")
    return value


def _neither(value: JSONValue, where: str) -> EvaluationError:
    return EvaluationError(f"{where} needs a text or a list, not {describe(value)}")


def _includes(values: Values, budget: Budget) -> JSONValue:
    match values[0]:
        case str() as text:
            return _needle(values[1], "includes()") in text
        case list() as items:
            return any(same(item, values[1], budget) for item in items)
    raise _neither(values[0], "includes()")


def _index_of(values: Values, budget: Budget) -> JSONValue:
    match values[0]:
        case str() as text:
            return text.find(_needle(values[1], "indexOf()"))
        case list() as items:
            return next((index for index, item in enumerate(items) if same(item, values[1], budget)), -1)
    raise _neither(values[0], "indexOf()")


def _starts_with(values: Values, _: Budget) -> JSONValue:
    return _text(values[0], "startsWith()").startswith(_needle(values[1], "startsWith()"))


def _ends_with(values: Values, _: Budget) -> JSONValue:
    return _text(values[0], "endsWith()").endswith(_needle(values[1], "endsWith()"))


def _lower(values: Values, _: Budget) -> JSONValue:
    return _text(values[0], "toLowerCase()").lower()


def _upper(values: Values, _: Budget) -> JSONValue:
    return _text(values[0], "toUpperCase()").upper()


def _trim(values: Values, _: Budget) -> JSONValue:
    return _text(values[0], "trim()").strip()


def _split(values: Values, _: Budget) -> JSONValue:
    text = _text(values[0], "split()")
    separator = _needle(values[1], "split()")
    pieces = text.count(separator) + 1 if separator else len(text)
    if pieces > MAX_ITEMS:
        raise EvaluationError(f"split() would make {pieces} items; {MAX_ITEMS} is the most")
    return [*(text.split(separator) if separator else text)]


def _slice(values: Values, _: Budget) -> JSONValue:
    first, last = (_position(value) for value in [*values[1:], None, None][:2])
    match values[0]:
        case str() | list() as whole:
            return whole[first:last]
    raise _neither(values[0], "slice()")


def _position(value: JSONValue) -> int | None:
    return None if value is None else int(number(value, "slice()"))


def _join(values: Values, _: Budget) -> JSONValue:
    separator = _needle(values[1], "join()") if len(values) > 1 else ","
    pieces: list[str] = []
    length = 0
    for item in _list(values[0], "join()"):
        pieces.append("" if item is None else text_of(item))
        length += len(pieces[-1]) + len(separator)
        # Looked at on the way: a short list of long texts is a text that must not be made.
        if length - len(separator) > MAX_TEXT:
            raise EvaluationError(f"join() would make a text of more than {MAX_TEXT} characters")
    return separator.join(pieces)


def _round(values: Values, _: Budget) -> JSONValue:
    """Halves go up: -0.5 to 0, 2.5 to 3."""
    value = number(values[0], "Math.round()")
    floor = math.floor(value)
    return tidy(floor + 1 if value - floor >= 0.5 else floor)  # noqa: PLR2004 -- a half


def _to_number(values: Values, _: Budget) -> JSONValue:
    """An explicit conversion does as JavaScript's: null and blank text are 0."""
    value = values[0]
    if value is None or (isinstance(value, str) and not value.strip()):
        return 0
    return number(value, "Number()")


def _arithmetic(name: str, compute: Callable[[list[float]], float], *, most: int = 1) -> Function:
    def apply(values: Values, _: Budget) -> JSONValue:
        return tidy(compute([number(value, f"{name}()") for value in values]))

    return Function(apply=apply, least=1, most=most)


def _keys(values: Values, _: Budget) -> JSONValue:
    """Sorted, as the database does not keep the order in which an object was written."""
    return [*sorted(_object(values[0], "Object.keys()"))]


def _values(values: Values, _: Budget) -> JSONValue:
    """In the order of Object.keys."""
    whole = _object(values[0], "Object.values()")
    return [whole[key] for key in sorted(whole)]


METHODS: Final[Mapping[str, Function]] = {
    "includes": Function(apply=_includes, least=1, most=1),
    "startsWith": Function(apply=_starts_with, least=1, most=1),
    "endsWith": Function(apply=_ends_with, least=1, most=1),
    "indexOf": Function(apply=_index_of, least=1, most=1),
    "toLowerCase": Function(apply=_lower, least=0, most=0),
    "toUpperCase": Function(apply=_upper, least=0, most=0),
    "trim": Function(apply=_trim, least=0, most=0),
    "split": Function(apply=_split, least=1, most=1),
    "slice": Function(apply=_slice, least=0, most=2),
    "join": Function(apply=_join, least=0, most=1),
}

FUNCTIONS: Final[Mapping[str, Function]] = {
    "Object.keys": Function(apply=_keys, least=1, most=1),
    "Object.values": Function(apply=_values, least=1, most=1),
    "Number": Function(apply=_to_number, least=1, most=1),
    "String": Function(apply=lambda values, _: text_of(values[0]), least=1, most=1),
    "Boolean": Function(apply=lambda values, _: is_truthy(values[0]), least=1, most=1),
    "Math.round": Function(apply=_round, least=1, most=1),
    "Math.floor": _arithmetic("Math.floor", lambda numbers: math.floor(numbers[0])),
    "Math.ceil": _arithmetic("Math.ceil", lambda numbers: math.ceil(numbers[0])),
    "Math.abs": _arithmetic("Math.abs", lambda numbers: abs(numbers[0])),
    "Math.min": _arithmetic("Math.min", min, most=MANY),
    "Math.max": _arithmetic("Math.max", max, most=MANY),
}
