"""Documents of the tests: small honest ones, and some that were built to take a reader down."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Mapping
from io import BytesIO

from docx import Document
from fpdf import FPDF
from openpyxl import Workbook
from pypdf import PdfReader, PdfWriter

LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a0 "ha">'
    + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 11))
    + "]>"
)


def docx() -> bytes:
    document = Document()
    document.core_properties.title = "A letter"
    document.add_heading("Über uns", level=1)
    document.add_paragraph("First. Second.")
    document.add_paragraph("point", style="List Bullet")
    table = document.add_table(rows=2, cols=2)
    for row, cells in zip(table.rows, (("a", "b|c"), ("1", "2")), strict=True):
        for cell, text in zip(row.cells, cells, strict=True):
            cell.text = text
    document.add_paragraph("Last.")
    written = BytesIO()
    document.save(written)
    return written.getvalue()


def xlsx() -> bytes:
    book = Workbook()
    sheet = book.active
    sheet.title = "Orders"
    for row in (["id", "sum"], [1, 2.5], [None, None], ["x\ny", True]):
        sheet.append(row)
    book.create_sheet("Empty")
    written = BytesIO()
    book.save(written)
    return written.getvalue()


def pdf(*pages: str, password: str | None = None, title: str = "A report") -> bytes:
    document = FPDF()
    document.set_title(title)
    document.set_font("helvetica", size=12)
    for text in pages or ("Page one.", "Page two.", "Page three."):
        document.add_page()
        document.multi_cell(0, text=text)
    made = bytes(document.output())
    if password is None:
        return made
    writer = PdfWriter(clone_from=PdfReader(BytesIO(made)))
    writer.encrypt(password, algorithm="AES-256")
    written = BytesIO()
    writer.write(written)
    return written.getvalue()


def zipped(parts: Mapping[str, bytes]) -> bytes:
    written = BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in parts.items():
            package.writestr(name, content)
    return written.getvalue()


def with_part(package: bytes, name: str, content: bytes) -> bytes:
    """*package* with another part *name*."""
    with zipfile.ZipFile(BytesIO(package)) as opened:
        parts = {part: opened.read(part) for part in opened.namelist()}
    return zipped({**parts, name: content})


def with_laughs(package: bytes, name: str) -> bytes:
    """*package* whose part *name* is a billion laughs: entities of entities."""
    with zipfile.ZipFile(BytesIO(package)) as opened:
        text = opened.read(name).decode()
    body = text[text.index("?>") + 2 :] if text.startswith("<?xml") else text
    end = body.index(">") + 1
    return with_part(package, name, (LAUGHS + body[:end] + "&a10;" + body[end:]).encode())


def lying_zip(megabytes: int) -> bytes:
    """A part that unpacks to much more than it says."""
    made = bytearray(zipped({"word/document.xml": b"<a>" + b" " * (megabytes * 1024**2) + b"</a>"}))
    for signature, place in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):
        start = made.index(signature)
        made[start + place : start + place + 4] = (10).to_bytes(4, "little")
    return bytes(made)


def pdf_of(*objects: bytes) -> bytes:
    """A PDF of these objects, numbered from 1; the first is the catalogue."""
    made, places = bytearray(b"%PDF-1.7\n"), []
    for number, body in enumerate(objects, start=1):
        places.append(len(made))
        made += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    start = len(made)
    made += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    made += b"".join(b"%010d 00000 n \n" % place for place in places)
    return bytes(made + b"trailer <</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (len(objects) + 1, start))


def stream(content: bytes, filters: bytes = b"/FlateDecode") -> bytes:
    return b"<</Length %d/Filter %b>>\nstream\n%b\nendstream" % (len(content), filters, content)


_PAGE = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R>>"
_CATALOGUE = b"<</Type/Catalog/Pages 2 0 R>>"
_PAGES = b"<</Type/Pages/Count 1/Kids[3 0 R]>>"


def pdf_bombs() -> dict[str, bytes]:
    """By what is wrong with them."""
    large = zlib.compress(b" " * (300 * 1024**2), 9)
    return {
        "a stream that unpacks to 300 MB": pdf_of(_CATALOGUE, _PAGES, _PAGE, stream(large)),
        "a stream packed twice": pdf_of(
            _CATALOGUE, _PAGES, _PAGE, stream(zlib.compress(large, 9), b"[/FlateDecode/FlateDecode]")
        ),
        "pages that contain themselves": pdf_of(_CATALOGUE, b"<</Type/Pages/Count 1/Kids[2 0 R]>>"),
        "arrays in arrays": pdf_of(_CATALOGUE, _PAGES, _PAGE, b"[" * 100_000 + b"]" * 100_000),
        "a form that draws itself": pdf_of(
            _CATALOGUE,
            _PAGES,
            _PAGE.replace(b"/Contents", b"/Resources<</XObject<</X 5 0 R>>>>/Contents"),
            stream(zlib.compress(b"/X Do " * 1000)),
            b"<</Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</X 5 0 R>>>>/Length 5>>\nstream\n/X Do\nendstream",
        ),
    }
