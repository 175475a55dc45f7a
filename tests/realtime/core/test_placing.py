from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.core.placing import place, spread


@pytest.mark.parametrize(
    ("wished", "weights", "gaps", "placed"),
    [
        ([5.0], [1], [], [5.0]),
        ([0.0, 100.0], [1, 1], [10], [0.0, 100.0]),  # room enough: everyone has their wish
        ([50.0, 50.0], [1, 1], [10], [45.0, 55.0]),  # both give way alike
        ([50.0, 50.0], [3, 1], [8], [48.0, 56.0]),  # the heavier gives way less
        ([20.0, 0.0, 10.0], [1, 1, 1], [10, 10], [0.0, 10.0, 20.0]),  # the order is kept
    ],
)
def test_spread_is_nearest_to_the_wishes(
    wished: list[float], weights: list[float], gaps: list[float], placed: list[float]
) -> None:
    """Least weighted squares under order and gaps."""
    assert spread(wished, weights, gaps) == pytest.approx(placed)


@given(
    st.lists(
        st.tuples(st.floats(-500, 500), st.sampled_from([0.1, 1.0, 8.0]), st.floats(1, 80)), min_size=1, max_size=12
    ),
    st.lists(st.floats(-40, 40), min_size=12, max_size=12),
)
def test_spread_keeps_gaps_and_no_other_placing_is_nearer(
    items: list[tuple[float, float, float]], shift: list[float]
) -> None:
    """Exact, so that sweeps converge: any other allowed placing is at least as far from the wishes."""
    wished, weights, gaps = [wish for wish, _, _ in items], [weight for _, weight, _ in items], [g for _, _, g in items]

    placed = spread(wished, weights, gaps[1:])

    def cost(at: list[float]) -> float:
        return sum(weight * (x - wish) ** 2 for x, wish, weight in zip(at, wished, weights, strict=True))

    other = spread([x + move for x, move in zip(placed, shift, strict=False)], weights, gaps[1:])
    assert all(b - a >= gap - 1e-6 for (a, b), gap in zip(pairwise(placed), gaps[1:], strict=True))
    assert cost(placed) <= cost(other) + 1e-6


def placed(
    layers: list[list[int]], chains: list[tuple[int, ...]], *, bends: frozenset[int] = frozenset()
) -> dict[int, float]:
    return place(layers, chains, gap=lambda a, b: 100.0, is_bend=lambda item: item in bends)


def test_place_of_a_chain_is_a_straight_line() -> None:
    """The dullest workflow looks calm."""
    x = placed([[0], [1], [2]], [(0, 1), (1, 2)])

    assert x[0] == x[1] == x[2]


def test_place_of_a_diamond_is_symmetrical() -> None:
    """The fork and the join stand in the middle of their branches."""
    x = placed([[0], [1, 2], [3]], [(0, 1), (0, 2), (1, 3), (2, 3)])

    assert (x[0], x[3], x[2] - x[1]) == pytest.approx(((x[1] + x[2]) / 2, (x[1] + x[2]) / 2, 100.0))


def test_place_of_a_long_edge_is_straight() -> None:
    """The bends of an edge stand under each other, whatever the cards beside them want."""
    x = placed([[0], [1, 5], [2, 6], [3], [4]], [(0, 1), (1, 2), (2, 3), (3, 4), (0, 5, 6, 3)], bends=frozenset({5, 6}))

    assert x[5] == pytest.approx(x[6])
