from __future__ import annotations

from typing import Any

import pytest

from handlers import InputError
from handlers.integrations import CursorPaging, LastItemPaging, LinkPaging, OffsetPaging, PagePaging, Paging
from handlers.integrations.performing import MAX_PAGES
from tests.handlers.integrations.played import asked, reply
from tests.handlers.integrations.toys import do, shop

CURSOR = CursorPaging(items="rows", cursor="next", sent_as="after", size="n", most=2)
LAST = LastItemPaging(items="rows", sent_as="after", size="n", more="more", most=2)
FULL = LastItemPaging(sent_as="after", size="n", most=2)
PAGE = PagePaging(size="n", most=2)
OFFSET = OffsetPaging(size="n", most=2)
LINK = LinkPaging(size="n", most=2)


def rows(*numbers: int) -> list[dict[str, int]]:
    return [{"id": number} for number in numbers]


def linked(page: int) -> dict[str, str]:
    return {
        "Link": f'<https://elsewhere.example/x?n=2&page={page}>; rel="next", <https://x.example/?page=9>; rel="last"'
    }


@pytest.mark.parametrize(
    ("paging", "replies", "limit", "queries", "ids", "following"),
    [
        (
            CURSOR,
            [reply({"rows": rows(1, 2), "next": "b"}), reply({"rows": rows(3), "next": None})],
            3,
            [{"n": "2"}, {"n": "1", "after": "b"}],
            [1, 2, 3],
            None,
        ),
        (CURSOR, [reply({"rows": rows(1, 2), "next": "b"})], 2, [{"n": "2"}], [1, 2], "b"),
        (
            CURSOR,
            [reply({"next": "b"}), reply({"rows": rows(1)})],
            9,
            [{"n": "2"}, {"n": "2", "after": "b"}],
            [1],
            None,
        ),
        (
            LAST,
            [reply({"rows": rows(1, 2), "more": True}), reply({"rows": rows(3, 4), "more": True})],
            4,
            [{"n": "2"}, {"n": "2", "after": "2"}],
            [1, 2, 3, 4],
            "4",
        ),
        (LAST, [reply({"rows": rows(1, 2), "more": False})], 4, [{"n": "2"}], [1, 2], None),
        (
            LAST,
            [reply({"rows": rows(1, 2, 3), "more": False})],
            2,
            [{"n": "2"}],
            [1, 2],
            "2",
        ),  # it gave more than asked
        (FULL, [reply(rows(1, 2)), reply(rows(3))], 9, [{"n": "2"}, {"n": "2", "after": "2"}], [1, 2, 3], None),
        (PAGE, [reply(rows(1, 2)), reply(rows(3))], 9, [{"n": "2"}, {"n": "2", "page": "2"}], [1, 2, 3], None),
        (PAGE, [reply(rows(1, 2))], 2, [{"n": "2"}], [1, 2], "2"),
        (OFFSET, [reply(rows(1, 2)), reply(rows(3))], 9, [{"n": "2"}, {"n": "2", "offset": "2"}], [1, 2, 3], None),
        (OFFSET, [reply(rows(1, 2)), reply(rows(3))], 3, [{"n": "2"}, {"n": "1", "offset": "2"}], [1, 2, 3], "3"),
        (
            LINK,
            [reply(rows(1, 2), headers=linked(7)), reply(rows(3))],
            9,
            [{"n": "2"}, {"n": "2", "page": "7"}],
            [1, 2, 3],
            None,
        ),
    ],
)
def test_list_is_read_up_to_its_limit(
    paging: Paging, replies: list[Any], limit: int, queries: list[Any], ids: list[int], following: str | None
) -> None:
    """As many pages as it takes, none more, and what goes on behind them. Of a link only the page's number is used."""
    data, requests = do(shop(paging=paging), "list", {"shelf": "a", "limit": limit}, *replies)

    assert [asked(request)[1] for request in requests] == queries
    assert [row["id"] for row in data["items"]] == ids
    assert data["nextCursor"] == following
    assert data["hasMore"] is (following is not None)
    assert data["count"] == len(ids)


@pytest.mark.parametrize(
    ("paging", "first", "second"),
    [
        (PAGE, reply(rows(1, 2)), reply(rows(3, 4))),
        (LINK, reply(rows(1, 2), headers=linked(2)), reply(rows(3, 4), headers=linked(3))),
    ],
)
def test_list_that_is_cut_within_a_numbered_page_says_that_there_is_more(
    paging: Paging, first: Any, second: Any
) -> None:
    """No number points into a page: what was cut would be left out by whoever goes on."""
    data, _ = do(shop(paging=paging), "list", {"shelf": "a", "limit": 3}, first, second)

    assert [row["id"] for row in data["items"]] == [1, 2, 3]
    assert (data["hasMore"], data["nextCursor"]) == (True, None)


@pytest.mark.parametrize(("paging", "cursor", "query"), [(CURSOR, "x", {"after": "x"}), (OFFSET, "4", {"offset": "4"})])
def test_list_goes_on_from_a_cursor(paging: Paging, cursor: str, query: dict[str, str]) -> None:
    _, (request,) = do(shop(paging=paging), "list", {"shelf": "a", "limit": 1, "cursor": cursor}, reply([]))

    assert asked(request)[1] == {"n": "1", **query}


@pytest.mark.parametrize("cursor", ["x", "-1", "1" * 16, "²"])
def test_cursor_that_is_no_number_is_refused(cursor: str) -> None:
    with pytest.raises(InputError, match="cursor"):
        do(shop(paging=PAGE), "list", {"shelf": "a", "cursor": cursor}, reply([]))


def test_list_that_stands_still_ends() -> None:
    """A service that hands out the same cursor again would be asked for ever."""
    data, requests = do(shop(paging=CURSOR), "list", {"shelf": "a"}, reply({"rows": [], "next": "b"}))

    assert len(requests) == 2
    assert data == {"items": [], "count": 0, "hasMore": True, "nextCursor": "b"}


def test_list_of_nearly_empty_pages_ends() -> None:
    pages = [reply({"rows": [], "next": str(number)}) for number in range(MAX_PAGES + 1)]

    data, requests = do(shop(paging=CURSOR), "list", {"shelf": "a"}, *pages)

    assert len(requests) == MAX_PAGES
    assert (data["hasMore"], data["nextCursor"]) == (True, str(MAX_PAGES - 1))
