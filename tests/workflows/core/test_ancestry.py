"""Who is upstream of whom."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.graphs import draw
from workflows.core.ancestry import Ancestry, trace


def ancestry_of(drawing: str) -> Ancestry | None:
    payload = draw(drawing)
    return trace(dict.fromkeys(payload["nodes"]), [(edge["source"], edge["target"]) for edge in payload["edges"]])


@pytest.mark.parametrize(
    ("drawing", "order"),
    [
        ("c -> b -> a", ["c", "b", "a"]),  # along the edges, whatever the names
        ("a -> d, c -> d, b", ["a", "b", "c", "d"]),  # by id where the number of nodes upstream is the same
        ("a -> b -> d, a -> c -> d, a -> z", ["a", "b", "c", "z", "d"]),  # by that number first
        ("a -> b, a -> b", ["a", "b"]),  # an edge drawn twice counts once
    ],
)
def test_trace_orders_by_nodes_upstream_then_by_id(drawing: str, order: list[str]) -> None:
    """Plan order does not depend on the order in which anything was drawn."""
    ancestry = ancestry_of(drawing)

    assert ancestry is not None
    assert [*ancestry.order] == order


@pytest.mark.parametrize("drawing", ["a -> a", "a -> b -> a", "s -> a -> b -> c -> a, c -> d"])
def test_trace_of_a_cycle_is_none(drawing: str) -> None:
    """There is no upstream in a circle."""
    assert ancestry_of(drawing) is None


edges_forward = st.lists(
    st.tuples(st.integers(0, 9), st.integers(0, 9)).filter(lambda pair: pair[0] < pair[1]), max_size=25
)


@given(edges=edges_forward)
def test_trace_agrees_with_reachability(edges: list[tuple[int, int]]) -> None:
    """A node is upstream of another exactly when there is a path; the order is topological."""
    pairs: Any = [(str(source), str(target)) for source, target in edges]
    reach = set(pairs)
    for middle, source, target in product("0123456789", repeat=3):
        if {(source, middle), (middle, target)} <= reach:
            reach.add((source, target))

    ancestry = trace(dict.fromkeys("0123456789"), pairs)

    assert ancestry is not None
    assert {pair for pair in product("0123456789", repeat=2) if ancestry.is_upstream(pair[0], of=pair[1])} == reach
    place = {node: index for index, node in enumerate(ancestry.order)}
    assert all(place[source] < place[target] for source, target in pairs)


def test_trace_of_bodies_keeps_each_scope_apart() -> None:
    """Upstream is of one scope; visible is what is upstream of the containers around as well, and nothing else."""
    parents = {"a": None, "loop": None, "b": None, "in1": "loop", "in2": "loop", "deep": "in2"}

    ancestry = trace(parents, [("a", "loop"), ("loop", "b"), ("in1", "in2")])

    assert ancestry is not None
    assert [*ancestry.order] == ["a", "deep", "in1", "in2", "loop", "b"]
    seen = {node: [other for other in parents if ancestry.is_visible(other, to=node)] for node in parents}
    assert seen == {"a": [], "loop": ["a"], "b": ["a", "loop"], "in1": ["a"], "in2": ["a", "in1"], "deep": ["a", "in1"]}
    assert not ancestry.is_upstream("a", of="in1")
