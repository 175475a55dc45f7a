"""Spreadsheets, made: XLSX and CSV.

A cell that begins with = + - @ is a formula to who opens the file, and a formula can call out: so such text stays text.
In a workbook it is stored as text and marked as such; in CSV, which knows no types, an apostrophe stands before it.
Source: OWASP, "CSV Injection".
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from io import BytesIO, StringIO
from typing import Any, Final

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter

from handlers.documents.failures import too_complex
from handlers.errors import InputError

# Source: Microsoft, "Excel specifications and limits".
MOST_ROWS: Final = 1_048_576
MOST_COLUMNS: Final = 16_384
LONGEST_CELL: Final = 32_767  # characters
MOST_CELLS: Final = 1_000_000  # ours
_MOST_DIGITS: Final = 10**15  # Excel keeps fifteen; a longer number is a name, and changed digits are another one
_WIDEST: Final = 60  # characters
_LOOKED_AT: Final = 200  # rows, for the widths
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_NUMERAL: Final = re.compile(r"[+-]?\d+([.,]\d+)?%?")
_ILLEGAL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def make(argument: dict[str, Any], content: bytes) -> tuple[dict[str, Any], bytes]:
    """The file of *argument*: `format`, `columns`, `rows` of JSON scalars, `sheetName`, `header`, `bold`, `freeze`,
    `formulas` (whether text may be one). Answers with an empty object.
    """
    del content
    columns, rows = argument["columns"], argument["rows"]
    if len(rows) * max(1, len(columns)) > MOST_CELLS:
        raise too_complex(
            f"The table has {len(rows):,} rows of {len(columns):,} cells; up to {MOST_CELLS:,} are written."
        )
    if len(columns) > MOST_COLUMNS or len(rows) >= MOST_ROWS:
        raise too_complex("The table has more rows or columns than a spreadsheet may have.")
    return {}, _csv(argument) if argument["format"] == "csv" else _xlsx(argument)


def is_formula(text: str) -> bool:
    """Whether a spreadsheet would take *text* for a formula, or a part of one."""
    return text.startswith(_FORMULA) and not _NUMERAL.fullmatch(text)


def _csv(argument: dict[str, Any]) -> bytes:
    written = StringIO(newline="")
    writer = csv.writer(written)
    for row in _all_rows(argument):
        writer.writerow([_in_csv(cell, formulas=argument["formulas"]) for cell in row])
    return b"\xef\xbb\xbf" + written.getvalue().encode("utf-8", "replace")  # without the mark, Excel takes it for Latin


def _in_csv(cell: Any, *, formulas: bool) -> Any:
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, str) and not formulas and is_formula(cell.lstrip(" ")):
        return f"'{cell}"
    return cell


def _xlsx(argument: dict[str, Any]) -> bytes:
    book = Workbook(write_only=True)
    sheet = book.create_sheet(argument["sheetName"])
    has_header = argument["header"]
    for number, width in enumerate(_widths(argument), start=1):
        sheet.column_dimensions[get_column_letter(number)].width = width
    if has_header and argument["freeze"]:
        sheet.freeze_panes = "A2"
    for place, row in enumerate(_all_rows(argument)):
        is_header = has_header and place == 0
        sheet.append([_cell(sheet, value, argument, is_header=is_header) for value in row])
    written = BytesIO()
    book.save(written)
    return written.getvalue()


def _cell(sheet: Any, value: Any, argument: dict[str, Any], *, is_header: bool) -> Any:
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) >= _MOST_DIGITS:
        value = str(value)
    if not isinstance(value, str):
        return value
    text = _ILLEGAL.sub("", value)
    if len(text) > LONGEST_CELL:
        raise InputError(f"A cell has {len(text):,} characters, it begins {text[:40]!r}; a spreadsheet takes 32,767.")
    marked = is_formula(text) and not argument["formulas"]
    if not (marked or is_header or "\n" in text):
        return text
    cell = WriteOnlyCell(sheet, value=text)
    if marked:
        cell.data_type = "s"  # openpyxl has taken what begins with = for a formula
        cell.quotePrefix = True  # so that it stays text when somebody edits the cell
    if is_header and argument["bold"]:
        cell.font = Font(bold=True)
        cell.fill = PatternFill("solid", fgColor="E8EDF3")
    if "\n" in text:
        cell.alignment = Alignment(wrap_text=True, vertical="top")
    return cell


def _all_rows(argument: dict[str, Any]) -> Iterator[list[Any]]:
    if argument["header"]:
        yield argument["columns"]
    yield from argument["rows"]


def _widths(argument: dict[str, Any]) -> list[float]:
    seen = [*([argument["columns"]] if argument["header"] else []), *argument["rows"][:_LOOKED_AT]]
    longest = [
        max((len(str(row[place])) for row in seen if row[place] is not None), default=0)
        for place in range(len(argument["columns"]))
    ]
    return [min(_WIDEST, max(8, length + 2)) for length in longest]
