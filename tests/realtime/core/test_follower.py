from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.core.follower import MOST_HELD, Follower


@pytest.mark.parametrize(
    ("heard", "delivered"),
    [
        ([1, 2, 3], [1, 2, 3]),
        ([1, 1, 2, 1], [1, 2]),  # repeats
        ([2, 1, 3], [1, 2, 3]),  # overtaken: held until its turn
        ([1, 3], [1]),  # a gap
        ([3, 4, 5, 2, 1], [1, 2, 3, 4, 5]),  # the gap closes last
    ],
)
def test_offer_of_numbers_delivers_what_is_in_order(heard: list[int], delivered: list[int]) -> None:
    """A number is delivered when all before it were, and once."""
    follower: Follower[int] = Follower(last=0)

    got = [number for seq in heard for number in follower.offer(seq, seq)]

    assert got == delivered


def test_follower_with_a_gap_is_behind_until_the_rows_are_read() -> None:
    """A missing number is noticed by the next one, and what was held follows what the rows had."""
    follower: Follower[str] = Follower(last=4)
    follower.offer(6, "six")
    behind = follower.is_behind

    delivered = follower.replay([(5, "five"), (6, "six")], complete=True)

    assert (behind, delivered, follower.is_behind) == (True, ["five", "six"], False)


def test_follower_that_hears_of_a_newer_number_is_behind() -> None:
    """A lost last event has no successor to betray it: the heartbeat's number does."""
    follower: Follower[str] = Follower(last=4)

    follower.hear(5)

    assert follower.is_behind


def test_replay_of_rows_with_a_hole_passes_over_it() -> None:
    """What was pruned from the rows never comes: waiting for it would read them for ever."""
    follower: Follower[int] = Follower(last=1)
    follower.hear(9)

    delivered = follower.replay([(7, 7), (8, 8)], complete=True)

    assert (delivered, follower.last, follower.is_behind) == ([7, 8], 8, False)


def test_replay_of_a_full_page_joins_what_was_held() -> None:
    """A page that ends before the end of the rows leaves what was held beyond it for later, or delivers it at once."""
    follower: Follower[int] = Follower(last=0)
    for seq in (4, 9):
        follower.offer(seq, seq)

    delivered = follower.replay([(1, 1), (2, 2), (3, 3)], complete=False)

    assert (delivered, follower.is_behind) == ([1, 2, 3, 4], True)


def test_follower_far_behind_holds_a_bounded_number() -> None:
    """A reader that waits for one lost event does not collect the rest of a long run: the rows have it."""
    follower: Follower[int] = Follower(last=0)
    for seq in range(2, MOST_HELD * 2):
        follower.offer(seq, seq)

    delivered = follower.offer(1, 1)

    assert (len(delivered), follower.is_behind) == (MOST_HELD + 1, True)


@given(
    total=st.integers(0, 40),
    start=st.integers(0, 10),
    page=st.integers(1, 7),
    chance=st.randoms(use_true_random=False),
)
def test_every_number_is_delivered_once_and_in_order_whatever_happens_on_the_way(
    total: int, start: int, page: int, chance: Random
) -> None:
    """Loss, repeats, reordering, heartbeats and reads of the rows in any mixture change nothing of what is delivered."""
    follower: Follower[int] = Follower(last=min(start, total))
    delivered: list[int] = []
    committed = follower.last
    while committed < total or follower.is_behind:
        match chance.choice(["commit", "offer", "hear", "read"]):
            case "commit":
                committed = min(total, committed + chance.randint(1, 5))
                if committed == total:
                    follower.hear(committed)  # the last heartbeat: without it nobody can know
            case "offer" if committed:
                seq = chance.randint(1, committed)
                delivered += follower.offer(seq, seq)
            case "hear":
                follower.hear(chance.randint(0, committed))
            case "read":
                rows = [(seq, seq) for seq in range(follower.last + 1, committed + 1)][:page]
                delivered += follower.replay(rows, complete=len(rows) < page)

    assert delivered == list(range(min(start, total) + 1, total + 1))
