"""Word documents (DOCX)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import BytesIO
from typing import Any, Final

from docx import Document
from docx.table import Table
from docx.text.paragraph import Paragraph

from handlers.documents.failures import reading
from handlers.documents.packages import check_package

_HEADING: Final = re.compile(r"heading ([1-6])", re.IGNORECASE)


def read(argument: dict[str, Any], content: bytes) -> tuple[dict[str, Any], bytes]:
    """`{"text", "metadata"}` of a DOCX document, in its order: headings, lists and tables in Markdown."""
    what = argument["what"]
    check_package(content, what)
    with reading(what):
        document = Document(BytesIO(content))
        text = "\n\n".join(filter(None, map(_told, document.iter_inner_content())))
        about = document.core_properties
        told = {"title": about.title, "author": about.author, "subject": about.subject, "keywords": about.keywords}
        moments = {"created": about.created, "modified": about.modified}
    metadata = {name: value for name, value in told.items() if value}
    metadata |= {name: moment.isoformat() for name, moment in moments.items() if moment}
    return {"text": text, "metadata": metadata}, b""


def _told(block: Paragraph | Table) -> str:
    if isinstance(block, Table):
        return "\n".join(_rows(block))
    text = block.text.strip()
    style = (block.style.name if block.style else None) or ""
    if not text:
        return ""
    if heading := _HEADING.fullmatch(style):
        return f"{'#' * int(heading[1])} {text}"
    if style == "Title":
        return f"# {text}"
    if style.startswith("List Bullet"):
        return f"- {text}"
    return f"1. {text}" if style.startswith("List Number") else text


def _rows(table: Table) -> Iterator[str]:
    for number, row in enumerate(table.rows):
        cells = [" ".join(cell.text.split()).replace("|", "\\|") for cell in row.cells]
        yield f"| {' | '.join(cells)} |"
        if number == 0:
            yield f"|{' --- |' * len(cells)}"
