"""JSON → Definition: both formats, every flaw at once, nothing but issues whatever comes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.graphs import draw
from tests.strategies import definitions, json_values
from workflows.core import Definition, InvalidDefinition, parse_definition
from workflows.core.definition import Edge, Node, OnError, Settings
from workflows.core.parsing import MAX_EDGES, MAX_MS, MAX_NODES, read_definition
from workflows.core.plan import OnErrorStrategy, OnFailure, OnInterrupted


def flaws(payload: Any) -> list[tuple[str, str | None, str | None, str]]:
    """Code, node or edge, field and message of each issue."""
    return [
        (issue.code, issue.node_id or issue.edge_id, issue.field, issue.message)
        for issue in read_definition(payload).issues
    ]


def test_parse_definition_of_the_stored_format_reads_everything() -> None:
    """Every documented key has its place; unknown ones are kept."""
    payload = {
        "name": "Refund triage",
        "description": "Reads refunds.",
        "nodes": {
            "start": {"type": "trigger", "name": "Order in", "config": {"a": 1}, "position": {"x": 1, "y": 2}},
            "ask": {
                "type": "llm",
                "name": "Classify",
                "config": {},
                "retry": {"attempts": 3, "initialIntervalMs": 1000, "factor": 1.5, "maxIntervalMs": 30000.0},
                "timeoutMs": 600000,
                "disabled": True,
                "onError": {"strategy": "goto", "gotoNode": "start"},
                "onInterrupted": "fail",
            },
        },
        "edges": [{"id": "e1", "source": "start", "target": "ask", "sourceHandle": "output", "targetHandle": "input"}],
        "entryPoint": "start",
        "variables": {"count": 0},
        "settings": {"timeout": 300000, "maxConcurrentNodes": 5, "onFailure": "finish-branches", "enableCache": True},
        "tags": ["x"],
    }

    definition = parse_definition(payload)

    assert definition == Definition(
        name="Refund triage",
        description="Reads refunds.",
        nodes={
            "start": Node(
                id="start", type="trigger", name="Order in", config={"a": 1}, extra={"position": {"x": 1, "y": 2}}
            ),
            "ask": Node(
                id="ask",
                type="llm",
                name="Classify",
                retry={"attempts": 3, "initialIntervalMs": 1000, "factor": 1.5, "maxIntervalMs": 30000},
                timeout_ms=600000,
                disabled=True,
                on_error=OnError(strategy=OnErrorStrategy.GOTO, goto="start"),
                on_interrupted=OnInterrupted.FAIL,
            ),
        },
        edges=(Edge(id="e1", source="start", target="ask", handle="output", extra={"targetHandle": "input"}),),
        entry_point="start",
        variables={"count": 0},
        settings=Settings(
            timeout_ms=300000, max_concurrent_nodes=5, on_failure=OnFailure.FINISH_BRANCHES, extra={"enableCache": True}
        ),
        extra={"tags": ["x"]},
    )


def test_parse_definition_of_the_editor_format_converts_it() -> None:
    """A list of nodes is the editor's: data is the configuration, comments and their edges go."""
    payload = {
        "nodes": [
            {"id": "note", "type": "comment", "data": {"label": "read me"}, "position": {"x": 0, "y": 0}},
            {"id": "llm", "type": "llm", "data": {"label": "Ask", "prompt": "?"}, "position": {"x": 1, "y": 0}},
            {"id": "in", "type": "input", "data": {"inputName": "who"}},
            {"id": "out", "type": "output", "data": {"outputName": "said"}},
            {"id": "end", "type": "noop", "data": {}},
        ],
        "edges": [{"id": "e0", "source": "note", "target": "in"}, {"id": "e1", "source": "in", "target": "llm"}],
    }

    definition = parse_definition(payload)

    assert {node.id: (node.name, node.config) for node in definition.nodes.values()} == {
        "llm": ("Ask", {"label": "Ask", "prompt": "?"}),
        "in": ("who", {"inputName": "who"}),
        "out": ("said", {"outputName": "said"}),
        "end": ("noop", {}),
    }
    assert definition.edges == (Edge(id="e1", source="in", target="llm"),)
    assert definition.entry_point == "in"  # the first input, though it is not the first node


