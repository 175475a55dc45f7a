from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.core.deltas import FRAMES_PER_SECOND, Coalescer, Piece

PAUSE = 1 / FRAMES_PER_SECOND


def test_first_delta_of_a_stream_is_due_at_once() -> None:
    """The first word is what people wait for."""
    coalescer: Coalescer[str] = Coalescer()
    coalescer.add("llm", 0, "Hi")

    assert (coalescer.next_due(100.0), coalescer.take_due(100.0)) == (0.0, [("llm", Piece(0, "Hi"))])


def test_deltas_within_the_pause_are_joined() -> None:
    """What comes in the pause after a frame is one frame when the pause is over."""
    coalescer: Coalescer[str] = Coalescer()
    coalescer.add("llm", 0, "a")
    coalescer.take_due(10.0)
    for offset, text in ((1, "b"), (2, "cd"), (4, "e")):
        coalescer.add("llm", offset, text)

    early, late = coalescer.take_due(10.0 + PAUSE / 2), coalescer.take_due(10.0 + PAUSE)

    assert (early, late) == ([], [("llm", Piece(1, "bcde"))])


def test_delta_after_a_hole_is_a_piece_of_its_own() -> None:
    """Joining over a hole would put text at the wrong place."""
    coalescer: Coalescer[str] = Coalescer()
    coalescer.add("llm", 3, "a")
    coalescer.add("llm", 9, "b")

    assert coalescer.take_due(0.0) == [("llm", Piece(3, "a")), ("llm", Piece(9, "b"))]


def test_delta_that_begins_anew_replaces_what_waited() -> None:
    """Nobody needs the rest of an attempt that was given up."""
    coalescer: Coalescer[str] = Coalescer()
    coalescer.add("llm", 7, "old")
    coalescer.add("llm", 0, "new")

    assert coalescer.take_due(0.0) == [("llm", Piece(0, "new"))]


def test_take_gives_a_stream_before_it_is_due() -> None:
    """What is told of a node comes after its text, however short the pause was."""
    coalescer: Coalescer[str] = Coalescer()
    coalescer.add("llm", 0, "a")
    coalescer.take_due(5.0)
    coalescer.add("llm", 1, "b")

    assert (coalescer.take("llm", 5.001), coalescer.waiting()) == ([("llm", Piece(1, "b"))], [])


@pytest.mark.parametrize(("waited", "seconds"), [(0.0, PAUSE), (PAUSE / 4, PAUSE * 3 / 4), (2.0, 0.0)])
def test_next_due_after_a_frame_is_the_rest_of_the_pause(waited: float, seconds: float) -> None:
    """The thread that sends sleeps exactly until somebody's turn."""
    coalescer: Coalescer[str] = Coalescer()
    coalescer.add("llm", 0, "a")
    coalescer.take_due(0.0)
    coalescer.add("llm", 1, "b")

    assert coalescer.next_due(waited) == pytest.approx(seconds)


@given(
    deltas=st.lists(st.tuples(st.sampled_from("xyz"), st.text(min_size=1, max_size=4), st.floats(0, 0.02)), max_size=80)
)
def test_frames_hold_all_text_and_keep_their_distance(deltas: list[tuple[str, str, float]]) -> None:
    """Whatever the pace, nothing is lost, nothing is doubled, and no stream has more than thirty frames a second."""
    coalescer: Coalescer[str] = Coalescer()
    said, frames, now = dict.fromkeys("xyz", ""), [], 0.0
    for key, text, pause in deltas:
        coalescer.add(key, len(said[key]), text)
        said[key] += text
        frames += [(now, *item) for item in coalescer.take_due(now)]
        now += pause
    while (wait := coalescer.next_due(now)) is not None:
        now += wait
        frames += [(now, *item) for item in coalescer.take_due(now)]

    for key in "xyz":
        mine = [(at, piece) for at, stream, piece in frames if stream == key]
        assert "".join(piece.text for _, piece in mine) == said[key]
        assert all(later - earlier >= PAUSE - 1e-9 for (earlier, _), (later, _) in pairwise(mine))
