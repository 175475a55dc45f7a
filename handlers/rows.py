"""Tables as nodes hand them on: what a spreadsheet or a chart is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from handlers.base import JSONValue
from handlers.errors import InputError
from handlers.values import read_container

_ROWS: Final = ("rows", "data", "items", "results", "records")  # of an object, the keys under which its rows may be


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Named columns and their cells; every row has a cell for each."""

    columns: tuple[str, ...]
    cells: tuple[tuple[JSONValue, ...], ...]


def rows_of(value: JSONValue, *, field: str, named: Sequence[str] = ()) -> Rows:
    """The table that *value* is: a list of objects, of lists, or of single values, or an object with such a list.

    JSON text is read. An object without one is a table of names and values. *named* are the columns wanted, of objects,
    or what the columns of lists are called; else lists have their first row for names if it is all text. Raises
    InputError that names *field*.
    """
    data = read_container(value) if isinstance(value, str) else value
    if isinstance(data, Mapping):
        data = _within(data)
    if not isinstance(data, list):
        raise InputError(f"{field} is no table: give a list of objects or of lists, not {type(data).__name__}.")
    if not data:
        return Rows(columns=tuple(named), cells=())
    if all(isinstance(row, Mapping) for row in data):
        return _of_objects(data, named)
    if all(isinstance(row, list) for row in data):
        return _of_lists(data, named)
    if any(isinstance(row, Mapping | list) for row in data):
        raise InputError(f"{field} is no table: some of its rows are objects or lists, and some are not.")
    return Rows(columns=tuple(named[:1]) or ("value",), cells=tuple((row,) for row in data))


def _within(data: Mapping[str, Any]) -> list[Any]:
    for key in _ROWS:
        if isinstance(data.get(key), list):
            headers = data.get("headers")
            rows: list[Any] = data[key]
            is_plain = bool(rows) and all(isinstance(row, list) for row in rows)
            return [headers, *rows] if is_plain and isinstance(headers, list) and headers else rows
    return [{"name": name, "value": value} for name, value in data.items()]


def _of_objects(data: Sequence[Any], named: Sequence[str]) -> Rows:
    columns = tuple(named) or tuple(dict.fromkeys(str(key) for row in data for key in row))
    return Rows(columns=columns, cells=tuple(tuple(row.get(column) for column in columns) for row in data))


def _of_lists(data: Sequence[Any], named: Sequence[str]) -> Rows:
    width = max(map(len, data))
    first, rest = tuple(named), data
    if not first and data[0] and all(isinstance(cell, str) for cell in data[0]):
        first, rest = tuple(data[0]), data[1:]
    columns = (*first, *(f"column{number}" for number in range(len(first) + 1, width + 1)))
    return Rows(columns=columns, cells=tuple((*row, *[None] * (len(columns) - len(row))) for row in rest))
