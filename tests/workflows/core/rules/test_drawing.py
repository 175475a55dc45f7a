"""Rules about the drawing."""

from __future__ import annotations

from typing import Any

import pytest

from tests.graphs import catalogue, draw
from workflows.core import Issue, Severity, check, parse_definition


def found(code: str, payload: dict[str, Any]) -> list[Issue]:
    return [issue for issue in check(parse_definition(payload), catalogue=catalogue) if issue.code == code]


def goto(target: str | None) -> dict[str, Any]:
    return {"onError": {"strategy": "goto", **({} if target is None else {"gotoNode": target})}}


def test_check_of_a_clean_workflow_finds_nothing() -> None:
    """No issue without a cause."""
    payload = draw(
        "start -> if, if:true -> a -> j, if:false -> b -> j -> out, a:error -> h",
        nodes={"out": {"config": {"value": "{{j}}"}}},
    )

    assert check(parse_definition(payload), catalogue=catalogue) == []


def test_check_of_no_nodes_is_an_error() -> None:
    """And the only one: there is nothing else to be wrong."""
    assert [issue.code for issue in check(parse_definition({"nodes": {}, "edges": []}), catalogue=catalogue)] == [
        "NO_NODES"
    ]


@pytest.mark.parametrize(
    ("node_id", "suggestion"),
    [
        ("a/b", "a_b"),  # would end a scope
        ("a b", "a_b"),
        ("a.b", "a_b"),  # would be a path
        ("größe", "gr_e"),  # half of it; two letters are lost
        ("1st", None),  # begins with a digit
        ("", None),
        ("x" * 129, "x" * 128),
        ("a\n", "a_"),  # a line's end at the end
    ],
)
def test_check_of_an_id_that_paths_cannot_hold_is_an_error(node_id: str, suggestion: str | None) -> None:
    """Scopes and references are paths of ids."""
    payload = {"nodes": {node_id: {"type": "echo"}}, "edges": []}

    assert [(issue.node_id, issue.suggestion) for issue in found("INVALID_NODE_ID", payload)] == [(node_id, suggestion)]


@pytest.mark.parametrize("node_id", ["a", "_", "A-1_b", "x" * 128, "a--"])
def test_check_of_an_id_that_paths_can_hold_is_fine(node_id: str) -> None:
    """Letters, digits, _ and -, at most 128."""
    assert found("INVALID_NODE_ID", {"nodes": {node_id: {"type": "echo"}}, "edges": []}) == []


def test_check_of_an_edge_to_nowhere_names_its_end() -> None:
    """Each end that is no node is told, with what was probably meant."""
    payload = draw("start -> reader")
    payload["edges"].append({"id": "wild", "source": "stat", "target": "raeder"})

    issues = found("INVALID_EDGE_SOURCE", payload) + found("INVALID_EDGE_TARGET", payload)

    assert [(issue.edge_id, issue.message, issue.suggestion) for issue in issues] == [
        ("wild", "edge wild starts at 'stat', which is no node", "start"),
        ("wild", "edge wild leads to 'raeder', which is no node", "reader"),
    ]


@pytest.mark.parametrize(
    ("drawing", "message", "suggestion"),
    [
        ("a:timeout -> b", "a has no handle 'timeout'; it has output, error", None),
        ("a:eror -> b", "a has no handle 'eror'; it has output, error", "error"),
        ("if:ture -> b", "if has no handle 'ture'; it has output, error, true, false", "true"),
    ],
)
def test_check_of_an_unknown_handle_names_those_there_are(drawing: str, message: str, suggestion: str | None) -> None:
    """Nobody has to look up which handles a node has."""
    issues = found("UNKNOWN_HANDLE", draw(drawing))

    assert [(issue.edge_id, issue.message, issue.suggestion) for issue in issues] == [("e1", message, suggestion)]


