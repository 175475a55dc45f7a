"""A question to a search engine."""

from __future__ import annotations

import os
from typing import Any, Final, Literal

from pydantic import Field

from handlers import network, search
from handlers.base import Effect, JSONValue, Lane, NodeConfig, NodeData, NodeHandler, NodeInput, NodeOutput
from handlers.errors import ConfigError
from handlers.ports import Lent
from handlers.registry import node_type
from handlers.retries import FOR_HTTP
from handlers.search import SearchKind
from handlers.values import Text

SECONDS: Final = 30
MAX_QUERY_LENGTH: Final = 400  # characters; what both engines take
BRAVE_VARIABLE = "BRAVE_API_KEY"
TAVILY_VARIABLE = "TAVILY_API_KEY"


class WebSearchConfig(NodeConfig):
    query: Text = Field(min_length=1, description="What to look for.")
    max_results: int = Field(5, ge=1, le=20, description="How many results there are at most.")
    search_type: SearchKind = Field("general", description="general, news or images.")
    provider: Literal["brave", "tavily"] | None = Field(
        None, description="Who is asked; if it is not said, the one that the site has a key for."
    )
    connection_id: str | None = Field(None, description="Id of a credential of kind api_key for that provider.")


class SearchResult(NodeData):
    title: str | None = None
    url: str | None = None
    snippet: str | None = None
    published_at: str | None = None
    age: str | None = None
    score: float | None = None
    image_url: str | None = None
    thumbnail_url: str | None = None


class WebSearchData(NodeData):
    query: str
    provider: str
    search_type: SearchKind
    results: list[SearchResult]
    count: int


@node_type("webSearch", category="inputs", title="Web search", effect=Effect.EFFECT, lane=Lane.IO, retry=FOR_HTTP)
class WebSearch(NodeHandler[WebSearchConfig]):
    """Search the web, the news or pictures, by Brave Search or Tavily.

    Output: `{"query", "provider", "searchType", "results", "count"}`; each result is `{"title", "url", "snippet"}`,
    with `publishedAt`, `age` and `score` where the engine says so, and of pictures `imageUrl` and `thumbnailUrl`.
    Nothing found is an empty list and no failure.

    The key is a credential (`connectionId`, of kind api_key, whose base URL goes before the engine's own), or stands in
    the environment of the workers: `BRAVE_API_KEY` or `TAVILY_API_KEY`. Without one the node fails with
    `missing_credentials`, with one that is refused with `credentials_refused`. A query of more than 400 characters is
    cut there.
    """

    Config = WebSearchConfig
    Output = WebSearchData

    def run(self, node: NodeInput[WebSearchConfig], lent: Lent) -> NodeOutput:
        config = node.config
        name, key, url = _access(config, lent)
        query = " ".join(config.query.split())
        if len(query) > MAX_QUERY_LENGTH:
            lent.log("warning", f"The query was cut at {MAX_QUERY_LENGTH} characters.")
        with network.call(lent, seconds=SECONDS):
            results = search.ask(
                search.ENGINES[name],
                config.search_type,
                query[:MAX_QUERY_LENGTH],
                most=config.max_results,
                key=key,
                url=url,
            )
        rows: list[JSONValue] = [*results]
        return NodeOutput(
            data={
                "query": query[:MAX_QUERY_LENGTH],
                "provider": name,
                "searchType": config.search_type,
                "results": rows,
                "count": len(rows),
            }
        )


def _access(config: WebSearchConfig, lent: Lent) -> tuple[str, str, str | None]:
    """Who is asked, with which key, and at which address if that is not the engine's own."""
    if config.connection_id:
        credential = lent.credential(config.connection_id)
        if credential.kind != "api_key" or not credential.values.get("api_key"):
            raise ConfigError(f"The credential {credential.name!r} is of kind {credential.kind}; choose an api_key.")
        if config.provider is None:
            raise ConfigError("provider: Say whose key it is that connectionId names.")
        return config.provider, credential.values["api_key"].strip(), credential.values.get("base_url")
    keys: dict[Any, str] = {
        "brave": os.environ.get(BRAVE_VARIABLE, "").strip(),
        "tavily": os.environ.get(TAVILY_VARIABLE, "").strip(),
    }
    name = config.provider or next((name for name, key in keys.items() if key), None)
    if name is None or not keys[name]:
        raise ConfigError(
            f"There is no key for a search engine: choose a connection (connectionId), or set {BRAVE_VARIABLE} or"
            f" {TAVILY_VARIABLE} in the environment of the workers.",
            code="missing_credentials",
        )
    lent.hide(keys[name])
    return name, keys[name], None
