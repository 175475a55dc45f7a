"""Tables: CSV read row by row, workbooks sheet by sheet."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from io import BytesIO, StringIO
from typing import Any, Final

from openpyxl import load_workbook

from handlers.documents.failures import reading, too_complex
from handlers.documents.packages import check_package
from handlers.documents.texts import decode
from handlers.errors import InputError

MOST_CELLS: Final = 2_000_000
MOST_COLUMNS: Final = 10_000
LONGEST_CELL: Final = 1_000_000  # characters
_DELIMITERS: Final = (",", ";", "\t", "|")


def read_csv(argument: dict[str, Any], content: bytes) -> tuple[dict[str, Any], bytes]:
    """`{"rows", "headers", "delimiter"}`. With `header`, rows are objects by the names of the first; else lists.

    A column without a name is called `column<n>`, one whose name is taken gets a number behind it. Cells that a row has
    beyond the header come under such names, those that it lacks are null.
    """
    what = argument["what"]
    text = decode(content, what)
    delimiter = argument.get("delimiter") or _likely_delimiter(text)
    rows = _rows(text, delimiter, what)
    if not argument.get("header", True):
        return {"rows": list(rows), "headers": [], "delimiter": delimiter}, b""
    headers = _named(next(rows, []))
    found = []
    for row in rows:
        while len(row) > len(headers):
            headers.append(_free(f"column{len(headers) + 1}", headers))
        found.append(dict(zip(headers, [*row, *[None] * (len(headers) - len(row))], strict=True)))
    return {"rows": found, "headers": headers, "delimiter": delimiter}, b""


def read_workbook(argument: dict[str, Any], content: bytes) -> tuple[dict[str, Any], bytes]:
    """`{"text", "metadata": {"sheets"}}` of an XLSX workbook: a heading for each sheet, cells parted by tabs."""
    what = argument["what"]
    check_package(content, what)
    parts, cells = [], 0
    with reading(what):
        book = load_workbook(BytesIO(content), read_only=True, data_only=True, keep_links=False)
        for sheet in book.worksheets:
            lines = [f"# {sheet.title}", ""]
            for row in sheet.iter_rows(values_only=True, max_col=MOST_COLUMNS):
                cells += len(row)
                _check_cells(cells, what)
                if any(cell is not None for cell in row):
                    lines.append("\t".join(_shown(cell) for cell in row).rstrip("\t"))
            parts.append("\n".join(lines))
        names = list(book.sheetnames)
    return {"text": "\n\n".join(parts), "metadata": {"sheets": names}}, b""


def _rows(text: str, delimiter: str, what: str) -> Iterator[list[str]]:
    csv.field_size_limit(LONGEST_CELL)
    reader = csv.reader(StringIO(text, newline=""), delimiter=delimiter)
    cells = 0
    try:
        for row in reader:
            if len(row) > MOST_COLUMNS:
                raise too_complex(f"{what} has {len(row):,} columns; up to {MOST_COLUMNS:,} are read.")
            cells += len(row)
            _check_cells(cells, what)
            if row:
                yield row
    except csv.Error as error:
        raise InputError(f"{what} is no CSV: line {reader.line_num}: {error}.") from error


def _check_cells(cells: int, what: str) -> None:
    if cells > MOST_CELLS:
        raise too_complex(f"{what} has more than {MOST_CELLS:,} cells.")


def _likely_delimiter(text: str) -> str:
    """The one that stands most often in the first line, outside of quotes."""
    unquoted = "".join(text.partition("\n")[0][:10_000].split('"')[::2])
    return max(_DELIMITERS, key=unquoted.count)


def _named(row: list[str]) -> list[str]:
    headers: list[str] = []
    for number, name in enumerate(row, start=1):
        headers.append(_free(name.strip() or f"column{number}", headers))
    return headers


def _free(name: str, taken: list[str]) -> str:
    if name not in taken:
        return name
    return next(made for number in range(2, len(taken) + 3) if (made := f"{name}_{number}") not in taken)


def _shown(cell: Any) -> str:
    match cell:
        case None:
            return ""
        case bool():
            return "TRUE" if cell else "FALSE"
        case datetime() | date() | time():
            return cell.isoformat()
        case timedelta():
            return str(cell)
        case _:
            return " ".join(str(cell).split())
