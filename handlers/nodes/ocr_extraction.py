"""Text in pictures."""

from __future__ import annotations

import re
from collections.abc import Iterator
from statistics import fmean
from typing import Annotated, Any, Final, Literal

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field

from handlers import extraction, given_files, ocr
from handlers.base import Effect, JSONObject, Lane, NodeConfig, NodeHandler, NodeInput, NodeOutput
from handlers.given_files import GivenFile
from handlers.ocr import LANGUAGE
from handlers.ports import Lent
from handlers.processes import compute
from handlers.registry import node_type

MAX_FILE_BYTES: Final = 25 * 1024 * 1024
_PREPARE: Final = "handlers.documents.images:prepare"
_MOST_LANGUAGES: Final = 6  # each takes its time and memory
_ORIENTATION: Final = re.compile(r"^(Orientation in degrees|Rotate|Orientation confidence|Script): (.+)$", re.MULTILINE)


def _languages(value: Any) -> Any:
    """A list, or text as tesseract takes it: `eng+deu`."""
    return tuple(filter(None, re.split(r"[+,\s]+", value))) or ("eng",) if isinstance(value, str) else value or ("eng",)


class Preprocessing(BaseModel):
    """What is done to the picture before it is read."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    grayscale: bool = True
    denoise: bool = Field(default=False, description="Against speckles.")
    deskew: bool = Field(default=False, description="Turn it by up to 7 degrees, until its lines are level.")
    threshold: bool = Field(default=False, description="Black and white, for paper that is stained or shadowed.")


class OcrExtractionConfig(NodeConfig):
    image_source: Any = Field(
        None,
        validation_alias=AliasChoices("imageSource", "image", "source", "path"),
        description="A path in the workspace, a URL, or what another node gives for a file.",
    )
    languages: Annotated[
        tuple[Annotated[str, Field(pattern=LANGUAGE)], ...], BeforeValidator(_languages, json_schema_input_type=Any)
    ] = Field(
        ("eng",),
        validation_alias=AliasChoices("languages", "language"),
        description="As tesseract calls them: eng, deu, chi_sim; auto: all that are installed, up to six.",
        min_length=1,
        max_length=_MOST_LANGUAGES,
    )
    psm: int = Field(3, ge=0, le=13, description="tesseract's page segmentation mode; 0 tells which way is up.")
    output_format: Literal["text", "hocr", "tsv", "json"] = "text"
    confidence_threshold: float = Field(0, ge=0, le=100, description="Words it is less sure of are left out.")
    preprocessing: Preprocessing = Field(Preprocessing(), description="What is done to the picture first.")


@node_type("ocrExtraction", category="ai", title="Text in a picture", effect=Effect.EFFECT, lane=Lane.CPU)
class OcrExtraction(NodeHandler[OcrExtractionConfig]):
    """Read the text in a picture, or in a scanned PDF, with tesseract.

    Output: `{"text", "confidence", "wordCount", "pageCount", "pages", "languages", "format", "content", "words"}`. The
    confidence is the mean of the words', 0 to 100; a page is `{"page", "text", "confidence", "width", "height",
    "angle"}`, its angle that by which `deskew` turned it. `content` is the text, or what the format `hocr` or `tsv`
    says, of all pages; with `json`, `words` is a list of `{"text", "confidence", "page", "bbox": {"x", "y", "width",
    "height"}}` in pixels, else it is empty. With `psm` 0, `orientation` says how the page lies, and there is no text.

    Pictures are PNG, JPEG, TIFF, WEBP, BMP or GIF of up to 50 million pixels and 25 MB, documents have up to 20 pages
    (`too_complex`). Errors: `ocr_missing` when tesseract is not installed where the workers run,
    `ocr_language_missing`, `file_missing`, `no_picture` for a PDF without pictures, `unreadable_document`.
    """

    Config = OcrExtractionConfig

    def run(self, node: NodeInput[OcrExtractionConfig], lent: Lent) -> NodeOutput:
        config = node.config
        file = given_files.load(config.image_source, lent, field="imageSource", max_bytes=MAX_FILE_BYTES)
        languages = list(config.languages)
        if "auto" in languages:
            languages = ocr.installed_languages(lent)[:_MOST_LANGUAGES]
        pages = list(_pages(file, config, lent))
        if config.psm == 0:
            found = [ocr.read(picture, languages=(), mode=0, output="osd", lent=lent) for _, picture in pages]
            return NodeOutput(data={"orientation": [_orientation(text) for text in found], "pageCount": len(pages)})
        return NodeOutput(data=_told(pages, languages, config, lent))


def _told(
    pages: list[tuple[JSONObject, bytes]], languages: list[str], config: OcrExtractionConfig, lent: Lent
) -> JSONObject:
    told: list[Any] = []
    words: list[Any] = []
    contents: list[str] = []
    for number, (about, picture) in enumerate(pages, start=1):
        lent.progress((number - 1) / len(pages), f"page {number} of {len(pages)}")
        tsv = ocr.read(picture, languages=languages, mode=config.psm, output="tsv", lent=lent)
        found = ocr.words_of(tsv, threshold=config.confidence_threshold)
        text = ocr.text_of_words(found)
        confidence = round(fmean(word.confidence for word in found), 1) if found else None
        told.append({"page": number, "text": text, "confidence": confidence, **about})
        words += [{**word.to_json(), "page": number} for word in found]
        match config.output_format:
            case "hocr":
                contents.append(ocr.read(picture, languages=languages, mode=config.psm, output="hocr", lent=lent))
            case "tsv":
                contents.append(tsv)
            case _:
                contents.append(text)
    return {
        "text": "\n\n".join(page["text"] for page in told if page["text"]),
        "confidence": round(fmean(word["confidence"] for word in words), 1) if words else None,
        "wordCount": len(words),
        "pageCount": len(told),
        "pages": told,
        "languages": languages,  # type: ignore[dict-item]  # a list of text is JSON
        "format": config.output_format,
        "content": "\n\n".join(contents),
        "words": words if config.output_format == "json" else [],
    }


def _pages(file: GivenFile, config: OcrExtractionConfig, lent: Lent) -> Iterator[tuple[JSONObject, bytes]]:
    """What is known of each page, and its picture."""
    argument = {"what": extraction.named(file), **config.preprocessing.model_dump()}
    answer: Any
    answer, made = compute(_PREPARE, argument, file.content, bounds=extraction.BOUNDS, lent=lent)
    start = 0
    for page in answer["pages"]:
        end = start + page["bytes"]
        yield {key: page[key] for key in ("width", "height", "angle")}, made[start:end]
        start = end


def _orientation(osd: str) -> JSONObject:
    told = dict(_ORIENTATION.findall(osd))
    return {
        "degrees": int(told.get("Orientation in degrees", 0)),
        "rotate": int(told.get("Rotate", 0)),
        "confidence": float(told.get("Orientation confidence", 0)),
        "script": told.get("Script"),
    }
