from __future__ import annotations

import codecs
import json
from typing import Any

import pytest

from handlers import InputError, csv_tables
from handlers.documents import packages, pdf, tables, texts, word
from handlers.extraction import extract, kind_of
from handlers.given_files import GivenFile
from tests.handlers.documents import made
from tests.handlers.fakes import RecordingLent


def file(content: bytes, name: str = "a", content_type: str | None = None) -> GivenFile:
    return GivenFile(name=name, content=content, content_type=content_type)


def told(reader: Any, content: bytes, **options: Any) -> Any:
    """What a reader says, here and not in a process of its own."""
    answer, extra = reader({"what": "'a'", **options}, content)
    assert extra == b""
    assert json.loads(json.dumps(answer)) == answer
    return answer


@pytest.mark.parametrize(
    ("name", "content_type", "content", "kind"),
    [
        ("A.PDF", None, b"", "pdf"),
        ("a.docx", "application/octet-stream", b"", "docx"),
        ("a.htm", None, b"", "html"),
        ("a.doc", None, b"", "doc"),
        ("a", "application/json", b"", "json"),
        ("a", None, b"%PDF-1.7", "pdf"),
        ("a", None, b"plain", "txt"),
        ("a", None, b"\0", None),
        ("a", "image/png", b"x", None),
        ("a.png", None, b"x", None),
        ("a.conf", "text/x-conf", b"x", "txt"),
    ],
)
def test_kind_of_a_file_is_by_name_then_type_then_content(
    name: str, content_type: str | None, content: bytes, kind: str | None
) -> None:
    assert kind_of(file(content, name, content_type)) == kind


class TestTexts:
    @pytest.mark.parametrize(
        ("content", "text"),
        [
            ("Grüße\r\n".encode(), "Grüße\n"),
            (b"\xef\xbb\xbfa", "a"),
            (codecs.BOM_UTF16_LE + "ä".encode("utf-16-le"), "ä"),
            (codecs.BOM_UTF32_BE + "ä".encode("utf-32-be"), "ä"),
            (b"Gr\xfc\xdfe \x80", "Grüße €"),
            (b"a\x07b\x1b[2J", "ab[2J"),
            (b"", ""),
        ],
    )
    def test_text_is_read_by_its_mark_or_likeliest_encoding(self, content: bytes, text: str) -> None:
        assert told(texts.read_text, content)["text"] == text

    def test_what_is_no_text_is_refused(self) -> None:
        with pytest.raises(InputError, match="no text"):
            told(texts.read_text, b"GIF89a\0\0")

    @pytest.mark.parametrize(
        ("format_", "text"),
        [("text", "Hi\nOne\ntwo."), ("markdown", "# Hi\n\nOne [two](/x).")],
    )
    def test_page_is_what_it_says_without_what_it_does(self, format_: str, text: str) -> None:
        page = (
            b"<html><head><title>T</title><style>x{}</style></head><body><script>steal()</script><h1>Hi</h1>"
            b"<p>One <a href='/x'>two</a>.<img src=x onerror=1></p><template>hidden</template></body></html>"
        )

        answer = told(texts.read_html, page, format=format_)

        assert answer["text"].replace("two\n.", "two.") == text
        assert answer["metadata"] == {"title": "T"}

    def test_json_is_read_or_refused(self) -> None:
        assert told(texts.read_json, b'{"a": [1]}', data=True)["data"] == {"a": [1]}
        with pytest.raises(InputError) as refusal:
            told(texts.read_json, b'{"a": NaN}')
        assert refusal.value.code == "unreadable_document"


