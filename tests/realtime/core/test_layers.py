from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.core.layers import Pair, layer


@pytest.mark.parametrize(
    ("count", "edges", "rows"),
    [
        (0, [], []),
        (1, [], [[0]]),
        (3, [(0, 1), (1, 2)], [[0], [1], [2]]),
        (4, [(0, 1), (0, 2), (1, 3), (2, 3)], [[0], [1, 2], [3]]),  # a diamond
        (4, [(0, 1), (1, 3), (2, 3)], [[0], [1, 2], [3]]),  # a root stands just above its child
        (3, [(0, 1)], [[0, 2], [1]]),  # a node alone stands at the top
    ],
)
def test_layer_puts_every_node_below_its_parents(count: int, edges: list[Pair], rows: list[list[int]]) -> None:
    """Longest-path layering, with roots drawn down to where they are needed."""
    assert [list(row) for row in layer(count, edges).layers] == rows


def test_long_edge_has_a_bend_in_each_layer_it_passes() -> None:
    """So that ordering and placing keep it clear of the cards there."""
    layered = layer(4, [(0, 1), (1, 2), (2, 3), (0, 3)])

    assert (layered.chains[3], [list(row) for row in layered.layers]) == ((0, 4, 5, 3), [[0], [1, 4], [2, 5], [3]])


def test_edges_beyond_the_bends_that_are_allowed_are_drawn_as_one_sweep() -> None:
    """The shortest edges are bent first; the longest, which nobody follows anyway, pay for the time that is saved."""
    chain = [(0, 1), (1, 2), (2, 3), (3, 4)]

    layered = layer(5, [*chain, (0, 4), (0, 2)], most_bends=2)

    assert (layered.chains[4], layered.chains[5]) == ((0, 4), (0, 5, 2))


@st.composite
def graphs(draw: st.DrawFn) -> tuple[int, list[Pair]]:
    count = draw(st.integers(1, 14))
    pairs = [(a, b) for b in range(count) for a in range(b)]
    return count, draw(st.lists(st.sampled_from(pairs), max_size=30)) if pairs else []


@given(graphs())
def test_layers_hold_everything_once_and_every_segment_leads_one_layer_down(graph: tuple[int, list[Pair]]) -> None:
    """What the later steps rely on, for every graph in plan order."""
    count, edges = graph

    layered = layer(count, edges)

    depth = {item: row for row, items in enumerate(layered.layers) for item in items}
    items = [item for row in layered.layers for item in row]
    assert sorted(items) == list(range(len(items)))
    assert [(chain[0], chain[-1]) for chain in layered.chains] == edges
    assert {depth[target] - depth[source] for source, target in layered.segments()} <= {1}
