"""A PDF of Markdown or HTML."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AliasChoices, BeforeValidator, Field

from handlers import made_files, processes
from handlers.base import Effect, Lane, NodeConfig, NodeHandler, NodeInput, NodeOutput
from handlers.errors import InputError
from handlers.extraction import BOUNDS
from handlers.made_files import FileData
from handlers.ports import Lent
from handlers.registry import node_type
from handlers.values import Text, encodable, text_of

_MAKER = "handlers.documents.layout:make"
_LEAST_WIDTH_MM = 40  # of what is left for text


def _sides(value: Any) -> Any:
    """Margins as four numbers (top, right, bottom, left), of one number, or an object by their names."""
    if isinstance(value, dict):
        return tuple(value.get(side, 20) for side in ("top", "right", "bottom", "left"))
    return (value,) * 4 if isinstance(value, int | float) and not isinstance(value, bool) else value


Margin = Annotated[float, Field(ge=0, le=80)]


class PdfGenerationConfig(NodeConfig):
    content: Any = Field(description="Markdown or HTML; what another node gives as an object is taken by its `text`.")
    format: Literal["markdown", "html"] = "markdown"
    filename: str = Field("document", min_length=1, description="With a / in it, a path in the workspace.")
    page_size: Literal["a4", "letter", "legal"] = "a4"
    orientation: Literal["portrait", "landscape"] = "portrait"
    margins: Annotated[tuple[Margin, Margin, Margin, Margin], BeforeValidator(_sides, json_schema_input_type=Any)] = (
        Field((20, 20, 20, 20), description="Millimetres: a number, or an object of top, right, bottom, left.")
    )
    header_text: Text | None = Field(None, description="Above every page, on one line.")
    footer_text: Text | None = Field(None, description="Below every page, on one line.")
    include_page_numbers: bool = Field(True, validation_alias=AliasChoices("includePageNumbers", "pageNumbers"))
    title: Text | None = Field(None, description="Of the document, as readers show it.")
    author: Text | None = None


class PdfGenerationData(FileData):
    page_count: int
    format: Literal["markdown", "html"] = Field(description="Of the content.")


@node_type("pdfGeneration", category="outputs", title="Make a PDF", effect=Effect.EFFECT, lane=Lane.CPU)
class PdfGeneration(NodeHandler[PdfGenerationConfig]):
    """Lay out Markdown or HTML as a PDF, and store it in the workspace.

    Output: `{"path", "name", "size", "contentType", "pageCount", "format"}`. The file is in a folder of this visit of
    the node, `runs/<run>/…/<filename>.pdf`, where another attempt replaces it; a `filename` with a `/` is a path in the
    workspace, where it replaces what is there.

    Laid out are headings, paragraphs, emphasis, lists, quotes, code, tables and links; a table of more than twelve
    columns, or with very long cells, becomes a paragraph a row. Everything else of HTML is left out, styles, scripts
    and pictures as well: nothing is fetched, from nowhere. Letters are those of Latin, Greek, Cyrillic and some more
    (DejaVu Sans); one that is missing cannot be seen, and is told in the log. Up to 2 million characters, within two
    minutes and a gigabyte of memory (`too_complex`); what no page is wide enough for, lists in lists without end, fails
    the node (`layout_failed`).
    """

    Config = PdfGenerationConfig
    Output = PdfGenerationData

    def run(self, node: NodeInput[PdfGenerationConfig], lent: Lent) -> NodeOutput:
        config = node.config
        text = _text(config.content)
        if not text.strip():
            raise InputError("content is empty: there is nothing to lay out.")
        answer: Any
        answer, made = processes.compute(
            _MAKER,
            {
                "format": config.format,
                "pageSize": config.page_size,
                "orientation": config.orientation,
                "margins": [*config.margins],
                "header": config.header_text,
                "footer": config.footer_text,
                "pageNumbers": config.include_page_numbers,
                "title": config.title,
                "author": config.author,
            },
            text.encode(),
            bounds=BOUNDS,
            lent=lent,
        )
        if answer["missing"]:
            lent.log("warning", f"The font has none of these characters, which cannot be seen: {answer['missing']}")
        stored = made_files.keep_as("pdf", node, lent, made, filename=config.filename)
        return NodeOutput(data={**stored.to_json(), "pageCount": answer["pageCount"], "format": config.format})


def _text(content: Any) -> str:
    """What is to be laid out: text, or the text of what another node gives."""
    if isinstance(content, dict) and isinstance(content.get("text"), str):
        content = content["text"]
    return encodable(text_of("" if content is None else content))