@pytest.mark.parametrize(
    ("entry_point", "types", "expected"),
    [
        (None, ["llm", "input"], "n1"),  # the first input
        (None, ["llm", "llm"], "n0"),  # else the first node
        ("n1", ["input", "llm"], "n1"),  # unless it is said
        (None, [], None),
    ],
)
def test_parse_definition_of_the_editor_format_finds_the_entry(
    entry_point: str | None, types: list[str], expected: str | None
) -> None:
    """The editor saves no entry point; where it begins can be seen."""
    nodes = [{"id": f"n{index}", "type": node_type, "data": {}} for index, node_type in enumerate(types)]

    definition = parse_definition({"nodes": nodes, "edges": [], "entryPoint": entry_point})

    assert definition.entry_point == expected


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (None, [("INVALID_INPUT", None, None, "a definition is an object, not null")]),
        ([], [("INVALID_INPUT", None, None, "a definition is an object, not a list")]),
        ({"nodes": 5}, [("INVALID_INPUT", None, "nodes", "nodes must be a map of nodes by id, or an editor's list, not a number")]),
        ({"edges": {"a": 1}}, [("INVALID_INPUT", None, "edges", "edges must be a list, not an object")]),
        ({"name": ""}, [("INVALID_INPUT", None, "name", "name must have 1 to 255 characters, not 0")]),
        ({"name": "x" * 256}, [("INVALID_INPUT", None, "name", "name must have 1 to 255 characters, not 256")]),
        ({"name": 7}, [("INVALID_INPUT", None, "name", "name must be text, not a number")]),
        ({"variables": []}, [("INVALID_INPUT", None, "variables", "variables must be an object, not a list")]),
        ({"variables": {"sum": 10**400, "list": [10**400]}}, [("INVALID_INPUT", None, "variables.sum", "variables.sum must be a number within ±1e+300, for sums of it to be numbers")]),
        ({"entryPoint": 1}, [("MISSING_ENTRY_POINT", None, "entryPoint", "entryPoint must be text, not a number")]),
        ({"nodes": {"a": None}}, [("INVALID_INPUT", "a", "nodes.a", "a: a node is an object, not null")]),
        ({"nodes": {"a": {}}}, [("UNKNOWN_NODE_TYPE", "a", "type", "a: type is missing")]),
        ({"nodes": {"a": {"type": 1}}}, [("UNKNOWN_NODE_TYPE", "a", "type", "a: type must be text, not a number")]),
        ({"nodes": {"a": {"type": "x", "name": 1}}}, [("INVALID_INPUT", "a", "name", "a: name must be text, not a number")]),
        ({"nodes": {"a": {"type": "x", "config": []}}}, [("INVALID_CONFIG", "a", "config", "a: config must be an object, not a list")]),
        ({"nodes": {"a": {"type": "x", "disabled": 1}}}, [("INVALID_CONFIG", "a", "disabled", "a: disabled must be true or false, not a number")]),
        ({"nodes": [1]}, [("INVALID_INPUT", None, "nodes.0", "nodes.0 must be an object with an id that is text")]),
        ({"nodes": [{"id": "a", "type": "x"}, {"id": "a", "type": "x"}]}, [("INVALID_INPUT", None, "nodes.1.id", "two nodes have the id 'a'")]),
        ({"nodes": [{"id": "a", "type": "comment"}, {"id": "a", "type": "x"}]}, [("INVALID_INPUT", None, "nodes.1.id", "two nodes have the id 'a'")]),
        ({"edges": [None]}, [("INVALID_INPUT", None, "edges.0", "edges.0 must be an object, not null")]),
        ({"edges": [{"source": "a"}]}, [("INVALID_EDGE_TARGET", "edges.0", "target", "edge edges.0: target is missing")]),
        ({"edges": [{"id": "e", "source": 1, "target": "a"}]}, [("INVALID_EDGE_SOURCE", "e", "source", "edge e: source must be text, not a number")]),
        ({"edges": [{"id": "e", "source": "a", "target": "a", "sourceHandle": 1}]}, [("UNKNOWN_HANDLE", "e", "sourceHandle", "edge e: sourceHandle must be text, not a number")]),
        ({"settings": "fast"}, [("INVALID_INPUT", None, "settings", "settings must be an object, not a text")]),
        ({"settings": {"timeout": 0}}, [("INVALID_CONFIG", None, "settings.timeout", f"settings.timeout must be from 1 to {MAX_MS}, not 0")]),
        ({"settings": {"timeout": 10**400}}, [("INVALID_CONFIG", None, "settings.timeout", f"settings.timeout must be from 1 to {MAX_MS}, not {10**400}")]),
        ({"settings": {"timeout": 1.5}}, [("INVALID_CONFIG", None, "settings.timeout", "settings.timeout must be a whole number")]),
        ({"settings": {"maxConcurrentNodes": True}}, [("INVALID_CONFIG", None, "settings.maxConcurrentNodes", "settings.maxConcurrentNodes must be a number, not true")]),
        ({"a": float("nan")}, [("INVALID_INPUT", None, "a", "a is nan, which is not JSON")]),
    ],
)  # fmt: skip
def test_read_definition_of_a_bad_shape_tells_what_and_where(
    payload: Any, expected: list[tuple[str, Any, Any, str]]
) -> None:
    """One issue for one flaw, at its field."""
    assert flaws(payload) == expected


