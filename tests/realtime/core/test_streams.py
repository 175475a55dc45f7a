from __future__ import annotations

from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.core.streams import Streams
from realtime.core.wire import Tokens


def piece(offset: int, text: str) -> Tokens:
    return Tokens(stream="llm/", offset=offset, text=text)


@pytest.mark.parametrize(
    ("heard", "new"),
    [
        (piece(5, " you"), piece(5, " you")),  # the next one
        (piece(2, "llo"), None),  # heard before
        (piece(3, "lo you"), piece(5, " you")),  # half of it heard before
        (piece(0, "Oh"), piece(0, "Oh")),  # another attempt
        (piece(9, "?"), piece(9, "?")),  # a hole that nobody can fill: what there is is shown
    ],
)
def test_offer_after_hello_gives_what_is_new(heard: Tokens, new: Tokens | None) -> None:
    """Offsets decide: nothing shows twice, an attempt that begins anew replaces the last one."""
    streams = Streams()
    streams.offer(piece(0, "Hello"))

    assert streams.offer(heard) == new


def test_lacks_is_true_only_before_a_hole() -> None:
    """Only a piece whose beginning is beyond what the reader has makes it worth asking what was said so far."""
    streams = Streams()
    streams.catch_up("llm/", "Hello")

    assert [streams.lacks(piece(at, "x")) for at in (0, 4, 5, 6)] == [False, False, False, True]


def test_catch_up_gives_the_rest_of_the_text() -> None:
    """Who has a part is given the rest; who has all is given nothing."""
    streams = Streams()
    streams.offer(piece(0, "Hel"))

    first, second = streams.catch_up("llm/", "Hello"), streams.catch_up("llm/", "Hello")

    assert (first, second) == (piece(3, "lo"), None)


def shown(pieces: list[Tokens]) -> str:
    """What a client has on its screen, by the rule of the protocol."""
    text = ""
    for given_piece in pieces:
        assert given_piece.offset <= len(text), "a hole"
        text = text[: given_piece.offset] + given_piece.text
    return text


@given(text=st.text(min_size=1, max_size=60), chance=st.randoms(use_true_random=False))
def test_reader_that_joins_and_loses_at_will_shows_the_text(text: str, chance: Random) -> None:
    """With what was said so far at hand, no loss and no repeat of pieces leaves a mark on what is shown."""
    cuts = sorted({0, len(text), *(chance.randrange(len(text) + 1) for _ in range(6))})
    sent = [piece(a, text[a:b]) for a, b in pairwise(cuts)]
    streams, got = Streams(), []
    for number, heard in enumerate(sent):
        again = [chance.choice(sent[1 : number + 1])] if number and chance.random() < 0.3 else []
        for one in [*again, *([heard] if chance.random() < 0.7 or number == len(sent) - 1 else [])]:
            if streams.lacks(one):
                got.append(streams.catch_up(one.stream, text[: one.offset + len(one.text)]))
            got.append(streams.offer(one))

    assert shown([one for one in got if one is not None]) == text
