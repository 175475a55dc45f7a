"""Pages of the web, as text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import partial
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

from pydantic import AliasChoices, Field, field_validator

from handlers import network, pages, web
from handlers.base import (
    Effect,
    FieldKind,
    JSONObject,
    JSONValue,
    Lane,
    NodeConfig,
    NodeData,
    NodeHandler,
    NodeInput,
    NodeOutput,
)
from handlers.chunking import Algorithm, chunk_text
from handlers.errors import HandlerError, InputError, ProviderError
from handlers.pages import PageFormat
from handlers.ports import Lent
from handlers.registry import node_type
from handlers.retries import FOR_HTTP
from handlers.web import Fetched

MOST_URLS: Final = 50
MOST_SUBPAGES: Final = 20  # of all pages together
AT_ONCE: Final = 5
SEPARATOR: Final = "\n\n---\n\n"
# What existing templates say for how much of a page is wanted.
_FORMS: Final = {"full": "markdown", "article": "markdown"}


class UrlConfig(NodeConfig):
    urls: Any = Field(
        None, validation_alias=AliasChoices("urls", "url"), description="Addresses: a list, or text with one in a line."
    )
    url_variable: Annotated[Any, FieldKind.EXPRESSION] = Field(
        None, description="Instead of them: what has them, such as trigger.url."
    )
    input_name: str = Field("urls", description="Where neither is said: the input that has them.")
    required: bool = Field(True, description="Fail when there is no address.")
    scraping_mode: PageFormat = Field("markdown", description="html: as it came; text: without any form.")
    scrape_subpages: bool = Field(False, description="Also read what the pages link to on their own host.")
    timeout: float = Field(30, ge=1, le=60, description="Seconds for each page.")
    follow_redirects: bool = True
    include_metadata: bool = Field(True, description="Title and description of each page.")
    chunking_algorithm: Algorithm = "sentence"
    chunk_size: int = Field(2500, ge=1, le=10_000, description="Characters.")
    chunk_overlap: int = Field(1000, ge=0, le=5000, description="Characters of a chunk that were in the one before.")

    @field_validator("scraping_mode", mode="before")
    @classmethod
    def _in_our_words(cls, mode: Any) -> Any:
        return _FORMS.get(mode, mode) if isinstance(mode, str) else mode


class PageData(NodeData):
    url: str
    final_url: str | None = Field(None, description="Where redirects led.")
    content: str
    chunks: list[dict[str, Any]]
    title: str | None = None
    description: str | None = None
    status_code: int | None = None
    content_type: str | None = None
    fetched_at: str | None = None
    error: str | None = Field(None, description="Why there is no content.")
    error_code: str | None = None


class UrlData(NodeData):
    urls: list[PageData]
    combined_content: str
    all_chunks: list[dict[str, Any]]
    url_count: int
    success_count: int
    error_count: int
    total_chunk_count: int


@node_type(
    "url",
    category="inputs",
    title="Web pages",
    effect=Effect.EFFECT,
    lane=Lane.IO,
    source=True,
    takes_inputs=True,
    retry=FOR_HTTP,
)
class Url(NodeHandler[UrlConfig]):
    """Read web pages: what they say as Markdown, text or HTML, whole and in pieces that a model can take.

    The addresses are `urls`, what `urlVariable` names, or the run's input `inputName`. Output: `{"urls",
    "combinedContent", "allChunks", "urlCount", "successCount", "errorCount", "totalChunkCount"}`; each of `urls` is
    `{"url", "finalUrl", "content", "title", "description", "statusCode", "contentType", "fetchedAt", "chunks"}`, each
    chunk `{"content", "index", "metadata"}`. PDF, DOCX and other documents at an address are read as well.

    A page that cannot be had is no failure of the node: it has `error` and `errorCode` instead of content, among them
    `egress_refused` for an address that is not on the public internet and `unsupported_type` for one without text.
    When no page at all could be had and that may pass, the node is tried again first.

    Up to 50 pages, five at a time, each as long as the site allows; with `scrapeSubpages` up to 20 more of the same
    hosts. What a page's scripts would add is not there; a screenshot has it.
    """

    Config = UrlConfig
    Output = UrlData

    def run(self, node: NodeInput[UrlConfig], lent: Lent) -> NodeOutput:
        config = node.config
        urls = _addresses(node)
        if not urls and config.required:
            raise InputError(
                f"There is no address: urls is empty, and so is the input {config.input_name!r}.", code="missing_input"
            )
        if len(urls) > MOST_URLS:
            raise InputError(f"These are {len(urls)} addresses; up to {MOST_URLS} are read at a time.")
        rows, links = _read(urls, config, lent)
        if config.scrape_subpages:
            more = [link for link in dict.fromkeys(links) if link not in set(urls)][:MOST_SUBPAGES]
            rows += _read(more, config, lent)[0]
        output = NodeOutput(data=_told(rows))
        failures = [row for row in rows if isinstance(row.failure, HandlerError)]
        passing = [row.failure for row in failures if row.failure is not None and row.failure.retryable]
        if rows and len(failures) == len(rows) and passing:
            raise ProviderError(str(passing[0]), retryable=True, retry_after=passing[0].retry_after, output=output)
        return output


class _Row:
    """What came of one address."""

    def __init__(self, url: str) -> None:
        self.data: JSONObject = {"url": url, "content": "", "chunks": []}
        self.failure: HandlerError | None = None


def _addresses(node: NodeInput[UrlConfig]) -> list[str]:
    config = node.config
    value = next(
        (value for value in (config.urls, config.url_variable, node.inputs.get(config.input_name)) if value), None
    )
    return list(dict.fromkeys(_listed(value)))


def _listed(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        return [part for part in re.split(r"[\s,]+(?=https?://)|\s*\n\s*", value.strip()) if part]
    items = [] if value is None else value if isinstance(value, list) else [value]
    urls = [item.get("url") if isinstance(item, dict) else item for item in items]
    if not all(isinstance(url, str) for url in urls):
        raise InputError("urls: An address is text, a list of such, or objects with a url.")
    return [str(url) for url in urls]


def _read(urls: list[str], config: UrlConfig, lent: Lent) -> tuple[list[_Row], list[str]]:
    """The rows of these *urls*, and where their pages lead on their own host."""
    redirects = network.MAX_REDIRECTS if config.follow_redirects else 0
    jobs: list[Callable[[], Fetched]] = [
        partial(web.fetch, url, max_bytes=network.max_answer_bytes(), redirects=redirects) for url in urls
    ]
    outcomes = network.side_by_side(lent, jobs, seconds=config.timeout, at_once=AT_ONCE)
    rows: list[_Row] = []
    links: list[str] = []
    for number, (url, outcome) in enumerate(zip(urls, outcomes, strict=True), start=1):
        row = _Row(url)
        rows.append(row)
        try:
            if isinstance(outcome, HandlerError):
                raise outcome
            page = pages.read(outcome, config.scraping_mode, lent)
        except HandlerError as error:
            lent.check_cancelled()
            row.failure = error
            row.data |= {"error": str(error), "errorCode": error.code, "statusCode": getattr(error, "status", None)}
            lent.log("warning", f"{url}: {error}")
        else:
            row.data |= _page(outcome, page, config)
            links += [link for link in page.links if urlsplit(link).netloc == outcome.response.url.netloc.decode()]
        lent.progress(number / len(urls), f"{number} of {len(urls)} pages")
    return rows, links


def _page(fetched: Fetched, page: pages.Page, config: UrlConfig) -> JSONObject:
    final = str(fetched.response.url)
    chunks = chunk_text(
        page.content,
        size=config.chunk_size,
        overlap=config.chunk_overlap,
        algorithm=config.chunking_algorithm,
        metadata={"url": final},
    )
    told: JSONObject = {
        "finalUrl": final,
        "content": page.content,
        "statusCode": fetched.response.status_code,
        "contentType": fetched.content_type,
        "fetchedAt": fetched.at.isoformat(),
        "chunks": [chunk.to_json() for chunk in chunks],
    }
    return told | ({"title": page.title, "description": page.description} if config.include_metadata else {})


def _told(rows: list[_Row]) -> JSONObject:
    chunks: list[JSONValue] = []
    for row in rows:
        found = row.data["chunks"]
        chunks += found if isinstance(found, list) else []
    succeeded = [row for row in rows if row.failure is None]
    return {
        "urls": [row.data for row in rows],
        "combinedContent": SEPARATOR.join(str(row.data["content"]) for row in succeeded if row.data["content"]),
        "allChunks": chunks,
        "urlCount": len(rows),
        "successCount": len(succeeded),
        "errorCount": len(rows) - len(succeeded),
        "totalChunkCount": len(chunks),
    }