@pytest.mark.parametrize(
    ("more", "field", "said", "suggestion"),
    [
        ({"retry": {"attempts": 11}}, "retry.attempts", "must be from 1 to 10, not 11", None),
        ({"retry": {"attempts": "3"}}, "retry.attempts", "must be a number, not a text", None),
        ({"retry": {"maxAttempts": 3}}, "retry.maxAttempts", "means nothing here", "attempts"),
        ({"retry": {"factor": 0.5}}, "retry.factor", "must be from 1 to 100, not 0.5", None),
        ({"retry": [3]}, "retry", "must be an object, not a list", None),
        ({"timeoutMs": -1}, "timeoutMs", f"must be from 1 to {MAX_MS}, not -1", None),
        ({"onInterrupted": "ask"}, "onInterrupted", "must be one of rerun, fail, not 'ask'", None),
        ({"onInterrupted": "retry"}, "onInterrupted", "must be one of rerun, fail, not 'retry'", "rerun"),
        ({"onInterrupted": True}, "onInterrupted", "must be text, not true", None),
        ({"onError": {"strategy": "skip"}}, "onError.strategy", "must be one of fail, continue, fallback, goto, not 'skip'", None),
        ({"onError": {"strategy": "fallbak"}}, "onError.strategy", "must be one of fail, continue, fallback, goto, not 'fallbak'", "fallback"),
        ({"onError": {"goto": "b"}}, "onError.goto", "means nothing here", "gotoNode"),
        ({"onError": {"strategy": "goto", "gotoNode": 5}}, "onError.gotoNode", "must be text, not a number", None),
    ],
)  # fmt: skip
def test_read_definition_of_a_bad_policy_names_the_field(
    more: dict[str, Any], field: str, said: str, suggestion: str | None
) -> None:
    """What a node is told beside its configuration is checked to the last key."""
    payload = draw("a", nodes={"a": more})

    issues = read_definition(payload).issues

    assert [(issue.node_id, issue.field, issue.message, issue.suggestion) for issue in issues] == [
        ("a", field, f"a: {field} {said}", suggestion)
    ]


@pytest.mark.parametrize(
    ("nodes", "edges", "message"),
    [
        (MAX_NODES + 1, 0, "the workflow has 2001 nodes; 2000 is the most"),
        (1, MAX_EDGES + 1, "the workflow has 10001 edges; 10000 is the most"),
    ],
)
def test_read_definition_beyond_the_limits_stops_there(nodes: int, edges: int, message: str) -> None:
    """What is too large is not looked at any further."""
    payload = {"nodes": {f"n{number}": None for number in range(nodes)}, "edges": [None] * edges}

    reading = read_definition(payload)

    assert [(issue.code, issue.message) for issue in reading.issues] == [("LIMIT_EXCEEDED", message)]
    assert reading.definition is None


def test_parse_definition_with_several_flaws_raises_all() -> None:
    """The author repairs in one round."""
    payload = {
        "name": 1,
        "nodes": {"a": 5, "b": {"type": "x", "timeoutMs": "1"}},
        "edges": [{"id": "e", "target": "a"}],
    }

    with pytest.raises(InvalidDefinition) as refused:
        parse_definition(payload)

    assert [issue.code for issue in refused.value.issues] == [
        "INVALID_INPUT",
        "INVALID_INPUT",
        "INVALID_CONFIG",
        "INVALID_EDGE_SOURCE",
    ]


@pytest.mark.parametrize("field", ["name", "description", "nodes", "edges", "entryPoint", "variables", "settings"])
def test_parse_definition_takes_null_for_left_out(field: str) -> None:
    """Editors write null for an empty field."""
    assert parse_definition({field: None}) == Definition()


@given(payload=definitions())
def test_to_json_of_a_definition_reads_back_as_itself(payload: dict[str, Any]) -> None:
    """The stored format loses nothing that was understood."""
    definition = parse_definition(payload)

    assert parse_definition(definition.to_json()) == definition


@given(data=st.data(), payload=definitions(max_nodes=4))
def test_read_definition_with_anything_anywhere_gives_issues(data: st.DataObject, payload: dict[str, Any]) -> None:
    """Whatever stands in place of any part, the answer is issues and never an exception."""
    whole: Any = {"": payload}
    place, key = whole, ""
    while isinstance(place[key], dict | list) and place[key] and data.draw(st.integers(0, 5)):
        place = place[key]
        key = data.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
    place[key] = data.draw(json_values())

    reading = read_definition(whole[""])

    assert reading.definition is not None or reading.issues
    assert reading.broken <= {issue.node_id for issue in reading.issues}


@given(payload=json_values())
def test_read_definition_of_any_json_gives_issues(payload: Any) -> None:
    """Also where nothing looks like a definition."""
    reading = read_definition({"nodes": payload, "edges": payload, "settings": payload})

    assert reading.definition is not None or reading.issues
