from __future__ import annotations

from contextlib import ExitStack
from uuid import UUID

import pytest

from realtime import seats as module
from realtime.seats import Full, Seats

ONE, OTHER = UUID(int=1), UUID(int=2)
ANN, BEN, SITE = "user:ann", "user:ben", "key:site"


@pytest.mark.parametrize(
    ("limit", "taken", "has_room"),
    [
        ("MOST", [(ONE, ANN), (OTHER, SITE)], {(ONE, BEN): False, (OTHER, BEN): False}),
        ("MOST_OF_A_WORKSPACE", [(ONE, ANN), (ONE, SITE)], {(ONE, BEN): False, (OTHER, BEN): True}),
        ("MOST_OF_A_PERSON", [(ONE, ANN), (OTHER, ANN)], {(ONE, ANN): False, (ONE, BEN): True}),
        ("MOST_OF_A_PERSON", [(ONE, SITE), (ONE, SITE)], {(ONE, SITE): True}),  # a key's tickets are of many
        ("MOST_OF_A_PERSON", [(ONE, ""), (ONE, "")], {(ONE, ""): True}),  # of nobody in particular
    ],
)
def test_seats_beyond_a_limit_are_refused_to_those_it_is_about(
    monkeypatch: pytest.MonkeyPatch,
    limit: str,
    taken: list[tuple[UUID, str]],
    has_room: dict[tuple[UUID, str], bool],
) -> None:
    """One workspace's forgotten tabs take nobody else's place."""
    monkeypatch.setattr(module, limit, 2)
    seats = Seats()
    with ExitStack() as stack:
        for seat in taken:
            stack.enter_context(seats.take(*seat))

        assert {seat: seats.has_room(*seat) for seat in has_room} == has_room


def test_seat_that_is_left_is_free_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """And nothing is remembered of it."""
    monkeypatch.setattr(module, "MOST_OF_A_PERSON", 1)
    seats = Seats()
    with seats.take(ONE, ANN), pytest.raises(Full):
        seats.take(ONE, ANN).__enter__()

    assert seats.has_room(ONE, ANN)
    assert (seats.taken, seats._by_workspace, seats._by_person) == (0, {}, {})
