from __future__ import annotations

import re
from itertools import combinations

import pytest
from hypothesis import given

from realtime.core.layers import Pair
from realtime.core.layout import ASIDE, BETWEEN, CARD_HEIGHT, CARD_WIDTH, MARGIN, Box, Card, Link, _lean, draw
from tests.realtime.core.test_layers import graphs


def links(*pairs: Pair) -> list[Link]:
    return [Link(source=source, target=target) for source, target in pairs]


def test_draw_of_nothing_is_an_empty_page() -> None:
    """A run without nodes has no drawing, and no error."""
    drawing = draw(0, [])

    assert (drawing.cards, drawing.lines, drawing.width, drawing.height) == ((), (), 2 * MARGIN, 2 * MARGIN)


def test_draw_of_a_chain_is_a_column() -> None:
    """Cards under each other, joined by straight lines."""
    drawing = draw(2, links((0, 1)))

    second = MARGIN + CARD_HEIGHT + BETWEEN
    assert drawing.cards == (Card(x=MARGIN, y=MARGIN), Card(x=MARGIN, y=second))
    assert (drawing.width, drawing.height) == (CARD_WIDTH + 2 * MARGIN, second + CARD_HEIGHT + MARGIN)
    middle, start = MARGIN + CARD_WIDTH / 2, MARGIN + CARD_HEIGHT
    half = start + BETWEEN / 2
    assert drawing.lines[0].path == (
        f"M{middle:g} {start:g}C{middle:g} {half:g} {middle:g} {half:g} {middle:g} {second:g}"
    )


def test_ports_of_a_card_leave_in_the_order_in_which_their_edges_lead_away() -> None:
    """Edges of two ports do not cross each other under their own card."""
    drawing = draw(3, [Link(source=0, target=1, port="false"), Link(source=0, target=2, port="true")])

    starts = {line.path.split("C")[0]: drawing.cards[1 + place].x for place, line in enumerate(drawing.lines)}
    by_start = sorted(starts, key=lambda start: float(start[1:].split()[0]))
    assert [starts[start] for start in by_start] == sorted(starts.values())
    assert len(starts) == 2


def test_edges_of_one_port_leave_at_one_point() -> None:
    """What is one decision looks like one."""
    drawing = draw(3, links((0, 1), (0, 2)))

    assert len({line.path.split("C")[0] for line in drawing.lines}) == 1


def test_cards_below_a_box_stand_below_all_of_it() -> None:
    """And an edge that leaves a card beside it goes straight down before it goes aside."""
    box = Box(width=400.0, height=300.0, card_x=40.0)

    drawing = draw(4, links((0, 1), (0, 2), (1, 3), (2, 3)), {1: box})

    row, last = MARGIN + CARD_HEIGHT + BETWEEN, MARGIN + CARD_HEIGHT + BETWEEN + box.height + BETWEEN
    assert [card.y for card in drawing.cards] == [MARGIN, row, row, last]
    assert drawing.height == last + CARD_HEIGHT + MARGIN
    left = drawing.cards[1].x - box.card_x
    assert drawing.cards[2].x in (left + box.width + ASIDE, left - ASIDE - CARD_WIDTH)
    into, _, below, beside = (re.findall(r"[A-Z][-\d. ]+", line.path) for line in drawing.lines)
    middle, floor = drawing.cards[1].x + CARD_WIDTH / 2, row + box.height
    assert into[-1].endswith(f" {middle:g} {row:g}")
    assert below[0] == f"M{middle:g} {floor:g}"
    x = drawing.cards[2].x + CARD_WIDTH / 2
    assert beside[:2] == [f"M{x:g} {row + CARD_HEIGHT:g}", f"L{x:g} {floor:g}"]


