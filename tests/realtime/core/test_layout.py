from __future__ import annotations

import re
from itertools import combinations

from hypothesis import given

from realtime.core.layers import Pair
from realtime.core.layout import ASIDE, BETWEEN, CARD_HEIGHT, CARD_WIDTH, MARGIN, Card, Link, draw
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
        straight = [(float(x), float(y)) for x, y in re.findall(r"([\d.]+) ([\d.]+)V", line.path)]
        beside = [(card, x) for x, y in straight for card in drawing.cards if card.y == y]
        assert all(x < card.x or x > card.x + CARD_WIDTH for card, x in beside)