@pytest.mark.parametrize(
    ("drawing", "entry_point", "message"),
    [
        ("a -> c, b -> c", None, "a run could start at any of a, b: name one of them as entryPoint"),
        ("a -> c, b -> c, in -> c", None, "a run could start at any of a, b: name one of them as entryPoint"),
        ("a -> b", "A", "the entry point 'A' is no node"),
        ("a1, a2, a3, a4, a5, a6, a7, a8, a9, b0, b1", None, "a run could start at any of a1, a2, a3, a4, a5, a6, a7, a8, a9, b0 and 1 more: name one of them as entryPoint"),
    ],
)  # fmt: skip
def test_check_without_an_entry_is_an_error(drawing: str, entry_point: str | None, message: str) -> None:
    """Where a run starts by hand must be plain."""
    issues = found("MISSING_ENTRY_POINT", draw(drawing, entryPoint=entry_point))

    assert [(issue.message, issue.field, issue.suggestion) for issue in issues] == [
        (message, "entryPoint", "a1" if "a1" in drawing else "a")
    ]


@pytest.mark.parametrize(
    ("drawing", "unreachable"),
    [
        ("start -> a, x -> y -> a", ["x", "y"]),  # another root
        ("start -> a, trigger -> b, in -> c", []),  # other triggers fire, inputs take part
        ("b -> start -> a", ["b"]),  # before the entry
    ],
)
def test_check_of_a_node_that_no_run_reaches_warns(drawing: str, unreachable: list[str]) -> None:
    """It never runs, which is hardly what was meant."""
    issues = found("UNREACHABLE_NODE", draw(drawing, entryPoint="start"))

    assert [(issue.node_id, issue.severity) for issue in issues] == [(node, Severity.WARNING) for node in unreachable]


@pytest.mark.parametrize(
    ("drawing", "cycles"),
    [
        ("start -> alpha -> beta -> gamma -> alpha", ["alpha → beta → gamma → alpha"]),
        ("start -> a -> b, b:error -> a", ["a → b → a"]),  # through an error port
        ("start -> a, a:error -> a", ["a → a"]),
        ("start -> if, if:true -> a -> if, start -> b -> c -> b", ["b → c → b", "if → a → if"]),  # all at once
        ("a -> b -> a", ["a → b → a"]),  # without a beginning
    ],
)
def test_check_of_a_cycle_spells_it_and_proposes_a_loop(drawing: str, cycles: list[str]) -> None:
    """And says nothing of a missing entry: with the cycle that is mended as well."""
    payload = draw(drawing)

    assert [issue.message for issue in found("CIRCULAR_DEPENDENCY", payload)] == [
        f"{cycle} is a cycle; only the body of a loop can repeat" for cycle in cycles
    ]
    assert found("MISSING_ENTRY_POINT", payload) == []


@pytest.mark.parametrize(
    ("drawing", "gotos", "messages"),
    [
        ("start -> a", {"a": "strat"}, ["a: onError goto names 'strat', which is no node"]),
        ("start -> a", {"a": None}, ["a: onError goto names no node"]),
        ("start -> a", {"a": "a"}, ["a: onError goto leads to a, from where the run comes back to a"]),
        ("start -> a -> b", {"b": "a"}, ["b: onError goto leads to a, from where the run comes back to b"]),
        (
            "start -> a, start -> b",  # neither alone, both together
            {"a": "b", "b": "a"},
            [
                "a: onError goto leads to b, from where the run comes back to a",
                "b: onError goto leads to a, from where the run comes back to b",
            ],
        ),
        ("start -> a -> b -> c", {"a": "c"}, []),  # forward over a node
        ("start -> a -> b, b:error -> c", {"b": "a"}, []),  # never taken: an error edge is drawn
    ],
)
def test_check_of_goto_wants_a_node_ahead(drawing: str, gotos: dict[str, str | None], messages: list[str]) -> None:
    """A goto is an error edge that is not drawn, and may lead only where one could."""
    payload = draw(drawing, nodes={node: goto(target) for node, target in gotos.items()})

    issues = found("INVALID_GOTO", payload)

    assert [issue.message for issue in issues] == messages
    assert {issue.field for issue in issues} <= {"onError.gotoNode"}
    assert found("CIRCULAR_DEPENDENCY", payload) == []
