"""Cycles, found and spelled."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.graphs import draw
from workflows.core.cycles import find_cycles


@pytest.mark.parametrize(
    ("drawing", "spelled"),
    [
        ("a -> b -> c", []),
        ("a -> a", ["a a"]),  # the shortest
        ("start -> gamma -> beta -> alpha -> gamma", ["gamma beta alpha gamma"]),  # from where it is entered
        ("c -> b -> a -> c", ["a c b a"]),  # from the first by id where nothing enters
        ("s -> a -> b -> c -> a, c -> b", ["a b c a"]),  # one for a knot, through the node that is entered
        ("s -> a -> a, s -> b -> c -> b", ["a a", "b c b"]),  # every knot
        ("a -> b -> a, b -> c, c -> d -> c", ["a b a", "c d c"]),  # two knots with a path between
        ("a -> b -> a, a -> b", ["a b a"]),  # an edge drawn twice counts once
    ],
)
def test_find_cycles_spells_one_for_each_knot(drawing: str, spelled: list[str]) -> None:
    """The author sees the way round, starting where a run would get caught."""
    payload = draw(drawing)
    pairs = [(edge["source"], edge["target"]) for edge in payload["edges"]]

    cycles = find_cycles(payload["nodes"], pairs)

    assert [" ".join(cycle.spelled) for cycle in cycles] == spelled


def test_find_cycles_in_a_deep_drawing_needs_no_stack() -> None:
    """Two thousand nodes in a ring are one cycle of two thousand steps."""
    ids = [f"n{number:04}" for number in range(2000)]
    pairs = [(ids[index - 1], ids[index]) for index in range(2000)]

    cycles = find_cycles(ids, pairs)

    assert [cycle.spelled for cycle in cycles] == [(*ids, ids[0])]


@given(edges=st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from("abcdef")), max_size=15))
def test_find_cycles_finds_exactly_what_goes_round(edges: list[tuple[str, str]]) -> None:
    """A node is in a knot when a path leads from it back to it, and what is spelled is such a path."""
    reach = set(edges)
    for middle in "abcdef":
        reach |= {(a, d) for a, b in reach for c, d in reach if b == c == middle}

    cycles = find_cycles("abcdef", edges)

    assert {node for cycle in cycles for node in cycle.members} == {node for node in "abcdef" if (node, node) in reach}
    for cycle in cycles:
        steps = set(zip(cycle.spelled, cycle.spelled[1:], strict=False))
        assert (steps <= set(edges), cycle.spelled[0]) == (True, cycle.spelled[-1])
        assert set(cycle.spelled) <= cycle.members
