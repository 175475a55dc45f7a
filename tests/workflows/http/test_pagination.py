from __future__ import annotations

from typing import Any

import pytest
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from workflows.http.pagination import Pages


def page_of(items: list[int], query: dict[str, Any]) -> tuple[list[int], dict[str, Any]]:
    pages = Pages()
    shown = pages.paginate_queryset(items, Request(APIRequestFactory().get("/", query)))
    return shown, pages.pagination()


@pytest.mark.parametrize(
    ("query", "page", "per_page"),
    [
        ({}, 1, 20),
        ({"page": "2", "per_page": "5"}, 2, 5),
        ({"page": "", "per_page": ""}, 1, 20),  # as some clients send what they do not have
        ({"page": "two", "per_page": "1e2"}, 1, 20),  # no numbers
        ({"page": "٣", "per_page": "1_0"}, 1, 20),  # numbers to Python, not to us
        ({"page": "0", "per_page": "0"}, 1, 1),
        ({"page": "-3", "per_page": "-3"}, 1, 1),
        ({"per_page": "101"}, 1, 100),
        ({"page": "9" * 5000}, 1, 20),  # longer than Python would read
    ],
)
def test_page_asked_for_is_understood_or_as_if_not_given(query: dict[str, str], page: int, per_page: int) -> None:
    """No page number is an error: a list always answers."""
    _, told = page_of(list(range(300)), query)

    assert (told["page"], told["per_page"]) == (page, per_page)


@pytest.mark.parametrize(
    ("page", "items", "has_next", "has_prev"),
    [
        (1, [0, 1], True, False),
        (2, [2, 3], True, True),
        (3, [4], False, True),
        (4, [], False, True),  # past the end
        (10**17, [], False, True),  # past the database's integers
    ],
)
def test_page_of_five_items_in_twos(page: int, items: list[int], has_next: bool, has_prev: bool) -> None:
    """Pages join without gap or overlap, and say whether there are more."""
    shown, told = page_of(list(range(5)), {"page": str(page), "per_page": "2"})

    assert shown == items
    assert told == {
        "page": page,
        "per_page": 2,
        "total_count": 5,
        "total_pages": 3,
        "has_next": has_next,
        "has_prev": has_prev,
        "has_more": has_next,
    }


def test_page_of_nothing_is_empty_and_has_no_pages() -> None:
    """An empty list is an answer like any other."""
    shown, told = page_of([], {})

    assert shown == []
    assert (told["total_count"], told["total_pages"], told["has_next"]) == (0, 0, False)
