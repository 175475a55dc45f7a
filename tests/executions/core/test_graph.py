from __future__ import annotations

from collections.abc import Iterable

import pytest

from executions.core import Graph
from executions.core.graph import Body
from tests.executions.core.play import graph_of
from workflows.core.plan import EdgeType

NESTED = "start -> loop -> z, loop:body -> a -> par -> c, par:body -> b, b:error -> par"


def ids(body: Body, places: Iterable[int]) -> list[str]:
    return sorted(body.nodes[place].id for place in places)


def arcs(graph: Graph, container: str) -> list[tuple[str, str, str]]:
    body = graph.bodies[container]
    return [
        (body.nodes[place].id, body.nodes[arc.other].id, arc.type.value)
        for place, leaving in enumerate(body.out)
        for arc in leaving
    ]


class TestBodies:
    def test_each_body_has_its_own_nodes_and_edges(self) -> None:
        graph = graph_of(NESTED)

        assert {container: [node.id for node in body.nodes] for container, body in graph.bodies.items()} == {
            "": ["start", "loop", "z"],
            "loop": ["a", "par", "c"],
            "par": ["b"],
        }
        assert arcs(graph, "") == [("start", "loop", "success"), ("loop", "z", "success")]
        assert arcs(graph, "loop") == [("a", "par", "success"), ("par", "c", "success")]
        assert arcs(graph, "par") == []

    def test_edges_in_are_those_out_turned_round(self) -> None:
        body = graph_of("start -> if, if:true -> a, if:false -> b -> a, b:error -> c").top
        out = {(at, arc.other, arc.type, arc.port) for at, leaving in enumerate(body.out) for arc in leaving}
        into = {(arc.other, at, arc.type, arc.port) for at, coming in enumerate(body.into) for arc in coming}

        assert out == into
        assert {port for *_, kind, port in out if kind is EdgeType.PORT} == {"true", "false"}

    def test_container_without_a_body_has_an_empty_one(self) -> None:
        assert graph_of("start -> loop -> z").bodies["loop"].nodes == ()

    def test_roots_of_a_body_are_its_first_nodes(self) -> None:
        body = graph_of("start -> loop, loop:body -> a -> b, loop:body -> c -> b, loop:body -> b").bodies["loop"]

        assert ids(body, body.roots) == ["a", "c"]

    def test_body_of_a_scope_is_that_of_its_innermost_container(self) -> None:
        graph = graph_of(NESTED)

        assert graph.body("") is graph.top
        assert graph.body("loop[2]/par[0]") is graph.bodies["par"]


class TestErrorEdge:
    @pytest.mark.parametrize(
        ("drawing", "has"),
        [
            ("start -> loop, loop:body -> a, loop:body -> b", False),
            ("start -> loop, loop:body -> a, a:error -> b", True),
            ("start -> loop, loop:body -> a, a:error -> loop", True),  # it ends the iteration, as success would
            ("start -> loop, loop:body -> a -> loop", False),
            ("start -> loop, loop:error -> h, loop:body -> a", False),  # the container's is not its body's
        ],
    )
    def test_failure_is_taken_by_a_node_or_by_the_end_of_the_body(self, drawing: str, has: bool) -> None:
        assert graph_of(drawing).has_error_edge("a") is has


class TestHome:
    @pytest.mark.parametrize(
        ("node_id", "seen_from", "home"),
        [
            ("b", "loop[2]/par[1]", "loop[2]/par[1]"),  # of this branch
            ("a", "loop[2]/par[1]", "loop[2]"),  # of this iteration
            ("start", "loop[2]/par[1]", ""),
            ("a", "loop[2]", "loop[2]"),
            ("z", "", ""),
        ],
    )
    def test_visit_that_a_node_sees_is_in_its_own_scope_or_around_it(
        self, node_id: str, seen_from: str, home: str
    ) -> None:
        assert graph_of(NESTED).home(node_id, seen_from) == home


class TestMembers:
    DRAWING = "start -> a -> b -> c, a -> d, start2 -> e -> c, in -> f -> b"

    @pytest.mark.parametrize(
        ("entry", "until", "members"),
        [
            ("start", None, "a b c d f in start"),  # what an input kind reaches takes part whatever the entry
            ("start2", None, "b c e f in start2"),
            ("start", "b", "a b f in start"),
            ("start", "in", "in"),
            ("start2", "c", "b c e f in start2"),
        ],
    )
    def test_part_is_taken_by_what_is_reached_and_leads_to_the_end(
        self, entry: str, until: str | None, members: str
    ) -> None:
        graph = graph_of(self.DRAWING, entryPoint="start")

        assert ids(graph.top, graph.members(entry, until)) == members.split()

    def test_bodies_of_containers_take_part_with_them(self) -> None:
        graph = graph_of(f"{NESTED}, z -> loop2, loop2:body -> y")

        taking_part = sorted(node.id for node in graph.taking_part("start", "z"))
        assert taking_part == ["a", "b", "c", "loop", "par", "start", "z"]

    def test_taking_part_is_told_in_plan_order(self) -> None:
        graph = graph_of(NESTED)

        assert graph.taking_part("start") == list(graph.plan.nodes)
