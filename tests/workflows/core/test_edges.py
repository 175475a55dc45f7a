"""Stage 4: edges as the scheduler walks them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.graphs import catalogue, draw
from workflows.core import build_plan, parse_definition
from workflows.core.plan import Binding, Source


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


@pytest.mark.parametrize(
    ("drawing", "edges"),
    [
        ("loop:body -> a -> loop, loop:done -> b", ["a back loop", "loop body a", "loop success b"]),
        ("loop:output-body -> a, loop:body -> a", ["loop body a"]),  # two spellings of one edge
        ("loop:body -> a -> b, loop:body -> b", ["a success b", "loop body a", "loop body b"]),  # two ways in
        # How it leaves is kept: an error edge back to the loop handles the failure.
        ("loop:body -> a:error -> loop, a -> loop", ["a back loop", "a back:error loop", "loop body a"]),
        ("loop:body -> if, if:true -> loop, if:false -> a", ["if back:true loop", "if port:false a", "loop body if"]),
        # Inside the outer body, the way out of the inner one is an edge like any other, or back to the outer.
        (
            "loop:body -> par -> loop, par:body -> a -> par, par -> b",
            ["a back par", "par success b", "par body a", "par back loop", "loop body par"],
        ),
    ],
)
def test_plan_edges_of_a_container_open_its_body_and_close_it(drawing: str, edges: list[str]) -> None:
    """One plan node stands for a container; its edges say where the body begins and where an iteration ends."""
    assert sorted(wires(drawing)) == sorted(edges)


def test_plan_edges_draw_a_goto_to_the_container_as_its_end() -> None:
    """As an error edge that is drawn would."""
    nodes = {"a": {"onError": {"strategy": "goto", "gotoNode": "loop"}}}

    assert wires("loop:body -> a", nodes=nodes) == ["a back:error loop", "loop body a"]


def test_plan_edges_bind_the_condition_of_a_loop_apart() -> None:
    """The same name means the loop itself there, and the loop around it in the other fields."""
    config = {
        "loopType": "while",
        "condition": "loop.index < loop.total && {{n}}",
        "maxIterations": "{{loop.item.max}}",
    }
    payload = draw("outer:body -> inner, inner:body -> a", types={"outer": "loop", "inner": "loop"})
    payload["nodes"]["outer"]["config"] = {"count": 2}
    payload["nodes"]["inner"]["config"] = config

    plan = build_plan(parse_definition(payload), catalogue=catalogue)

    (inner,) = (node for node in plan.nodes if node.id == "inner")
    assert inner.reads == {"loop": Binding(source=Source.LOOP, nodes=("outer",), needs=("item",))}
    assert inner.deferred_reads == {
        "loop": Binding(source=Source.LOOP, nodes=("inner",), needs=("total",)),
        "n": Binding(source=Source.INPUT),
    }


def test_plan_edges_join_what_a_node_needs_of_a_context() -> None:
    """All its references under one name are looked at."""
    payload = draw(
        "loop1:body -> a", nodes={"a": {"config": {"value": "{{loop.item.x}} {{loop.index}} {{loop.last}}"}}}
    )

    plan = build_plan(parse_definition(payload), catalogue=catalogue)

    reads = {node.id: node.reads for node in plan.nodes}
    assert reads["a"] == {"loop": Binding(source=Source.LOOP, nodes=("loop1",), needs=("item", "total"))}
