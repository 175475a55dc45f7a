"""Files that a run is started with, as text and in pieces."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from pydantic import AliasChoices, Field, field_validator

from handlers import extraction, given_files
from handlers.base import Effect, JSONObject, JSONValue, Lane, NodeConfig, NodeData, NodeHandler, NodeInput, NodeOutput
from handlers.chunking import Chunk, chunk_structured, chunk_text
from handlers.errors import InputError
from handlers.extraction import FileKind
from handlers.given_files import GivenFile
from handlers.ports import Lent
from handlers.registry import node_type

MOST_FILES: Final = 100
MOST_BYTES: Final = 200 * 1024 * 1024  # of all files together
SEPARATOR: Final = "\n\n---\n\n"
KINDS: Final[tuple[FileKind, ...]] = ("pdf", "docx", "doc", "txt", "md", "html", "json", "csv", "xlsx")
# What existing workflows write for kinds: media types and their families. Those without text are handed on as they are.
_FAMILIES: Final[Mapping[str, tuple[str, ...]]] = {
    "text": ("txt", "md", "html", "csv"),
    "document": ("pdf", "docx", "doc", "txt", "md", "html"),
    "image": ("image",),
    "audio": ("audio",),
    "video": ("video",),
}
_MEDIA: Final = ("image", "audio", "video")


class FilesConfig(NodeConfig):
    input_name: str = Field(
        "files", validation_alias=AliasChoices("inputName", "inputVariable"), description="The input that has them."
    )
    required: bool = Field(True, description="Fail when the run was started without them.")
    chunk_size: int = Field(1000, ge=1, le=10_000, description="Characters.")
    chunk_overlap: int = Field(200, ge=0, le=500, description="Characters of a chunk that were in the one before.")
    allowed_file_types: tuple[str, ...] = Field(
        KINDS,
        validation_alias=AliasChoices("allowedFileTypes", "allowedTypes", "acceptedTypes"),
        description="pdf, docx, txt, md, html, json, csv, xlsx; image, audio and video are handed on without text.",
    )

    @field_validator("allowed_file_types")
    @classmethod
    def _known(cls, written: tuple[str, ...]) -> tuple[str, ...]:
        kinds = [kind for name in written for kind in _kinds_meant(name)]
        return tuple(dict.fromkeys(kinds)) or KINDS


class FilesChunk(NodeData):
    content: str
    index: int = Field(description="Within its file; 0 is the first.")
    metadata: dict[str, Any] = Field(description="fileName, start_char, end_char, sentence_count, heading, level.")


class ReadFile(NodeData):
    name: str
    path: str | None = Field(description="Null for one that is not in the workspace.")
    size: int = Field(description="Bytes.")
    content_type: str | None
    file_type: str
    content: str
    chunks: list[FilesChunk]
    chunk_count: int
    metadata: dict[str, Any] = Field(description="What the document says of itself.")


class FilesData(NodeData):
    files: list[ReadFile]
    all_chunks: list[FilesChunk]
    combined_text: str
    file_count: int
    total_chunk_count: int


@node_type(
    "files", category="inputs", title="Files", effect=Effect.EFFECT, lane=Lane.CPU, source=True, takes_inputs=True
)
class Files(NodeHandler[FilesConfig]):
    """Read the files that the run was started with: their text, whole and in pieces that a model can take.

    The input is a path in the workspace, a URL, an object, or a list of these; an object is `{"path"}` as the API and
    other nodes give it, `{"url"}`, `{"name", "text"}` or `{"name", "base64"}`. Output: `{"files", "allChunks",
    "combinedText", "fileCount", "totalChunkCount"}`; each file is `{"name", "path", "size", "contentType", "fileType",
    "content", "chunks", "chunkCount", "metadata"}`, each chunk `{"content", "index", "metadata"}` of whole sentences,
    Markdown by its headings.

    Read are PDF, DOCX, XLSX, text, Markdown, HTML, JSON and CSV; Word's old `.doc` is refused (`unsupported_type`), as
    is what `allowedFileTypes` does not name. Up to 100 files, 50 MB each and 200 MB together, each read within two
    minutes and a gigabyte of memory (`too_complex`); one that is damaged fails the node (`unreadable_document`).
    Without the input the node fails (`missing_input`) unless `required` is false.
    """

    Config = FilesConfig
    Output = FilesData

    def run(self, node: NodeInput[FilesConfig], lent: Lent) -> NodeOutput:
        config = node.config
        values = _listed(node.inputs.get(config.input_name))
        if not values and config.required:
            raise InputError(
                f"The run was started without the input {config.input_name!r}, which has files.", code="missing_input"
            )
        if len(values) > MOST_FILES:
            raise InputError(f"{config.input_name} has {len(values)} files; up to {MOST_FILES} are read at a time.")
        files = [*_read(values, config, lent)]
        chunks = [chunk for file in files for chunk in file["chunks"]]  # type: ignore[union-attr]  # a list, as made below
        return NodeOutput(
            data={
                "files": files,  # type: ignore[dict-item]  # a list of objects is JSON
                "allChunks": chunks,
                "combinedText": SEPARATOR.join(str(file["content"]) for file in files if file["content"]),
                "fileCount": len(files),
                "totalChunkCount": len(chunks),
            }
        )


def _read(values: list[JSONValue], config: FilesConfig, lent: Lent) -> Iterator[JSONObject]:
    left = MOST_BYTES
    for number, value in enumerate(values):
        field = config.input_name if len(values) == 1 else f"{config.input_name}[{number}]"
        lent.progress(number / len(values), f"{number} of {len(values)} files")
        file = given_files.load(value, lent, field=field, max_bytes=min(left, extraction.MAX_FILE_BYTES))
        left -= len(file.content)
        yield _told(file, field, config, lent)


def _told(file: GivenFile, field: str, config: FilesConfig, lent: Lent) -> JSONObject:
    kind, media = extraction.kind_of(file), (file.content_type or "").partition("/")[0]
    told: str | None = kind or (media if media in _MEDIA else None)
    if told not in config.allowed_file_types:
        what = f"is of the type {told or file.content_type or 'unknown'}"
        raise InputError(
            f"{field} ({extraction.named(file)}) {what}; allowed are {', '.join(config.allowed_file_types)}.",
            code="unsupported_type",
        )
    text, metadata = "", {}
    if kind is not None:
        found: Any = extraction.extract(file, kind, lent, format="markdown")
        text, metadata = found["text"], found["metadata"]
        if not text:
            lent.log("warning", f"{extraction.named(file)} has no text. A scanned document is for ocrExtraction.")
    chunks = [chunk.to_json() for chunk in _chunks(text, kind, file, config)]
    return {
        "name": file.name,
        "path": file.path,
        "size": len(file.content),
        "contentType": file.content_type,
        "fileType": told,
        "content": text,
        "chunks": chunks,  # type: ignore[dict-item]  # a list of objects is JSON
        "chunkCount": len(chunks),
        "metadata": metadata,
    }


def _chunks(text: str, kind: FileKind | None, file: GivenFile, config: FilesConfig) -> list[Chunk]:
    size, overlap = config.chunk_size, config.chunk_overlap
    metadata: JSONObject = {"fileName": file.name}
    if kind in {"md", "html", "docx", "xlsx"}:
        return chunk_structured(text, "markdown", size=size, overlap=overlap, metadata=metadata)
    return chunk_text(text, size=size, overlap=overlap, metadata=metadata)


def _listed(value: JSONValue) -> list[JSONValue]:
    match value:
        case None | "":
            return []
        case {"files": list() as files}:
            return files
        case list():
            return value
    return [value]


def _kinds_meant(name: str) -> tuple[str, ...]:
    """The kinds that *name* is for: a kind, an ending, a media type or a family of them."""
    plain = name.strip().lower().removeprefix(".")
    family = plain.removesuffix("/*")
    if family in _FAMILIES:
        return _FAMILIES[family]
    if (main := plain.partition("/")[0]) in _MEDIA:
        return (main,)
    kind = extraction.kind_of(GivenFile(name="", content=b"\0", content_type=plain)) if "/" in plain else None
    named = kind or extraction.kind_of(GivenFile(name=f"a.{plain}", content=b"\0", content_type=None))
    if named is None:
        raise ValueError(f"{name!r} is no type of file that is read; write some of {', '.join(KINDS)}.")
    return (named,)
