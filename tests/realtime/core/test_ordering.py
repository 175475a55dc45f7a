from __future__ import annotations

import pytest
from hypothesis import given

from realtime.core.layers import Pair, layer
from realtime.core.ordering import crossings, order
from tests.realtime.core.test_layers import graphs


@pytest.mark.parametrize(
    ("layers", "segments", "count"),
    [
        ([[0, 1], [2, 3]], [(0, 2), (1, 3)], 0),
        ([[0, 1], [2, 3]], [(0, 3), (1, 2)], 1),
        ([[0, 1], [2, 3]], [(0, 2), (0, 3), (1, 2), (1, 3)], 1),  # every graph of two by two has one
        ([[0], [1, 2]], [(0, 1), (0, 2)], 0),  # edges of one node do not cross
        ([[0, 1, 2], [3, 4, 5]], [(0, 5), (1, 4), (2, 3)], 3),
    ],
)
def test_crossings_are_counted(layers: list[list[int]], segments: list[Pair], count: int) -> None:
    """An inversion of ends is a crossing."""
    assert crossings(layers, segments) == count


def test_order_of_crossed_branches_uncrosses_them() -> None:
    """Two branches whose ends were found in the other order."""
    edges = [(0, 1), (0, 2), (1, 4), (2, 3)]

    layers = order(layer(5, edges))

    assert crossings(layers, edges) == 0


@given(graphs())
def test_order_never_has_more_crossings_and_keeps_the_layers(graph: tuple[int, list[Pair]]) -> None:
    """Sweeps may get worse on the way: the best order seen is what comes back."""
    layered = layer(*graph)

    layers = order(layered)

    assert crossings(layers, layered.segments()) <= crossings(layered.layers, layered.segments())
    assert [sorted(row) for row in layers] == [sorted(row) for row in layered.layers]
