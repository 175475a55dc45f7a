"""What a database answers, as JSON."""

from __future__ import annotations

import math
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final

from handlers.base import JSONObject, JSONValue
from handlers.errors import InputError
from handlers.values import encodable

_LARGEST_EXACT: Final = 2**53  # of whole numbers in what most readers of JSON take for a number


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Of one statement."""

    rows: int  # further ones are left out
    size: int  # characters of all rows, about; more fail the node
    seconds: float
    read_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    rows: list[JSONObject]
    count: int  # rows that were changed, or are in `rows`
    columns: Sequence[str]
    is_cut: bool = False
    last_id: int | None = None  # MySQL: what an insert has numbered its first row


def collect(rows: Iterable[Sequence[Any]], columns: Sequence[str], bounds: Bounds) -> tuple[list[JSONObject], bool]:
    """The *rows* as objects, and whether there were more. Raises InputError when they are too large."""
    size = 0
    found: list[JSONObject] = []
    for row in rows:
        if len(found) == bounds.rows:
            return found, True
        values = {name: to_json(value) for name, value in zip(columns, row, strict=True)}
        size += sum(len(name) + _length(value) for name, value in values.items())
        if size > bounds.size:
            raise InputError(
                f"The first {len(found) + 1} rows have more than {bounds.size / 1024**2:g} MB. Ask for fewer rows or"
                " columns.",
                code="response_too_large",
            )
        found.append(values)
    return found, False


def distinct(columns: Sequence[str]) -> list[str]:
    """Names of columns, of which two may have the same (`SELECT a.id, b.id`): the second is id_2."""
    names: list[str] = []
    for column in columns:
        name, turn = column, 2
        while name in names:
            name, turn = f"{column}_{turn}", turn + 1
        names.append(name)
    return names


def _length(value: JSONValue) -> int:
    return len(value) if isinstance(value, str) else len(str(value))


def to_json(value: Any) -> JSONValue:
    """Moments in ISO 8601, bytes in Base64, numbers as numbers where JSON's readers keep them exact, else as text."""
    match value:
        case None | bool() | int():
            return value
        case str():
            return encodable(value)
        case float() | Decimal():
            return _number(value)
        case datetime() | date() | time():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case bytes() | bytearray() | memoryview():
            return b64encode(value).decode()
        case Mapping():
            return {str(key): to_json(item) for key, item in value.items()}
        case list() | tuple() | set() | frozenset():
            return [to_json(item) for item in value]
    return str(value)  # UUIDs, addresses, ranges: as the database writes them


def _number(value: float | Decimal) -> JSONValue:
    if not math.isfinite(value):
        return str(value)
    if isinstance(value, float):
        return value
    if value == value.to_integral_value() and abs(value) <= _LARGEST_EXACT:
        return int(value)
    return float(value) if Decimal(repr(float(value))) == value else str(value)
