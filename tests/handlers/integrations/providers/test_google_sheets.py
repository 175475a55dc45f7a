from __future__ import annotations

from typing import Any

import pytest

from handlers import ConfigError, ProviderError, RateLimited
from tests.handlers.integrations.played import TOKEN, ask, asked, reply

SHEET = {"spreadsheetId": "s1"}
TYPED = {"valueInputOption": "USER_ENTERED"}
APPENDED = {"spreadsheetId": "s1", "updates": {"updatedRange": "Log!A2:B2", "updatedRows": 1}}
AT = "/spreadsheets/s1/values"


@pytest.mark.parametrize(
    ("parameters", "path"),
    [
        ({"range": "Sales!A1:C10"}, "Sales%21A1%3AC10"),
        ({"sheetName": "Week 1"}, "%27Week%201%27"),
        ({"sheetName": "Ada's", "range": "A:B"}, "%27Ada%27%27s%27%21A%3AB"),
        ({"sheetName": "Other", "range": "Sales!A1"}, "Sales%21A1"),  # a range that names its sheet needs none
    ],
)
def test_sheets_range_is_read(parameters: dict[str, str], path: str) -> None:
    """Written whole, or with the sheet beside it, which is quoted as Google wants it."""
    answer = {"range": "x", "majorDimension": "ROWS", "values": [["a", "1"], ["b"]]}

    data, (request,) = ask("google-sheets", "readRange", SHEET | parameters, reply(answer))

    assert (request.method, request.path) == ("GET", f"{AT}/{path}")
    assert request.headers["authorization"] == f"Bearer {TOKEN}"
    assert data == answer


def test_sheets_range_that_is_empty_has_no_rows() -> None:
    """Google leaves the list out."""
    data, _ = ask("sheets", "getValues", SHEET | {"range": "A1"}, reply({"range": "A1", "majorDimension": "ROWS"}))

    assert data["values"] == []


@pytest.mark.parametrize(
    ("values", "rows"),
    [
        ([[1, "a"], [2, None]], [[1, "a"], [2, None]]),
        (["a", 1.5, True], [["a", 1.5, True]]),  # one row
        ('[["a"], ["b"]]', [["a"], ["b"]]),  # what a model wrote
        ("open", [["open"]]),  # one cell
    ],
)
def test_sheets_rows_are_appended(values: Any, rows: Any) -> None:
    data, (request,) = ask("googleSheets", "appendRow", SHEET | {"sheetName": "Log", "values": values}, reply(APPENDED))

    assert asked(request) == (
        f"POST {AT}/%27Log%27:append",
        TYPED | {"insertDataOption": "INSERT_ROWS"},
        {"values": rows},
    )
    assert data == APPENDED["updates"]


@pytest.mark.parametrize(
    ("operation", "parameters", "route", "query", "body"),
    [
        ("updateCell", {"range": "A!B2", "value": 7}, f"PUT {AT}/A%21B2", TYPED, {"values": [[7]]}),
        (
            "updateRange",
            {"range": "A!A1:B1", "values": ["=1+1", "x"], "valueInputOption": "RAW"},
            f"PUT {AT}/A%21A1%3AB1",
            {"valueInputOption": "RAW"},
            {"values": [["=1+1", "x"]]},
        ),
        ("clearValues", {"range": "A!A2:B"}, f"POST {AT}/A%21A2%3AB:clear", {}, None),
        (
            "batchGetValues",
            {"ranges": "A1, B2"},
            f"GET {AT}:batchGet",
            {"ranges": "B2"},
            None,
        ),  # of both, the last shown
        ("getSpreadsheet", {}, "GET /spreadsheets/s1", {}, None),
        (
            "addSheet",
            {"title": "New"},
            "POST /spreadsheets/s1:batchUpdate",
            {},
            {"requests": [{"addSheet": {"properties": {"title": "New"}}}]},
        ),
    ],
)
def test_sheets_operation_sends_what_google_asks_for(
    operation: str, parameters: dict[str, Any], route: str, query: Any, body: Any
) -> None:
    _, (request,) = ask("google-sheets", operation, SHEET | parameters, reply({}))

    assert asked(request) == (route, query, body)


def test_sheets_several_ranges_are_asked_for_by_one_name() -> None:
    answer = {"spreadsheetId": "s1", "valueRanges": [{"range": "A1"}, {"range": "B2"}]}

    data, (request,) = ask("google-sheets", "batchGetValues", SHEET | {"ranges": ["A1", "B2"]}, reply(answer))

    assert request.path.endswith("?ranges=A1&ranges=B2")
    assert data == answer["valueRanges"]


def test_sheets_spreadsheet_is_made_with_its_sheets() -> None:
    _, (request,) = ask("google-sheets", "createSpreadsheet", {"title": "T", "sheets": "A, B"}, reply(SHEET))

    assert asked(request)[2] == {
        "properties": {"title": "T"},
        "sheets": [{"properties": {"title": "A"}}, {"properties": {"title": "B"}}],
    }


@pytest.mark.parametrize(
    ("parameters", "fault"),
    [
        ({"values": [1]}, "Say which range"),
        ({"range": "A1", "values": [{"a": 1}]}, "values"),
        ({"range": "A1"}, "values: Field required"),
    ],
)
def test_sheets_parameters_that_do_not_fit_are_told(parameters: dict[str, Any], fault: str) -> None:
    with pytest.raises(ConfigError, match=fault):
        ask("google-sheets", "appendRow", SHEET | parameters, reply(APPENDED))


def test_sheets_range_that_cannot_be_read_is_told() -> None:
    refusal = {"error": {"code": 400, "message": "Unable to parse range: Nope!A1", "status": "INVALID_ARGUMENT"}}

    with pytest.raises(ProviderError, match="Unable to parse range") as failure:
        ask("google-sheets", "getValues", SHEET | {"range": "Nope!A1"}, reply(refusal, status=400))

    assert (failure.value.code, failure.value.details["providerCode"]) == ("rejected", "INVALID_ARGUMENT")


def test_sheets_rate_limit_is_one_of_a_minute() -> None:
    refusal = {"error": {"code": 429, "message": "Quota exceeded", "status": "RESOURCE_EXHAUSTED"}}

    with pytest.raises(RateLimited) as failure:
        ask("google-sheets", "getSpreadsheet", SHEET, reply(refusal, status=429))

    assert failure.value.retry_after == 5
