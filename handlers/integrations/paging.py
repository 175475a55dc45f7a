"""Lists that come in pages: how the next one is asked for.

A cursor is text that only the page after it is asked for with: the service's own, the number of a page, an offset.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import httpx2

from handlers.base import JSONObject, JSONValue
from handlers.errors import InputError
from handlers.integrations.answers import Answer, pick

_MAX_DIGITS = 15  # of a page's number or an offset


@dataclass(frozen=True, slots=True, kw_only=True)
class Paging(ABC):
    items: str = ""  # where in the answer the list is; "": the answer is the list
    size: str | None = None  # the parameter that says how many items a page has
    most: int = 100  # items a page may have
    in_body: bool = False  # its parameters go into the body
    # Pages of one list all have one size, as the next one's number is counted by it.
    is_numbered: ClassVar[bool] = False

    def ask(self, cursor: str | None, size: int) -> JSONObject:
        """The parameters of the page at *cursor*, the first if None, of *size* items."""
        sized: JSONObject = {} if self.size is None else {self.size: size}
        return sized | ({} if cursor is None else self.at(cursor))

    def found(self, answer: Answer) -> list[Any]:
        """The items of a page; of a service that leaves an empty list out, none."""
        items = pick(answer.data, self.items)
        return items if isinstance(items, list) else []

    @abstractmethod
    def at(self, cursor: str) -> JSONObject:
        """The parameters that say where a page begins."""

    @abstractmethod
    def following(self, answer: Answer, *, cursor: str | None, taken: int, size: int) -> str | None:
        """The cursor after the first *taken* items of the page at *cursor*, which was asked for *size*.

        None when there is no more, or when the page was cut where no cursor can point.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class CursorPaging(Paging):
    """The service hands out a cursor with each page."""

    cursor: str  # where in the answer
    sent_as: str

    def at(self, cursor: str) -> JSONObject:
        return {self.sent_as: cursor}

    def following(self, answer: Answer, *, cursor: str | None, taken: int, size: int) -> str | None:
        del cursor, size
        following = pick(answer.data, self.cursor)
        is_cut = taken < len(self.found(answer))
        return None if is_cut or following in (None, "", False) else str(following)


@dataclass(frozen=True, slots=True, kw_only=True)
class LastItemPaging(Paging):
    """The next page begins after an item that is named."""

    sent_as: str
    named_by: str = "id"  # path in an item
    more: str | None = None  # where the answer says that there is more; None: a page that is full may have a next

    def at(self, cursor: str) -> JSONObject:
        return {self.sent_as: cursor}

    def following(self, answer: Answer, *, cursor: str | None, taken: int, size: int) -> str | None:
        del cursor
        found = self.found(answer)
        items = found[:taken]
        is_full = len(found) >= size if self.more is None else pick(answer.data, self.more) is True
        has_more = is_full or taken < len(found)
        last: JSONValue = pick(items[-1], self.named_by) if items else None
        return str(last) if has_more and last is not None else None


@dataclass(frozen=True, slots=True, kw_only=True)
class PagePaging(Paging):
    """Pages have numbers; the first is 1. A page that is not full is the last."""

    is_numbered = True
    sent_as: str = "page"

    def at(self, cursor: str) -> JSONObject:
        return {self.sent_as: _number(cursor)}

    def following(self, answer: Answer, *, cursor: str | None, taken: int, size: int) -> str | None:
        is_full = len(self.found(answer)) >= size
        is_cut = taken < len(self.found(answer))
        return str(_number(cursor or "1") + 1) if is_full and not is_cut else None


@dataclass(frozen=True, slots=True, kw_only=True)
class OffsetPaging(Paging):
    """Items are counted; a page that is not full is the last."""

    sent_as: str = "offset"

    def at(self, cursor: str) -> JSONObject:
        return {self.sent_as: _number(cursor)}

    def following(self, answer: Answer, *, cursor: str | None, taken: int, size: int) -> str | None:
        found = len(self.found(answer))
        has_more = found >= size or taken < found
        return str(_number(cursor or "0") + taken) if taken and has_more else None


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkPaging(Paging):
    """The header Link says which page is next (RFC 8288), by those parameters of the address there that it *carries*.

    The address itself is not followed: it comes from the answer, and the credential would go with it.
    """

    is_numbered = True
    carries: tuple[str, ...] = ("page",)

    def at(self, cursor: str) -> JSONObject:
        return {name: value for name, value in httpx2.QueryParams(cursor).items() if name in self.carries}

    def following(self, answer: Answer, *, cursor: str | None, taken: int, size: int) -> str | None:
        del cursor, size
        linked = _links(answer).get("next", {})
        carried = {name: linked[name] for name in self.carries if name in linked}
        is_cut = taken < len(self.found(answer))
        return str(httpx2.QueryParams(carried)) if carried and not is_cut else None


def _links(answer: Answer) -> dict[str, dict[str, str]]:
    """The parameters of the addresses that the header Link names, by their relation."""
    links = httpx2.Response(answer.status, headers=answer.headers).links
    return {str(relation): dict(httpx2.URL(link["url"]).params) for relation, link in links.items() if "url" in link}


def _number(cursor: str) -> int:
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) <= _MAX_DIGITS):
        raise InputError(f"cursor: {cursor[:50]!r} is none that this list has handed out.")
    return int(cursor)
