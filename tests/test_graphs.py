"""The drawings that other tests are made of."""

from __future__ import annotations

import pytest

from handlers import registry
from tests.graphs import catalogue, draw
from workflows.core import validate

EVERYTHING = (
    "start -> if, if:true -> switch, switch:a -> set1 -> out, if:false -> a:error -> b, in -> b,"
    "start -> loop1 -> par, loop1:body -> c -> loop1, par:body -> d -> ask, ask:timeout -> e"
)


def test_draw_reads_nodes_edges_and_handles() -> None:
    """Names say what nodes are; what is given beside the drawing is merged into it."""
    drawn = draw("in2 -> if, if:true -> a", nodes={"a": {"disabled": True, "config": {"value": 1}}}, variables={"v": 0})

    assert drawn == {
        "name": "drawn",
        "nodes": {
            "in2": {"type": "input", "name": "in2", "config": {"inputName": "in2"}},
            "if": {
                "type": "conditional",
                "name": "if",
                "config": {"conditionType": "expression", "expression": "true"},
            },
            "a": {"type": "echo", "name": "a", "config": {"value": 1}, "disabled": True},
        },
        "edges": [
            {"id": "e1", "source": "in2", "target": "if"},
            {"id": "e2", "source": "if", "target": "a", "sourceHandle": "true"},
        ],
        "variables": {"v": 0},
    }


@pytest.mark.parametrize("types", [{"a": "call"}, lambda node_id: "call"])
def test_draw_with_types_takes_them(types: object) -> None:
    """A mapping for some, a rule for all."""
    drawn = draw("a", types=types)  # type: ignore[arg-type]  # either kind, one test

    assert drawn["nodes"]["a"]["type"] == "call"


@pytest.mark.parametrize(("types", "default"), [(catalogue, "echo"), (registry.load(), "transform")])
def test_draw_of_any_type_is_valid(types: registry.Catalogue, default: str) -> None:
    """With the types of the tests and with the built-in ones."""
    assert validate(draw(EVERYTHING, default=default), catalogue=types) == []
