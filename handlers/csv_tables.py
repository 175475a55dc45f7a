"""CSV as rows. Fit for text of strangers: time and memory grow with its length, whatever stands in it."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from io import StringIO
from typing import TYPE_CHECKING, Final

from handlers.errors import InputError

if TYPE_CHECKING:  # a child of `handlers.processes` reads tables, and must not wait until pydantic is there
    from handlers.base import JSONValue

MOST_CELLS: Final = 2_000_000
MOST_COLUMNS: Final = 10_000
LONGEST_CELL: Final = 1_000_000  # characters
_DELIMITERS: Final = (",", ";", "\t", "|")


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    rows: list[JSONValue]  # objects by the headers; lists when there are none
    headers: list[str]
    delimiter: str


def read_table(text: str, *, what: str, delimiter: str | None = None, has_header: bool = True) -> Table:
    """The rows of *text*, all cells as text; *what* it is, for messages. The likeliest delimiter, if it is None.

    A column without a name is called `column<n>`, one whose name is taken gets a number behind it. Cells that a row has
    beyond the header come under such names, those that it lacks are null. Raises InputError.
    """
    delimiter = delimiter or _likely_delimiter(text)
    rows = _rows(text, delimiter, what)
    if not has_header:
        return Table(rows=[[*row] for row in rows], headers=[], delimiter=delimiter)
    headers = _Headers()
    for number, name in enumerate(next(rows, []), start=1):
        headers.add(name.strip() or f"column{number}")
    found: list[JSONValue] = []
    for row in rows:
        while len(row) > len(headers.names):
            headers.add(f"column{len(headers.names) + 1}")
        found.append(dict(zip(headers.names, [*row, *[None] * (len(headers.names) - len(row))], strict=True)))
    return Table(rows=found, headers=headers.names, delimiter=delimiter)


def check_cells(cells: int, what: str) -> None:
    if cells > MOST_CELLS:
        raise InputError(f"{what} has more than {MOST_CELLS:,} cells.", code="too_complex")


def _rows(text: str, delimiter: str, what: str) -> Iterator[list[str]]:
    csv.field_size_limit(LONGEST_CELL)
    reader = csv.reader(StringIO(text, newline=""), delimiter=delimiter)
    cells, width = 0, 0
    try:
        for row in reader:
            if len(row) > MOST_COLUMNS:
                raise InputError(
                    f"{what} has {len(row):,} columns; up to {MOST_COLUMNS:,} are read.", code="too_complex"
                )
            width = max(width, len(row))
            cells += width  # a short row is filled up
            check_cells(cells, what)
            if row:
                yield row
    except csv.Error as error:
        raise InputError(f"{what} is no CSV: line {reader.line_num}: {error}.") from error


def _likely_delimiter(text: str) -> str:
    """The one that stands most often in the first line, outside of quotes."""
    unquoted = "".join(text.partition("\n")[0][:10_000].split('"')[::2])
    return max(_DELIMITERS, key=unquoted.count)


class _Headers:
    """Names of columns, each its own."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self._taken: set[str] = set()
        self._next: dict[str, int] = {}  # the number to try for a name that is taken; those below are, too

    def add(self, name: str) -> None:
        free, number = name, self._next.get(name, 2)
        while free in self._taken:
            free = f"{name}_{number}"
            number += 1
        self._next[name] = number
        self._taken.add(free)
        self.names.append(free)
