"""How a list goes on, as far as a document lets it be seen."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

from handlers.integrations.openapi.document import Document, Node
from handlers.integrations.paging import CursorPaging, LinkPaging, OffsetPaging, PagePaging, Paging

_SIZES: Final = ("per_page", "perPage", "page_size", "pageSize", "limit", "maxResults", "max_results", "count", "size")
_PAGES: Final = ("page", "page_number", "pageNumber")
_OFFSETS: Final = ("offset", "skip", "start")
_CURSORS: Final = (
    "cursor",
    "page_token",
    "pageToken",
    "start_cursor",
    "next_token",
    "nextToken",
    "after",
    "starting_after",
)
# Where an answer has the next one, by itself or below `meta`, `paging` and their like.
_FOLLOWING: Final = (
    "next_cursor",
    "nextCursor",
    "next_page_token",
    "nextPageToken",
    "next_token",
    "nextToken",
    "cursor",
)
_BELOW: Final = ("meta", "metadata", "pagination", "paging", "page_info", "pageInfo", "response_metadata")
_USUAL_MOST: Final = 100


def paging_of(document: Document, query: Mapping[str, Any], answer: Node) -> tuple[Paging | None, Collection[str]]:
    """How the list goes on whose *query* has these parameters (name → schema), and which of them that takes.

    *answer* is the response of success. None where it is no list, or nothing says how it goes on.
    """
    schema = document.at(_json(document, answer), "schema")
    items = _items(document, schema)
    if items is None:
        return None, ()
    size = next((name for name in _SIZES if name in query), None)
    most = _most(document, query[size]) if size else _USUAL_MOST
    common: dict[str, Any] = {"items": items, "size": size, "most": most}
    sizes = [size] if size else []
    for name in (name for name in _CURSORS if name in query):
        for place in _following(document, schema):
            return CursorPaging(cursor=place, sent_as=name, **common), [name, *sizes]
    linked = any(str(header).lower() == "link" for header in document.at(answer, "headers"))
    for name in (name for name in _PAGES if name in query):
        if linked:
            return LinkPaging(carries=(name,), **common), [name, *sizes]
        if size:
            return PagePaging(sent_as=name, **common), [name, size]
    for name in (name for name in _OFFSETS if name in query):
        if size:
            return OffsetPaging(sent_as=name, **common), [name, size]
    return None, ()


def _json(document: Document, answer: Node) -> Node:
    content = document.at(answer, "content")
    return next((document.resolved(each) for kind, each in content.items() if "json" in str(kind)), {})


def _items(document: Document, schema: Node) -> str | None:
    """Where in the answer the list is: it is the answer, or the only list in it."""
    if document.type_of(schema) == "array":
        return ""
    lists = [name for name, each in document.properties(schema).items() if document.type_of(each) == "array"]
    return lists[0] if len(lists) == 1 and "." not in lists[0] else None


def _following(document: Document, schema: Node) -> Iterator[str]:
    own = document.properties(schema)
    yield from (name for name in _FOLLOWING if name in own)
    for place in (name for name in _BELOW if name in own):
        below = document.properties(own[place])
        yield from (f"{place}.{name}" for name in _FOLLOWING if name in below)


def _most(document: Document, schema: Any) -> int:
    most = document.resolved(schema).get("maximum")
    return most if isinstance(most, int) and not isinstance(most, bool) and most > 0 else _USUAL_MOST
