"""Stage 2: which nodes make up the body of which container."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.graphs import draw
from workflows.core.loops import Bodies, find_bodies


def bodies_of(drawing: str, *, gotos: list[tuple[str, str]] | None = None) -> Bodies:
    payload = draw(drawing)
    edges = [(edge["source"], edge["target"], edge.get("sourceHandle") == "body") for edge in payload["edges"]]
    return find_bodies(
        payload["nodes"],
        pairs=[(source, target) for source, target, opens in edges if not opens],
        openings=[(source, target) for source, target, opens in edges if opens],
        gotos=gotos or [],
    )


def told(bodies: Bodies) -> str:
    """`loop1(a b) loop2(c)`: the nodes directly in each body."""
    inside: dict[str, list[str]] = {}
    for node, parent in sorted(bodies.parents.items()):
        if parent is not None:
            inside.setdefault(parent, []).append(node)
    return " ".join(f"{container}({' '.join(nodes)})" for container, nodes in sorted(inside.items()))


@pytest.mark.parametrize(
    ("drawing", "bodies"),
    [
        ("a -> loop1 -> b", ""),  # without a body
        ("loop1:body -> a -> b, loop1 -> c", "loop1(a b)"),  # up to where it ends
        ("loop1:body -> a -> b -> loop1, loop1 -> c", "loop1(a b)"),  # or leads back
        ("loop1:body -> a, loop1:body -> b, a -> j, b -> j", "loop1(a b j)"),  # two ways in
        ("loop1:body -> a, a:error -> h", "loop1(a h)"),  # by any port
        ("loop1:body -> loop2 -> b, loop2:body -> a -> loop2", "loop1(b loop2) loop2(a)"),  # a body in a body
        ("loop1:body -> loop2 -> loop1, loop2:body -> a", "loop1(loop2) loop2(a)"),
        ("loop1:body -> a, loop2:body -> b, loop1 -> loop2", "loop1(a) loop2(b)"),
    ],
)
def test_find_bodies_puts_each_node_into_its_innermost_container(drawing: str, bodies: str) -> None:
    """What a body edge reaches without passing through the container again."""
    assert told(bodies_of(drawing)) == bodies


@pytest.mark.parametrize(
    "drawing",
    [
        "loop1:body -> a -> loop1",  # nothing leads to it but its own body
        "loop1:body -> loop2, loop2:body -> a -> loop2 -> loop1",
        "z:body -> y, y:body -> x, x:body -> w -> x -> y -> z",  # whatever the ids
        "loop1:body -> a -> loop1 -> after -> loop2, loop2:body -> b -> loop2",
    ],
)
def test_find_bodies_of_a_loop_without_a_beginning_enters_it_from_outside(drawing: str) -> None:
    """The outermost container is where a run would come in, though every node has an edge leading to it."""
    bodies = bodies_of(drawing)
    payload = draw(drawing)

    crossing = [
        edge["id"]
        for edge in payload["edges"]
        if bodies.crosses(edge["source"], edge["target"], opens=edge.get("sourceHandle") == "body")
    ]
    assert crossing == []
    assert next(node for node, depth in bodies.depths.items() if depth == 0) == drawing.partition(":")[0]


@pytest.mark.parametrize(
    ("drawing", "bodies", "crossing"),
    [
        ("loop1:body -> a -> b, loop1 -> b", "loop1(a)", "a-b"),  # out of a body, to what comes after it
        ("s -> loop1, s -> b, loop1:body -> a -> b", "loop1(a)", "a-b"),
        ("s -> loop1, s -> a, loop1:body -> a", "", "loop1-a"),  # into a body from outside
        ("s -> loop1, loop1:body -> loop2, loop2:body -> a -> loop1", "loop1(loop2) loop2(a)", "a-loop1"),  # over two
        ("s -> loop1, s -> loop2, loop1:body -> a, loop2:body -> a", "loop1(a)", "loop2-a"),  # into two bodies
        ("loop1:body -> a -> b, loop1:body -> loop2, loop2:body -> b", "loop1(a b loop2)", "loop2-b"),
        ("s -> x -> loop1 -> x, loop1:body -> a -> loop1", "loop1(a)", ""),  # a cycle, but no border
    ],
)
def test_find_bodies_where_edges_cross_gives_a_node_to_the_outer_scope(
    drawing: str, bodies: str, crossing: str
) -> None:
    """So that one edge is to blame, and not all that comes after it."""
    found = bodies_of(drawing)

    assert told(found) == bodies
    assert crossing == " ".join(
        f"{edge['source']}-{edge['target']}"
        for edge in draw(drawing)["edges"]
        if found.crosses(edge["source"], edge["target"], opens=edge.get("sourceHandle") == "body")
    )


@pytest.mark.parametrize(
    ("drawing", "goto", "bodies"),
    [
        ("loop1:body -> a, h -> k", ("a", "h"), "loop1(a h k)"),  # what only a goto reaches belongs where it comes from
        ("s -> loop1, s -> h, loop1:body -> a", ("a", "h"), "loop1(a)"),  # what is drawn says otherwise
        ("loop1:body -> a, loop1:body -> h", ("loop1", "h"), "loop1(a h)"),
    ],
)
def test_find_bodies_follows_a_goto_only_where_nothing_is_drawn(
    drawing: str, goto: tuple[str, str], bodies: str
) -> None:
    """A goto crosses no border; where it would, it is the goto that is wrong."""
    assert told(bodies_of(drawing, gotos=[goto])) == bodies


def test_bodies_tell_what_is_around_a_node() -> None:
    """Innermost first for names, outermost first for paths."""
    bodies = bodies_of("s -> loop1, loop1:body -> loop2, loop2:body -> a -> loop2")

    assert [*bodies.around("a")] == ["loop2", "loop1"]
    assert bodies.path("a") == ("loop1", "loop2", "a")
    assert bodies.depths == {"s": 0, "loop1": 0, "loop2": 1, "a": 2}
    assert bodies.open == {"loop1", "loop2"}
    assert bodies.leads_back("a", "loop2")
    assert not bodies.leads_back("a", "loop1")


NODES = "abcdef"
EDGES = st.lists(st.tuples(st.sampled_from(NODES), st.sampled_from(NODES), st.booleans()), max_size=12)


@given(edges=EDGES)
def test_find_bodies_agrees_with_reachability_where_nothing_crosses(edges: list[tuple[str, str, bool]]) -> None:
    """The body is what its openings reach without passing through the container again, the deepest one is the parent."""
    edges = [edge for edge in edges if not (edge[2] and edge[0] == edge[1])]
    bodies = find_bodies(
        NODES,
        pairs=[(source, target) for source, target, opens in edges if not opens],
        openings=[(source, target) for source, target, opens in edges if opens],
    )

    members: dict[str, set[str]] = {}
    for container in NODES:
        todo = [target for source, target, opens in edges if opens and source == container]
        found: set[str] = set()
        while todo:
            node = todo.pop()
            if node not in found and node != container:
                found.add(node)
                todo += [target for source, target, _ in edges if source == node]
        members[container] = found
    if not any(bodies.crosses(source, target, opens=opens) for source, target, opens in edges):
        assert {node: {*bodies.around(node)} for node in NODES} == {
            node: {container for container in NODES if node in members[container]} for node in NODES
        }


@given(edges=EDGES, order=st.randoms(use_true_random=False))
def test_find_bodies_does_not_depend_on_the_order_of_drawing(edges: list[Any], order: Any) -> None:
    """The database does not keep the order of keys, also of what is refused."""
    nodes, shuffled = [*NODES], [*edges]
    order.shuffle(nodes)
    order.shuffle(shuffled)

    one, other = (
        find_bodies(
            names,
            pairs=[edge[:2] for edge in drawn if not edge[2]],
            openings=[edge[:2] for edge in drawn if edge[2]],
        )
        for names, drawn in ((NODES, edges), (nodes, shuffled))
    )

    assert (one.parents, one.depths, one.open) == (other.parents, other.depths, other.open)
