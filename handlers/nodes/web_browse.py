"""One page of the web, as text."""

from __future__ import annotations

from typing import Any, Final, Literal

from pydantic import AliasChoices, Field, field_validator

from handlers import network, pages, web
from handlers.base import Effect, Lane, NodeConfig, NodeData, NodeHandler, NodeInput, NodeOutput
from handlers.ports import Lent
from handlers.registry import node_type
from handlers.retries import FOR_HTTP

MAX_SECONDS: Final = 60


class WebBrowseConfig(NodeConfig):
    url: web.WebUrl = Field(min_length=1, description="With http:// or https://.")
    extract_text: bool = Field(
        True,
        validation_alias=AliasChoices("extractText", "extractType"),
        description="What the page says; otherwise its HTML.",
    )
    form: Literal["text", "markdown"] = Field("text", validation_alias="format")
    max_length: int = Field(10_000, ge=100, le=50_000, description="Characters; what is longer is cut.")
    timeout: float = Field(30, ge=1, le=MAX_SECONDS, description="Seconds for the whole page.")

    @field_validator("extract_text", mode="before")
    @classmethod
    def _in_our_words(cls, value: Any) -> Any:
        """Existing templates say `extractType: text`."""
        return value.lower() not in {"html", "raw", "false"} if isinstance(value, str) else value


class WebBrowseData(NodeData):
    url: str = Field(description="Where redirects led.")
    title: str | None
    description: str | None
    content: str
    content_type: str
    status_code: int
    length: int = Field(description="Characters that there are in all.")
    truncated: bool
    links: list[str]


@node_type("webBrowse", category="inputs", title="Web page", effect=Effect.EFFECT, lane=Lane.IO, retry=FOR_HTTP)
class WebBrowse(NodeHandler[WebBrowseConfig]):
    """Read one web page.

    Output: `{"url", "title", "description", "content", "contentType", "statusCode", "length", "truncated", "links"}`:
    `url` is where redirects led, `content` up to `maxLength` characters of what the page says, `length` how many there
    are in all, `links` the addresses that it leads to. With `extractText` off the content is HTML, with `format` it is
    `text` or `markdown`. PDF, DOCX and other documents are read as well; an image or a film has no text
    (`unsupported_type`).

    A status that is no success fails the node, after further attempts where it may pass. An address that is not on the
    public internet is refused (`egress_refused`). What a page's scripts would add is not there.
    """

    Config = WebBrowseConfig
    Output = WebBrowseData

    def run(self, node: NodeInput[WebBrowseConfig], lent: Lent) -> NodeOutput:
        config = node.config
        with network.call(lent, seconds=config.timeout):
            fetched = web.fetch(config.url, max_bytes=network.max_answer_bytes())
        page = pages.read(fetched, config.form if config.extract_text else "html", lent)
        return NodeOutput(
            data={
                "url": str(fetched.response.url),
                "title": page.title,
                "description": page.description,
                "content": page.content[: config.max_length],
                "contentType": fetched.content_type,
                "statusCode": fetched.response.status_code,
                "length": len(page.content),
                "truncated": len(page.content) > config.max_length,
                "links": [*page.links],
            }
        )
