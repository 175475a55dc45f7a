"""Iterations that the page can be sent to, and steps through."""

from __future__ import annotations

from typing import Any

import pytest

from tests.realtime.core.test_wording import MONEYS
from tests.realtime.javascript import javascript, needs_node

pytestmark = needs_node

NODES = {
    "loop": {"scope": "", "status": "running", "progress": {"done": 3, "total": 10}},
    "par": {"scope": "loop[3]", "status": "running", "progress": {"done": 0, "total": 4}},
    "until": {"scope": "", "status": "running", "progress": {"done": 7, "total": None}},
    "over": {"scope": "", "status": "completed", "progress": {"done": 7, "total": None}},
}


def test_scope_is_read_and_written() -> None:
    """Brackets are those of the last part: a container's id has none."""
    scopes = ["", "loop[3]", "loop1[12]/par-2[0]/x_y[7]"]

    told = javascript("scopes", scopes)

    assert [again for _, again in told] == scopes
    assert told[1][0] == [{"container": "loop", "index": 3}]
    assert [level["index"] for level in told[2][0]] == [12, 0, 7]


@pytest.mark.parametrize(
    ("scope", "totals"),
    [
        ("loop[1]", [10]),
        ("loop[3]/par[1]", [10, 4]),
        ("loop[2]/par[1]", [10, None]),  # of that iteration's parallel nothing is known
        ("until[2]", [None]),  # its condition says when
        ("over[2]", [7]),
    ],
)
def test_totals_are_told_where_they_are_known(scope: str, totals: list[int | None]) -> None:
    """A field without one can be filled in with any number: the API says whether there is such an iteration."""
    assert javascript("totals", {"scope": scope, "nodes": NODES}) == totals


@pytest.mark.parametrize(
    ("hash_", "place"),
    [
        ("", {"node": None, "scope": None}),
        ("#ask", {"node": "ask", "scope": None}),  # as addresses were before there were scopes
        ("#node=ask", {"node": "ask", "scope": None}),
        ("#node=ask&scope=loop%5B3%5D%2Fpar%5B0%5D", {"node": "ask", "scope": "loop[3]/par[0]"}),
        ("#node=ask&scope=loop[3]", {"node": "ask", "scope": "loop[3]"}),
    ],
    ids=["none", "plain", "node", "scope", "unescaped"],
)
def test_address_names_a_node_and_perhaps_a_visit(hash_: str, place: dict[str, Any]) -> None:
    assert javascript("places", [hash_]) == [place]


def test_address_that_is_written_is_read() -> None:
    """What is sent to somebody opens what the sender looked at."""
    places = [{"node": "ask", "scope": None}, {"node": "ask", "scope": "loop[3]/par[0]"}]

    assert javascript("hashes", places) == places


def test_money_is_told_as_the_server_tells_it() -> None:
    assert javascript("moneys", [each[:2] for each in MONEYS]) == [told for _, _, told in MONEYS]
