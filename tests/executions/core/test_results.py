from __future__ import annotations

from typing import Any

import pytest

from executions.core import collect
from tests.executions.core.play import Boom, Port, graph_of, play


@pytest.mark.parametrize(
    ("drawing", "answers", "nodes", "named"),
    [
        ("start -> a -> b", {}, ("b",), False),  # the terminal node
        ("start -> a, start -> b", {}, ("a", "b"), False),  # several, in plan order
        ("start -> if, if:true -> a", {"if": Port("false")}, ("if",), False),  # none of its edges was taken
        ("start -> a, a:error -> h", {}, ("a",), False),  # only an error edge, and it is dead
        ("start -> a, a:error -> h", {"a": Boom()}, ("h",), False),  # it was taken
        ("start -> a -> out", {}, ("out",), True),
        ("start -> a -> out, start -> b", {}, ("out",), True),  # with an output node, the others are not results
        ("start -> if, if:true -> out, if:false -> b", {"if": Port("false")}, (), True),  # drawn, yet skipped
    ],
)
def test_outputs_are_those_of(drawing: str, answers: dict[str, Any], nodes: tuple[str, ...], named: bool) -> None:
    played = play(graph_of(drawing), answers)

    assert played.close is not None
    assert (played.close.outputs_of, played.close.named) == (nodes, named)


def test_collect_of_output_nodes_merges_by_name_and_the_later_wins() -> None:
    produced: dict[str, Any] = {"a": {"x": 1, "y": 1}, "b": {"x": 2}}

    assert collect(("a", "b"), produced, named=True) == {"x": 2, "y": 1}


def test_collect_of_terminal_nodes_is_keyed_by_node() -> None:
    assert collect(("b",), {"b": [1]}, named=False) == {"b": [1]}
