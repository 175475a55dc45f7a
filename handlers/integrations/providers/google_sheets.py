"""Google Sheets: read and write ranges of a spreadsheet. The credential is OAuth2 with the scope `spreadsheets`."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AliasChoices, BeforeValidator, Field, model_validator

from handlers.base import JSONObject, JSONValue
from handlers.integrations import Answer, Errand, Parameters, Sent, Several
from handlers.integrations.google import google_provider
from handlers.integrations.parameters import Place, Unsent
from handlers.values import read_container

sheets = google_provider(
    "google-sheets",
    title="Google Sheets",
    base_url="https://sheets.googleapis.com/v4",
    doc=__doc__ or "",
    aliases=("sheets", "gsheets"),
)


def _rows(value: Any) -> Any:
    """Rows of cells: one row may be written as its cells, one cell as it is."""
    value = read_container(value) if isinstance(value, str) else value
    if not isinstance(value, list):
        value = [value]
    return value if all(isinstance(row, list) for row in value) else [value]


Rows: TypeAlias = Annotated[list[list[str | int | float | bool | None]], BeforeValidator(_rows)]


class Spreadsheet(Parameters):
    spreadsheet_id: str = Field(
        validation_alias=AliasChoices("spreadsheetId", "sheetId"), description="What stands in its address after /d/."
    )


class Ranged(Spreadsheet):
    """A part of a spreadsheet, in A1 notation: `Sales!A1:C10`, or a range with `sheetName` beside it."""

    range: str | None = Field(None, description="Sheet!A1:B2; without cells the whole sheet.")
    sheet_name: Annotated[str | None, Unsent] = Field(
        None, validation_alias=AliasChoices("sheetName", "sheet", "worksheet"), description="Where `range` names none."
    )

    @model_validator(mode="before")
    @classmethod
    def _named(cls, drawn: Any) -> Any:
        if not isinstance(drawn, dict):
            return drawn
        sheet = next((drawn[key] for key in ("sheetName", "sheet", "worksheet") if drawn.get(key)), None)
        cells = drawn.get("range")
        if not isinstance(sheet, str) or (isinstance(cells, str) and "!" in cells):
            return drawn
        quoted = "'" + sheet.replace("'", "''") + "'"
        return drawn | {"range": f"{quoted}!{cells}" if cells else quoted}

    @model_validator(mode="after")
    def _is_somewhere(self) -> Ranged:
        if self.range is None:
            raise ValueError("Say which range, or which sheetName.")
        return self


class Written(Ranged):
    values: Rows = Field(
        validation_alias=AliasChoices("values", "rows", "row", "value"),
        description="Rows of cells, [[1, 2], [3, 4]]; a single row as [1, 2].",
    )
    value_input_option: Annotated[Literal["USER_ENTERED", "RAW"], Sent(place=Place.QUERY)] = Field(
        "USER_ENTERED", description="USER_ENTERED reads formulas, dates and numbers as if typed."
    )


@sheets.operation(
    "getValues",
    "GET /spreadsheets/{spreadsheet_id}/values/{range}",
    aliases=("readRange", "getRange", "readValues", "getRows"),
)
class GetValues(Ranged):
    """What stands in a range: `values` is a list of rows, without the empty ones at its end."""

    value_render_option: Literal["FORMATTED_VALUE", "UNFORMATTED_VALUE", "FORMULA"] | None = None
    major_dimension: Literal["ROWS", "COLUMNS"] | None = None

    def make_result(self, answer: Answer, errand: Errand) -> JSONValue:
        del errand
        # Google leaves out an empty list.
        return {"values": []} | answer.data if isinstance(answer.data, dict) else answer.data


@sheets.operation(
    "batchGetValues", "GET /spreadsheets/{spreadsheet_id}/values:batchGet", picks="valueRanges", aliases=("getRanges",)
)
class BatchGetValues(Spreadsheet):
    """What stands in several ranges."""

    ranges: Several


@sheets.operation(
    "appendValues",
    "POST /spreadsheets/{spreadsheet_id}/values/{range}:append",
    aliases=("appendRow", "appendRows", "addRow", "append"),
    picks="updates",
)
class AppendValues(Written):
    """Write rows below the table that is in a range."""

    insert_data_option: Annotated[Literal["INSERT_ROWS", "OVERWRITE"], Sent(place=Place.QUERY)] = "INSERT_ROWS"


@sheets.operation(
    "updateValues",
    "PUT /spreadsheets/{spreadsheet_id}/values/{range}",
    aliases=("updateRange", "updateCell", "updateRow", "writeRange"),
)
class UpdateValues(Written):
    """Write a range."""


@sheets.operation(
    "clearValues", "POST /spreadsheets/{spreadsheet_id}/values/{range}:clear", aliases=("clearRange", "deleteValues")
)
class ClearValues(Ranged):
    """Empty a range."""

    def make_body(self, drawn: JSONObject, errand: Errand) -> JSONValue:
        del drawn, errand
        return {}


@sheets.operation("getSpreadsheet", "GET /spreadsheets/{spreadsheet_id}", aliases=("getSheets",))
class GetSpreadsheet(Spreadsheet):
    """A spreadsheet and its sheets, without their cells."""


@sheets.operation("createSpreadsheet", "POST /spreadsheets")
class CreateSpreadsheet(Parameters):
    """Make a spreadsheet."""

    title: str
    sheets: Several | None = Field(None, validation_alias=AliasChoices("sheets", "sheetNames"), description="Names.")

    def make_body(self, drawn: JSONObject, errand: Errand) -> JSONValue:
        del drawn, errand
        made: JSONObject = {"properties": {"title": self.title}}
        if self.sheets:
            made["sheets"] = [{"properties": {"title": name}} for name in self.sheets]
        return made


@sheets.operation("addSheet", "POST /spreadsheets/{spreadsheet_id}:batchUpdate", picks="replies.0.addSheet.properties")
class AddSheet(Spreadsheet):
    """Add a sheet to a spreadsheet."""

    title: str = Field(validation_alias=AliasChoices("title", "sheetName"))

    def make_body(self, drawn: JSONObject, errand: Errand) -> JSONValue:
        del drawn, errand
        return {"requests": [{"addSheet": {"properties": {"title": self.title}}}]}
