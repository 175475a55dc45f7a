"""Stage 4: edges as the scheduler walks them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.graphs import catalogue, draw
from workflows.core import build_plan, parse_definition


def wires(drawing: str, **more: Any) -> list[str]:
    plan = build_plan(parse_definition(draw(drawing, **more)), catalogue=catalogue)
    return [f"{edge.source} {edge.type}{f':{edge.port}' if edge.port else ''} {edge.target}" for edge in plan.edges]


@pytest.mark.parametrize(
    ("drawing", "edges"),
    [
        ("a -> b, a:error -> c", ["a success b", "a error c"]),
        ("a -> b, a:output -> b, a:source -> b", ["a success b"]),  # three spellings of one edge
        ("if:true -> b, if:output-true -> b", ["if port:true b"]),  # two of one port
        ("if:true -> b, if:false -> b", ["if port:false b", "if port:true b"]),  # two ports to one node stay two edges
        ("if -> b, if:true -> b", ["if port:true b", "if success b"]),  # as do a port and success
        ("s -> z -> b, s -> a", ["s success a", "s success z", "z success b"]),  # in plan order, not as drawn
    ],
)
def test_plan_edges_are_typed_and_drawn_once(drawing: str, edges: list[str]) -> None:
    """Same pair, same type, same port: one edge."""
    assert wires(drawing) == edges


@pytest.mark.parametrize(
    ("drawing", "edges"),
    [
        ("s -> a -> b, s -> h", ["s success a", "s success h", "a success b", "a error h"]),  # drawn by the planner
        (
            "s -> a -> b, s -> h, a:error -> b",
            ["s success a", "s success h", "a error b", "a success b"],
        ),  # unless one is drawn
    ],
)
def test_plan_edges_draw_goto_as_an_error_edge(drawing: str, edges: list[str]) -> None:
    """An error edge that is drawn comes before `onError`."""
    assert wires(drawing, nodes={"a": {"onError": {"strategy": "goto", "gotoNode": "h"}}}) == edges


def test_plan_edges_bind_every_name_that_a_node_mentions() -> None:
    """The engine asks for the first name of each reference and of nothing else."""
    config = {"value": ["{{s.x}} {{s.y}} {{inputs.a}}", {"deep": "{{$now - env.K}}"}], "secret_recipe": "{{raw}}"}
    payload = draw("s -> a", nodes={"a": {"config": config}})

    plan = build_plan(parse_definition(payload), catalogue=catalogue)

    assert {node.id: [*node.reads] for node in plan.nodes} == {"s": [], "a": ["$now", "env", "inputs", "s"]}
