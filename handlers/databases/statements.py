"""What is asked of a database: SQL as written, or a change of one table, and the SQL that this is. Pure.

Values never become part of the SQL: they go to the server beside it. Names of tables and columns have to become part of
it, in quotes of the database's own kind.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from handlers.base import JSONScalar, JSONValue
from handlers.errors import InputError

Row: TypeAlias = Mapping[str, JSONValue]
Parameter: TypeAlias = "JSONScalar | list[JSONValue]"

MAX_NAME_LENGTH: Final = 128  # characters; PostgreSQL has 63, MySQL 64
MAX_ROWS_WRITTEN: Final = 1_000
MAX_PARAMETERS: Final = 60_000  # both protocols count them in sixteen bits


@dataclass(frozen=True, slots=True, kw_only=True)
class Sql:
    text: str
    parameters: tuple[Parameter, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Insert:
    table: str
    rows: Sequence[Row]
    returning: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    table: str
    values: Row
    where: Row
    returning: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Delete:
    table: str
    where: Row
    returning: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ListTables:
    schema: str | None = None  # None: all that are not the system's


Change: TypeAlias = Insert | Update | Delete


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    quote: Callable[[str], str]  # a name, of any characters
    place: Callable[[int], str]  # the placeholder of the nth parameter, from 1
    returns: bool  # RETURNING after UPDATE


def build(change: Change, dialect: Dialect) -> Sql:
    """Raises InputError for a change that would change everything, or nothing."""
    writer = _Writer(dialect)
    match change:
        case Insert():
            text = writer.insert(change)
        case Update():
            if not change.values:
                raise InputError("data: There is nothing to set.")
            assigned = ", ".join(f"{writer.name(name)} = {writer.value(item)}" for name, item in change.values.items())
            text = f"UPDATE {writer.table(change.table)} SET {assigned}{writer.where(change.where)}"  # noqa: S608 -- quoted
        case Delete():
            text = f"DELETE FROM {writer.table(change.table)}{writer.where(change.where)}"  # noqa: S608 -- quoted
    if change.returning:
        if not dialect.returns:
            raise InputError("returning: MySQL gives nothing back; read the rows in a node after this one.")
        text += f" RETURNING {writer.names(change.returning)}"
    if len(writer.parameters) > MAX_PARAMETERS:
        raise InputError(f"data: These are {len(writer.parameters)} values; {MAX_PARAMETERS} can be written at once.")
    return Sql(text=text, parameters=tuple(writer.parameters))


class _Writer:
    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self.parameters: list[Parameter] = []

    def insert(self, insert: Insert) -> str:
        if not 0 < len(insert.rows) <= MAX_ROWS_WRITTEN:
            raise InputError(f"data: {len(insert.rows)} rows; a node writes from 1 to {MAX_ROWS_WRITTEN}.")
        columns = list(insert.rows[0])
        if not columns:
            raise InputError("data: A row without a column.")
        if any(row.keys() != insert.rows[0].keys() for row in insert.rows):
            raise InputError("data: All rows of an insert have the same columns.")
        rows = ", ".join(f"({', '.join(self.value(row[column]) for column in columns)})" for row in insert.rows)
        return f"INSERT INTO {self.table(insert.table)} ({self.names(columns)}) VALUES {rows}"  # noqa: S608 -- quoted

    def where(self, conditions: Row) -> str:
        if not conditions:
            raise InputError("where: Without a condition every row would be changed. To do that, write a query.")
        return " WHERE " + " AND ".join(self._condition(name, value) for name, value in conditions.items())

    def _condition(self, name: str, value: JSONValue) -> str:
        if value is None:
            return f"{self.name(name)} IS NULL"
        if not isinstance(value, list):
            return f"{self.name(name)} = {self.value(value)}"
        if not value or None in value:
            raise InputError(f"where.{name}: A list of values to look for has some, and no null among them.")
        return f"{self.name(name)} IN ({', '.join(self.value(item) for item in value)})"

    def value(self, value: JSONValue) -> str:
        self.parameters.append(stored(value))
        return self._dialect.place(len(self.parameters))

    def table(self, name: str) -> str:
        return ".".join(self.name(part) for part in name.split("."))

    def names(self, names: Iterable[str]) -> str:
        return ", ".join("*" if name == "*" else self.name(name) for name in names)

    def name(self, name: str) -> str:
        if not name or "\0" in name or len(name) > MAX_NAME_LENGTH:
            raise InputError(f"{name[:MAX_NAME_LENGTH]!r} is no name of a table or a column.")
        return self._dialect.quote(name)


def stored(value: JSONValue) -> JSONScalar:
    """*value* as a column takes it: an object or a list is its JSON."""
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    return value
