"""A spreadsheet of rows."""

from __future__ import annotations

from typing import Any, Final, Literal

from pydantic import AliasChoices, Field, field_validator

from handlers import made_files, processes
from handlers.base import Effect, JSONValue, Lane, NodeConfig, NodeHandler, NodeInput, NodeOutput
from handlers.extraction import BOUNDS
from handlers.made_files import FileData
from handlers.ports import Lent
from handlers.registry import node_type
from handlers.rows import rows_of
from handlers.values import encodable, text_of

_MAKER: Final = "handlers.documents.workbooks:make"
_NOT_IN_A_NAME: Final = frozenset("[]:*?/\\")  # Source: Microsoft, "Rename a worksheet"


class SpreadsheetGenerationConfig(NodeConfig):
    format: Literal["xlsx", "csv"] = "xlsx"
    filename: str = Field("spreadsheet", min_length=1, description="With a / in it, a path in the workspace.")
    data_source: Any = Field(
        validation_alias=AliasChoices("dataSource", "data", "rows"),
        description="A list of objects or of lists, or what parseCSV gives.",
    )
    sheet_name: str = Field("Sheet1", min_length=1, max_length=31)
    columns: tuple[str, ...] = Field((), description="Which, and in which order; unset: all, as they come.")
    include_headers: bool = Field(True, validation_alias=AliasChoices("includeHeaders", "includeHeader"))
    bold_headers: bool = Field(True, validation_alias=AliasChoices("boldHeaders", "headerBold"))
    freeze_headers: bool = Field(True, validation_alias=AliasChoices("freezeHeaders", "freezeHeader"))
    allow_formulas: bool = Field(False, description="Text that begins with = + - @ becomes a formula. See below.")

    @field_validator("sheet_name")
    @classmethod
    def _is_a_name(cls, name: str) -> str:
        if _NOT_IN_A_NAME & {*name} or name.startswith("'") or name.endswith("'"):
            raise ValueError("A sheet's name has none of [ ] : * ? / \\ in it, and no ' at its ends.")
        return name


class SpreadsheetGenerationData(FileData):
    format: Literal["xlsx", "csv"]
    row_count: int = Field(description="Without the header.")
    column_count: int
    columns: list[str]


@node_type("spreadsheetGeneration", category="outputs", title="Make a spreadsheet", effect=Effect.EFFECT, lane=Lane.CPU)
class SpreadsheetGeneration(NodeHandler[SpreadsheetGenerationConfig]):
    """Write rows to a spreadsheet (XLSX or CSV), and store it in the workspace.

    Output: `{"path", "name", "size", "contentType", "format", "rowCount", "columnCount", "columns"}`. The file is in a
    folder of this visit of the node, `runs/<run>/…/<filename>`, where another attempt replaces it; a `filename` with a
    `/` is a path in the workspace, where it replaces what is there.

    Numbers stay numbers, up to fifteen digits; objects and lists in a cell are their JSON. Text that begins with
    `= + - @` stays text, marked as such, and in CSV with an apostrophe before it: to who opens the file it would be a
    formula, and a formula of a stranger's making can send away what else is in the sheet. `allowFormulas` is for tables
    of your own. Up to a million cells (`too_complex`), of 32,767 characters each.
    """

    Config = SpreadsheetGenerationConfig
    Output = SpreadsheetGenerationData

    def run(self, node: NodeInput[SpreadsheetGenerationConfig], lent: Lent) -> NodeOutput:
        config = node.config
        table = rows_of(config.data_source, field="dataSource", named=config.columns)
        rows: list[JSONValue] = [[_scalar(cell) for cell in row] for row in table.cells]
        _, made = processes.compute(
            _MAKER,
            {
                "format": config.format,
                "columns": [_scalar(column) for column in table.columns],
                "rows": rows,
                "sheetName": config.sheet_name,
                "header": config.include_headers,
                "bold": config.bold_headers,
                "freeze": config.freeze_headers,
                "formulas": config.allow_formulas,
            },
            bounds=BOUNDS,
            lent=lent,
        )
        stored = made_files.keep_as(config.format, node, lent, made, filename=config.filename)
        return NodeOutput(
            data={
                **stored.to_json(),
                "format": config.format,
                "rowCount": len(rows),
                "columnCount": len(table.columns),
                "columns": [*table.columns],
            }
        )


def _scalar(cell: JSONValue) -> JSONValue:
    return encodable(text_of(cell)) if isinstance(cell, dict | list | str) else cell
