"""One operation on one file: the type that existing workflows read, parse and write with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

from pydantic import AliasChoices, Field

from handlers import extraction, given_files, made_files
from handlers.base import Effect, JSONObject, Lane, NodeConfig, NodeHandler, NodeInput, NodeOutput
from handlers.errors import ConfigError
from handlers.extraction import FileKind
from handlers.given_files import GivenFile, decode_base64
from handlers.ports import Lent
from handlers.registry import node_type
from handlers.values import encodable, text_of

_CSV_READER: Final = "handlers.documents.tables:read_csv"
_SOURCES: Final[Mapping[str, str]] = {"upload": "fileData", "url": "fileUrl", "path": "filePath"}


class FileConfig(NodeConfig):
    operation: Literal["read", "write", "parsePDF", "parseCSV", "parseJSON"] = "read"
    file_source: Literal["upload", "url", "path"] | None = Field(
        None, description="Which of the three fields below counts; unset: the one that is filled in."
    )
    file_path: Any = Field(
        None, validation_alias=AliasChoices("filePath", "path"), description="In the workspace, or a file of a node."
    )
    file_url: Any = Field(None, validation_alias=AliasChoices("fileUrl", "url"))
    file_data: Any = Field(None, description='An upload: {"name", "base64"}, {"name", "text"}, or a data: URL.')
    content: Any = Field(None, description="write: text; anything else is written as JSON.")
    output_path: str | None = Field(None, description="write: where to, in the workspace.")
    encoding: Literal["utf-8", "base64"] = Field("utf-8", description="write: base64 when the content is bytes.")
    overwrite: bool = Field(True, description="write: whether a file that is there may be replaced.")
    delimiter: str | None = Field(
        None,
        validation_alias=AliasChoices("delimiter", "csvDelimiter"),
        min_length=1,
        max_length=1,
        description="parseCSV; unset: the likeliest of , ; tab and |.",
    )
    has_header: bool = Field(
        True,
        validation_alias=AliasChoices("hasHeader", "hasHeaders", "csvHeader"),
        description="parseCSV: the first row has the names of the columns, and rows are objects.",
    )


@node_type(
    "file",
    category="integrations",
    title="File operation",
    aliases=("fileOperations",),
    effect=Effect.EFFECT,
    lane=Lane.CPU,
)
class File(NodeHandler[FileConfig]):
    """Read, parse or write one file.

    Output by operation. `read`: `{"content", "metadata", "file"}`, the text of a text file, PDF, DOCX, XLSX or page.
    `parsePDF`: `{"text", "pages", "pageCount", "metadata", "file"}`. `parseCSV`: `{"rows", "headers", "rowCount",
    "delimiter", "file"}`, rows as objects, or as lists without `hasHeader`; all cells are text. `parseJSON`: `{"data",
    "file"}`. There, `file` is `{"name", "path", "size", "contentType"}`. `write`: `{"path", "name", "size",
    "contentType"}`, as `fileWrite`.

    Errors: `file_missing`, `file_too_large` (50 MB), `unsupported_type`, `unreadable_document`, `too_complex`,
    `invalid_path`; of write also `file_exists` and `quota_exceeded`.
    """

    Config = FileConfig

    def run(self, node: NodeInput[FileConfig], lent: Lent) -> NodeOutput:
        config = node.config
        if config.operation == "write":
            return NodeOutput(data=_write(node, lent))
        file = _load(config, lent)
        told: JSONObject = {
            "name": file.name,
            "path": file.path,
            "size": len(file.content),
            "contentType": file.content_type,
        }
        return NodeOutput(data={**_parse(config, file, lent), "file": told})

    @classmethod
    def check(cls, config: Mapping[str, Any]) -> list[tuple[str, str]]:
        if config.get("operation") == "write":
            return [] if config.get("outputPath") or config.get("filePath") else [("outputPath", "Say where to.")]
        return (
            []
            if any(config.get(key) for key in (*_SOURCES.values(), "path", "url"))
            else [("filePath", "Say which file: filePath, fileUrl or fileData.")]
        )


def _parse(config: FileConfig, file: GivenFile, lent: Lent) -> JSONObject:
    found: Any
    match config.operation:
        case "parsePDF":
            found = extraction.extract(file, "pdf", lent)
            return {key: found[key] for key in ("text", "pages", "pageCount", "metadata")}
        case "parseCSV":
            found = extraction.ask(_CSV_READER, file, lent, delimiter=config.delimiter, header=config.has_header)
            return {**found, "rowCount": len(found["rows"])}
        case "parseJSON":
            found = extraction.extract(file, "json", lent, data=True)
            return {"data": found["data"]}
        case _:
            kind: FileKind = extraction.kind_of(file) or "txt"
            found = extraction.extract(file, kind, lent, format="markdown")
            return {"content": found["text"], "metadata": found["metadata"]}


def _load(config: FileConfig, lent: Lent) -> GivenFile:
    values = {"upload": config.file_data, "url": config.file_url, "path": config.file_path}
    filled = [name for name, value in values.items() if value]
    source: str = config.file_source or (filled or ["path"])[0]
    field = _SOURCES[source]
    return given_files.load(values[source], lent, field=field, max_bytes=extraction.MAX_FILE_BYTES)


def _write(node: NodeInput[FileConfig], lent: Lent) -> JSONObject:
    config = node.config
    path = config.output_path or config.file_path
    if not isinstance(path, str):
        raise ConfigError("outputPath is missing: say where to write to.")
    text = text_of("" if config.content is None else config.content)
    content = decode_base64(text, field="content") if config.encoding == "base64" else encodable(text).encode()
    return made_files.put(node, lent, content, path=path, overwrite=config.overwrite).to_json()