def test_link_back_swings_out_beside_the_cards_and_moves_none() -> None:
    """It leads up from the right border of one card to that of another, inside the page."""
    down = links((0, 1), (1, 2))

    drawing = draw(3, [down[0], Link(source=2, target=0, port="true", back=True), down[1]])

    straight = draw(3, down)
    assert (drawing.cards, drawing.width, drawing.height) == (straight.cards, straight.width, straight.height)
    assert (drawing.lines[0], drawing.lines[2]) == straight.lines
    right = MARGIN + CARD_WIDTH
    low, high = (drawing.cards[card].y + CARD_HEIGHT / 2 for card in (2, 0))
    rail, turn = right + 20, right + 4
    assert drawing.lines[1].path == (
        f"M{right:g} {low:g}L{turn:g} {low:g}C{rail:g} {low:g} {rail:g} {low:g} {rail:g} {low - 16:g}"
        f"L{rail:g} {high + 16:g}C{rail:g} {high:g} {rail:g} {high:g} {turn:g} {high:g}L{right:g} {high:g}"
    )
    assert right < drawing.lines[1].label_x < drawing.width
    assert high < drawing.lines[1].label_y < low


@given(graphs())
def test_cards_never_touch_and_stay_on_the_page(graph: tuple[int, list[Pair]]) -> None:
    """Whatever the graph: everything can be read, nothing is cut off."""
    count, pairs = graph

    drawing = draw(count, links(*pairs))

    for one, other in combinations(drawing.cards, 2):
        assert abs(one.x - other.x) >= CARD_WIDTH + ASIDE - 1 or abs(one.y - other.y) >= CARD_HEIGHT + BETWEEN
    right, bottom = drawing.width - CARD_WIDTH - MARGIN, drawing.height - CARD_HEIGHT - MARGIN
    assert all(MARGIN - 1 <= card.x <= right + 1 and MARGIN <= card.y <= bottom for card in drawing.cards)


@given(graphs())
def test_lines_join_their_cards_and_cross_no_other(graph: tuple[int, list[Pair]]) -> None:
    """A long edge goes around the cards of the layers it passes."""
    count, pairs = graph

    drawing = draw(count, links(*pairs))

    for (source, target), line in zip(pairs, drawing.lines, strict=True):
        start, end = drawing.cards[source], drawing.cards[target]
        numbers = [float(number) for number in re.findall(r"-?[\d.]+", line.path)]
        assert start.x <= numbers[0] <= start.x + CARD_WIDTH
        assert numbers[1] == start.y + CARD_HEIGHT
        assert (numbers[-2], numbers[-1]) == (end.x + CARD_WIDTH / 2, end.y)
        passed = [tuple(map(float, way)) for way in re.findall(r"([\d.]+) ([\d.]+)L([\d.]+) ([\d.]+)", line.path)]
        beside = [
            (card, x) for *ends, y in passed for card in drawing.cards if card.y + CARD_HEIGHT == y for x in ends[::2]
        ]
        assert all(x < card.x or x > card.x + CARD_WIDTH for card, x in beside)
        assert line.path.count("L") == len(passed) == (end.y - start.y) / (CARD_HEIGHT + BETWEEN) - 1


@given(graphs())
def test_lines_have_no_corners(graph: tuple[int, list[Pair]]) -> None:
    """Where a curve ends, what follows goes on in its direction; it leaves its card upright, and so it arrives."""
    count, pairs = graph

    drawing = draw(count, links(*pairs))

    for line in drawing.lines:
        ways = [[*map(float, re.findall(r"-?[\d.]+", way))] for way in re.split("(?=[CL])", line.path)]
        ends = [way[-2:] for way in ways]
        slopes = []  # at the beginning and at the end of each piece
        for begin, (*handles, x, y) in zip(ends, ways[1:], strict=False):
            first, second = (handles[:2], handles[2:]) if handles else ([x, y], begin)
            slopes += [slope(begin, first), slope(second, [x, y])]
        assert [slopes[0], slopes[-1]] == [0, 0]
        assert slopes[1:-1:2] == pytest.approx(slopes[2::2], abs=0.05)


def slope(above: list[float], below: list[float]) -> float:
    return (below[0] - above[0]) / (below[1] - above[1])


def test_line_down_a_staircase_is_straight() -> None:
    """Steps of equal width are no reason to bend."""
    assert [_lean(0, 20, 40), _lean(0, 40, 60), _lean(0, -40, -60)] == pytest.approx([20 / 116, 20 / 116, -20 / 116])
    assert (_lean(0, 300, 900), _lean(0, -300, -900)) == (0.4, -0.4)  # nearer to the cards it would not get
    assert (_lean(0, 20, 0), _lean(0, 20, 20)) == (0, 0)
    assert _lean(0, 300, 900, height=2 * CARD_HEIGHT) == 0.2  # nor beside a box of twice the height
