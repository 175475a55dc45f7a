"""Tables: CSV read row by row, workbooks sheet by sheet."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from io import BytesIO
from typing import Any

from openpyxl import load_workbook

from handlers.csv_tables import MOST_COLUMNS, check_cells, read_table
from handlers.documents.failures import reading
from handlers.documents.packages import check_package
from handlers.documents.texts import decode


def read_csv(argument: dict[str, Any], content: bytes) -> tuple[dict[str, Any], bytes]:
    """`{"rows", "headers", "delimiter"}`. With `header`, rows are objects by the names of the first; else lists."""
    what = argument["what"]
    table = read_table(
        decode(content, what), what=what, delimiter=argument.get("delimiter"), has_header=argument.get("header", True)
    )
    return {"rows": table.rows, "headers": table.headers, "delimiter": table.delimiter}, b""


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
                check_cells(cells, what)
                if any(cell is not None for cell in row):
                    lines.append("\t".join(_shown(cell) for cell in row).rstrip("\t"))
            parts.append("\n".join(lines))
        names = list(book.sheetnames)
    return {"text": "\n\n".join(parts), "metadata": {"sheets": names}}, b""


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
