"""Text and metadata of a PDF."""

from __future__ import annotations

import re
from typing import Any, Final, Literal

from pydantic import AliasChoices, Field, field_validator

from handlers import extraction, given_files
from handlers.base import Effect, JSONObject, Lane, NodeConfig, NodeData, NodeHandler, NodeInput, NodeOutput
from handlers.documents.limits import MOST_PAGES
from handlers.ports import Lent
from handlers.registry import node_type
from handlers.values import Text

_READER: Final = "handlers.documents.pdf:read"
_RANGE: Final = re.compile(r"(\d{1,6})(?:\s*-\s*(\d{1,6}))?")
_SHORTEST_SECRET: Final = 4  # characters


class PdfExtractConfig(NodeConfig):
    path: Any = Field(
        None,
        validation_alias=AliasChoices("path", "file", "pdf", "source"),
        description="A path in the workspace, a URL, or what another node gives for a file.",
    )
    extract_text: bool = True
    extract_metadata: bool = Field(True, description="Title, author and whatever else the document says of itself.")
    page_start: int | None = Field(None, ge=1, description="1 is the first page.")
    page_end: int | None = Field(None, ge=1, description="With this one; one beyond the last is the last.")
    specific_pages: tuple[int, ...] | None = Field(None, description='[1, 4], or "1, 4-6"; wins over start and end.')
    output_format: Literal["text", "markdown", "json"] = Field(
        "text", description="markdown: a heading for each page; json: a list of pages as well."
    )
    password: Text | None = None

    @field_validator("specific_pages", mode="before")
    @classmethod
    def _pages(cls, written: Any) -> Any:
        if not isinstance(written, str):
            return written or None
        pages: list[int] = []
        for part in filter(None, (each.strip() for each in written.split(","))):
            found = _RANGE.fullmatch(part)
            if found is None:
                raise ValueError(f'{part!r} is neither a page nor a range of pages: write "1, 4-6".')
            first, last = int(found[1]), int(found[2] or found[1])
            if last - first >= MOST_PAGES:
                raise ValueError(f"{part} is more than {MOST_PAGES:,} pages.")
            pages.extend(range(first, last + 1))
        return pages or None


class PdfPage(NodeData):
    number: int = Field(description="1 is the first.")
    text: str


class PdfExtractData(NodeData):
    text: str
    pages: list[PdfPage] = Field(description="With the format json; else empty.")
    page_count: int = Field(description="Of the whole document.")
    metadata: dict[str, str]
    format: Literal["text", "markdown", "json"]


@node_type("pdfExtract", category="inputs", title="Extract from a PDF", effect=Effect.EFFECT, lane=Lane.CPU)
class PdfExtract(NodeHandler[PdfExtractConfig]):
    """Read the text and the metadata of a PDF.

    Output: `{"text", "pages", "pageCount", "metadata", "format"}`. The text is that of the pages asked for, parted by
    empty lines; with the format `markdown` each has a heading `## Page n`; with `json`, `pages` is a list of
    `{"number", "text"}`, which is empty otherwise. A scanned document has pictures of text and no text: `ocrExtraction`
    is for those.

    Errors: `file_missing`, `file_too_large` (50 MB), `password_needed` for a missing or wrong password, `no_such_page`,
    `unreadable_document`, and `too_complex` for more than 5,000 pages, two minutes or a gigabyte of memory.
    """

    Config = PdfExtractConfig
    Output = PdfExtractData

    def run(self, node: NodeInput[PdfExtractConfig], lent: Lent) -> NodeOutput:
        config = node.config
        if config.password and len(config.password) >= _SHORTEST_SECRET:
            lent.hide(config.password)
        file = given_files.load(config.path, lent, field="path", max_bytes=extraction.MAX_FILE_BYTES)
        found: Any = extraction.ask(
            _READER,
            file,
            lent,
            password=config.password,
            first=config.page_start,
            last=config.page_end,
            only=None if config.specific_pages is None else [*config.specific_pages],
            text=config.extract_text,
        )
        told: JSONObject = {
            "text": _as_markdown(found["pages"]) if config.output_format == "markdown" else found["text"],
            "pages": found["pages"] if config.output_format == "json" else [],
            "pageCount": found["pageCount"],
            "metadata": found["metadata"] if config.extract_metadata else {},
            "format": config.output_format,
        }
        return NodeOutput(data=told)

    @classmethod
    def check(cls, config: Any) -> list[tuple[str, str]]:
        start, end = config.get("pageStart"), config.get("pageEnd")
        if isinstance(start, int) and isinstance(end, int) and start > end:
            return [("pageEnd", f"The last page ({end}) is before the first ({start}).")]
        return []


def _as_markdown(pages: list[dict[str, Any]]) -> str:
    return "\n\n".join(f"## Page {page['number']}\n\n{page['text']}".rstrip() for page in pages)