class TestTables:
    @pytest.mark.parametrize(
        ("content", "options", "rows"),
        [
            (b"a,b\n1,2\n", {}, [{"a": "1", "b": "2"}]),
            (b'a;b\n"1;x";2\n', {}, [{"a": "1;x", "b": "2"}]),
            (b"a\tb\n1\t2", {}, [{"a": "1", "b": "2"}]),
            (b"a,b\n1,2", {"header": False}, [["a", "b"], ["1", "2"]]),
            (b"a|b\n1|2", {"delimiter": ","}, [{"a|b": "1|2"}]),
            (
                b"a,a,\n1,2,3,4\n5\n",
                {},
                [
                    {"a": "1", "a_2": "2", "column3": "3", "column4": "4"},
                    {"a": "5", "a_2": None, "column3": None, "column4": None},
                ],
            ),
            (b"a,b\n\n", {}, []),
            (b"", {}, []),
        ],
    )
    def test_csv_is_rows_by_the_names_of_the_first(self, content: bytes, options: Any, rows: Any) -> None:
        assert told(tables.read_csv, content, **options)["rows"] == rows

    @pytest.mark.parametrize(
        ("content", "code"),
        [
            (b"a\n" + b"x" * (csv_tables.LONGEST_CELL + 1), "invalid_input"),
            (b"," * (csv_tables.MOST_COLUMNS + 1), "too_complex"),
            (b",\n" * (csv_tables.MOST_CELLS // 2 + 2), "too_complex"),
        ],
        ids=["a field without end", "a row without end", "a flood of rows"],
    )
    def test_csv_that_floods_is_refused(self, content: bytes, code: str) -> None:
        with pytest.raises(InputError) as refusal:
            told(tables.read_csv, content, header=False)

        assert refusal.value.code == code

    def test_workbook_is_its_sheets(self) -> None:
        answer = told(tables.read_workbook, made.xlsx())

        assert answer == {
            "text": "# Orders\n\nid\tsum\n1\t2.5\nx y\tTRUE\n\n# Empty\n",
            "metadata": {"sheets": ["Orders", "Empty"]},
        }


class TestWord:
    def test_document_is_told_in_its_order(self) -> None:
        answer = told(word.read, made.docx())

        assert answer["text"] == (
            "# Über uns\n\nFirst. Second.\n\n- point\n\n| a | b\\|c |\n| --- | --- |\n| 1 | 2 |\n\nLast."
        )
        assert answer["metadata"]["title"] == "A letter"


class TestPdf:
    @pytest.mark.parametrize(
        ("options", "numbers"),
        [
            ({}, [1, 2, 3]),
            ({"first": 2}, [2, 3]),
            ({"last": 2}, [1, 2]),
            ({"first": 2, "last": 99}, [2, 3]),
            ({"only": [3, 1, 3]}, [1, 3]),
            ({"text": False}, []),
        ],
    )
    def test_pages_asked_for_are_read(self, options: Any, numbers: list[int]) -> None:
        answer = told(pdf.read, made.pdf(), **options)

        assert [page["number"] for page in answer["pages"]] == numbers
        assert (answer["pageCount"], answer["metadata"]["title"]) == (3, "A report")

    def test_text_is_that_of_the_pages(self) -> None:
        assert told(pdf.read, made.pdf())["text"] == "Page one.\n\nPage two.\n\nPage three."

    @pytest.mark.parametrize(
        ("options", "code"),
        [({"first": 4}, "no_such_page"), ({"only": [1, 9]}, "no_such_page"), ({"only": [0]}, "no_such_page")],
    )
    def test_page_that_is_not_there_is_named(self, options: Any, code: str) -> None:
        with pytest.raises(InputError) as refusal:
            told(pdf.read, made.pdf(), **options)

        assert refusal.value.code == code

    def test_document_with_a_password_wants_it(self) -> None:
        locked = made.pdf("Secret.", password="open sesame")

        for password in (None, "wrong"):
            with pytest.raises(InputError) as refusal:
                told(pdf.read, locked, password=password)
            assert refusal.value.code == "password_needed"
        assert told(pdf.read, locked, password="open sesame")["text"] == "Secret."


@pytest.mark.parametrize("kind", ["pdf", "docx", "xlsx"])
@pytest.mark.parametrize(
    "content", [b"", b"nonsense", b"PK\x03\x04nonsense", b"%PDF-1.7\nnonsense", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"]
)
def test_damaged_document_is_told_to_be_so(kind: Any, content: bytes) -> None:
    reader = {"pdf": pdf.read, "docx": word.read, "xlsx": tables.read_workbook}[kind]

    with pytest.raises(InputError) as refusal:
        told(reader, content)

    assert refusal.value.code == "unreadable_document"


def test_old_word_document_is_refused_with_what_to_do() -> None:
    with pytest.raises(InputError, match=r"Save it as \.docx"):
        extract(file(b"x", "a.doc"), "doc", RecordingLent())


class TestBombs:
    """Each in a process of its own, as nodes read them: within seconds, and with nothing but a sentence to show."""

    def refused(self, content: bytes, kind: Any) -> str:
        with pytest.raises(InputError) as refusal:
            extract(file(content, f"a.{kind}"), kind, RecordingLent())
        return refusal.value.code

    @pytest.mark.parametrize("kind", ["docx", "xlsx"])
    def test_zip_bomb_is_refused(self, kind: str) -> None:
        """A few kilobytes that unpack to a gigabyte."""
        package = made.docx() if kind == "docx" else made.xlsx()
        bomb = made.with_part(package, "media/zeros.bin", b"\0" * (packages.MOST_BYTES + 1))

        assert len(bomb) < 300_000
        assert self.refused(bomb, kind) == "too_complex"

    def test_zip_that_lies_about_its_size_is_refused(self) -> None:
        assert self.refused(made.lying_zip(200), "docx") == "unreadable_document"

    def test_zip_of_very_many_parts_is_refused(self) -> None:
        parts = {f"{number}": b"" for number in range(packages.MOST_PARTS + 1)}

        assert self.refused(made.zipped(parts), "docx") == "too_complex"

    def test_zip_in_a_zip_is_not_unpacked(self) -> None:
        inner = made.zipped({"zeros": b"\0" * (200 * 1024**2)})
        nested = made.with_part(made.docx(), "embeddings/inner.zip", made.zipped({"inner.zip": inner}))

        answer: Any = extract(file(nested, "a.docx"), "docx", RecordingLent())

        assert answer["text"].startswith("# Über uns")

    @pytest.mark.parametrize(
        ("kind", "part"),
        [("docx", "word/document.xml"), ("xlsx", "xl/worksheets/sheet1.xml"), ("xlsx", "[Content_Types].xml")],
    )
    def test_billion_laughs_are_refused(self, kind: str, part: str) -> None:
        package = made.docx() if kind == "docx" else made.xlsx()

        assert self.refused(made.with_laughs(package, part), kind) == "too_complex"

    def test_billion_laughs_in_another_encoding_are_refused(self) -> None:
        laughs = made.LAUGHS.replace('version="1.0"', 'version="1.0" encoding="UTF-16"')

        wide = made.with_part(made.docx(), "word/document.xml", laughs.encode("utf-16"))
        odd = made.with_part(made.docx(), "word/document.xml", b'<?xml version="1.0" encoding="UTF-7"?>+ADwAIQ-DOCTYPE')

        assert (self.refused(wide, "docx"), self.refused(odd, "docx")) == ("too_complex", "unreadable_document")

    def test_entity_of_a_file_is_refused(self) -> None:
        external = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><a>&e;</a>'

        assert self.refused(made.with_part(made.docx(), "word/document.xml", external), "docx") == "too_complex"

    @pytest.mark.parametrize("name", list(made.pdf_bombs()))
    def test_pdf_bomb_takes_no_reader_down(self, name: str) -> None:
        """Refused, or read for what it is: pypdf knows some of them."""
        outcome = "read"
        try:
            extract(file(made.pdf_bombs()[name], "a.pdf"), "pdf", RecordingLent())
        except InputError as refusal:
            outcome = refusal.code

        assert outcome in {"read", "too_complex", "unreadable_document"}

    def test_page_nested_without_end_takes_no_reader_down(self) -> None:
        nested = b"<div>" * 200_000

        with pytest.raises(InputError) as refusal:
            extract(file(nested, "a.html"), "html", RecordingLent(), format="markdown")

        assert refusal.value.code == "too_complex"

    def test_json_nested_without_end_takes_no_reader_down(self) -> None:
        assert self.refused(b"[" * 1_000_000, "json") == "too_complex"
