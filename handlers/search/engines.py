"""What each search engine is asked, and where its answers lie.

Sources: Brave Search API, "Web Search", "News Search", "Image Search"; Tavily, "Tavily Search".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from handlers.base import JSONObject

SearchKind: TypeAlias = Literal["general", "news", "images"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One kind of search."""

    path: str  # behind the engine's address
    fields: Callable[[str, int], JSONObject]  # of query and number of results
    results: tuple[str, ...]  # the keys that lead to the list in the answer
    names: Mapping[str, tuple[str, ...]]  # our name of a field → the keys that lead to it in a result


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    title: str
    url: str
    method: Literal["GET", "POST"]  # by GET the fields are the query, by POST they are the JSON body
    key_header: str
    key_prefix: str
    asks: Mapping[SearchKind, Ask]


_BRAVE_PAGE: Final = {
    "title": ("title",),
    "url": ("url",),
    "snippet": ("description",),
    "publishedAt": ("page_age",),
    "age": ("age",),
}
_TAVILY_PAGE: Final = {
    "title": ("title",),
    "url": ("url",),
    "snippet": ("content",),
    "publishedAt": ("published_date",),
    "score": ("score",),
}

ENGINES: Final[Mapping[str, Engine]] = {
    "brave": Engine(
        title="Brave Search",
        url="https://api.search.brave.com/res/v1",
        method="GET",
        key_header="X-Subscription-Token",
        key_prefix="",
        asks={
            "general": Ask(
                path="/web/search",
                fields=lambda query, most: {"q": query, "count": most},
                results=("web", "results"),
                names=_BRAVE_PAGE,
            ),
            "news": Ask(
                path="/news/search",
                fields=lambda query, most: {"q": query, "count": most},
                results=("results",),
                names=_BRAVE_PAGE,
            ),
            "images": Ask(
                path="/images/search",
                fields=lambda query, most: {"q": query, "count": most},
                results=("results",),
                names={
                    "title": ("title",),
                    "url": ("url",),
                    "imageUrl": ("properties", "url"),
                    "thumbnailUrl": ("thumbnail", "src"),
                },
            ),
        },
    ),
    "tavily": Engine(
        title="Tavily",
        url="https://api.tavily.com",
        method="POST",
        key_header="Authorization",
        key_prefix="Bearer ",
        asks={
            "general": Ask(
                path="/search",
                fields=lambda query, most: {"query": query, "max_results": most, "topic": "general"},
                results=("results",),
                names=_TAVILY_PAGE,
            ),
            "news": Ask(
                path="/search",
                fields=lambda query, most: {"query": query, "max_results": most, "topic": "news"},
                results=("results",),
                names=_TAVILY_PAGE,
            ),
            "images": Ask(
                path="/search",
                fields=lambda query, most: {
                    "query": query,
                    "max_results": most,
                    "include_images": True,
                    "include_image_descriptions": True,
                },
                results=("images",),
                names={"title": ("description",), "url": ("url",), "imageUrl": ("url",)},
            ),
        },
    ),
}
