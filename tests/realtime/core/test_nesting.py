from __future__ import annotations

from itertools import combinations
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.core.layout import ASIDE, BETWEEN, CARD_HEIGHT, CARD_WIDTH, MARGIN, Link, draw
from realtime.core.nesting import PADDING, Frame, Nested, draw_nested

Parents = list[int | None]


def test_drawing_without_containers_is_the_plain_one() -> None:
    """Nothing moves, and nothing is framed."""
    links = [Link(source=0, target=1), Link(source=0, target=2, port="error")]

    nested, plain = draw_nested([None] * 3, links), draw(3, links)

    assert (nested.width, nested.height, nested.cards) == (plain.width, plain.height, plain.cards)
    assert (nested.lines, nested.frames) == (plain.lines, ())


def test_body_stands_in_a_frame_below_its_container() -> None:
    """What comes after the container comes after its body."""
    links = [Link(source=0, target=1), Link(source=1, target=2), Link(source=2, target=1, back=True)]

    drawing = draw_nested([None, None, 1, None], [*links, Link(source=1, target=3)])

    step = CARD_HEIGHT + BETWEEN
    top = MARGIN + step
    floor = top + step + CARD_HEIGHT + PADDING
    assert [card.y for card in drawing.cards] == [MARGIN, top, top + step, floor + BETWEEN]
    assert drawing.frames == (
        Frame(owner=1, x=MARGIN, y=top - PADDING, width=CARD_WIDTH + 2 * MARGIN, height=floor - top + PADDING),
    )
    middle = MARGIN + MARGIN + CARD_WIDTH / 2
    assert {card.x + CARD_WIDTH / 2 for card in drawing.cards} == {middle}
    assert drawing.lines[0].path.endswith(f" {middle:g} {top:g}")
    assert drawing.lines[1].path.startswith(f"M{middle:g} {top + CARD_HEIGHT:g}C")
    assert drawing.lines[3].path.startswith(f"M{middle:g} {floor:g}C")


def test_container_without_a_body_is_a_card() -> None:
    """There is nothing to frame."""
    assert draw_nested([None, None], [Link(source=0, target=1)]).frames == ()


def test_drawing_of_nothing_is_an_empty_page() -> None:
    drawing = draw_nested([], [])

    assert (drawing.cards, drawing.lines, drawing.frames) == ((), (), ())


def nests(nodes: int, chance: Random) -> tuple[Parents, list[Link]]:
    """Nodes of which some hold later ones, with links as a plan has them."""
    parents: Parents = [chance.choice([None, *range(node)]) for node in range(nodes)]
    links = []
    for node, parent in enumerate(parents):
        before = [other for other in range(node) if parents[other] == parent]
        sources = chance.sample(before, min(len(before), chance.randint(0, 2)))
        links += [Link(source=source, target=node) for source in sources]
        if parent is not None and not sources:
            links.append(Link(source=parent, target=node, port="body"))
        if parent is not None and chance.random() < 0.3:
            links.append(Link(source=node, target=parent, back=True))
    return parents, links


@given(nodes=st.integers(0, 14), chance=st.randoms(use_true_random=False))
def test_whatever_is_nested_stands_in_its_frame_and_apart(nodes: int, chance: Random) -> None:
    """Cards do not touch, and a frame holds its container, all that is in its body, and nothing else."""
    parents, links = nests(nodes, chance)

    drawing = draw_nested(parents, links)

    assert [len(drawing.cards), len(drawing.lines)] == [len(parents), len(links)]
    for one, other in combinations(drawing.cards, 2):
        assert abs(one.x - other.x) >= CARD_WIDTH + ASIDE - 1 or abs(one.y - other.y) >= CARD_HEIGHT + BETWEEN
    assert {frame.owner for frame in drawing.frames} == set(parents) - {None}
    for frame in drawing.frames:
        held = {node for node in range(nodes) if is_held(node, frame.owner, parents)}
        assert {node for node in range(nodes) if is_inside(drawing, node, frame)} == held
        assert 0 <= frame.x <= frame.x + frame.width <= drawing.width
        assert 0 <= frame.y <= frame.y + frame.height <= drawing.height


def is_held(node: int | None, owner: int, parents: Parents) -> bool:
    while node is not None and node != owner:
        node = parents[node]
    return node is not None


def is_inside(drawing: Nested, node: int, frame: Frame) -> bool:
    """Wholly; what overlaps fails."""
    card = drawing.cards[node]
    right, bottom = card.x + CARD_WIDTH, card.y + CARD_HEIGHT
    inside = frame.x <= card.x and right <= frame.x + frame.width
    inside = inside and frame.y <= card.y and bottom <= frame.y + frame.height
    apart = right <= frame.x or card.x >= frame.x + frame.width or bottom <= frame.y or card.y >= frame.y + frame.height
    assert inside != apart
    return inside


@given(nodes=st.integers(1, 14), chance=st.randoms(use_true_random=False))
def test_links_join_their_nodes(nodes: int, chance: Random) -> None:
    """From below the node, or the frame that it has, to the upper border of the card."""
    parents, links = nests(nodes, chance)

    drawing = draw_nested(parents, links)

    frames = {frame.owner: frame for frame in drawing.frames}
    for link, line in zip(links, drawing.lines, strict=True):
        numbers = [float(number) for number in line.path.replace("M", " ").replace("L", " ").replace("C", " ").split()]
        begin, end = numbers[:2], numbers[-2:]
        card = drawing.cards[link.target]
        if link.back:
            assert end == [card.x + CARD_WIDTH, card.y + CARD_HEIGHT / 2]
            continue
        assert end == pytest.approx([card.x + CARD_WIDTH / 2, card.y], abs=1)
        source = drawing.cards[link.source]
        is_from_frame = link.source in frames and parents[link.target] != link.source
        floor = frames[link.source].y + frames[link.source].height if is_from_frame else source.y + CARD_HEIGHT
        assert begin[1] == pytest.approx(floor)
        assert source.x <= begin[0] <= source.x + CARD_WIDTH
