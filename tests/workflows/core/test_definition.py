"""The stored form of a definition."""

from __future__ import annotations

from workflows.core import parse_definition
from workflows.core.definition import Definition


def test_to_json_leaves_out_what_was_left_out() -> None:
    """A definition is stored as small as it was drawn."""
    payload = {
        "name": "small",
        "nodes": {"a": {"type": "echo", "name": "a", "config": {}, "position": {"x": 1, "y": 2}}},
        "edges": [{"id": "e", "source": "a", "target": "a", "targetHandle": "input"}],
        "tags": ["kept"],
    }

    stored = parse_definition(payload).to_json()

    assert stored == payload


def test_to_json_keeps_what_was_said() -> None:
    """All that differs from the defaults comes out under the key under which it came in."""
    payload = {
        "name": "large",
        "description": "More.",
        "nodes": {
            "a": {
                "type": "echo",
                "name": "A",
                "config": {"value": 1},
                "retry": {"attempts": 2},
                "timeoutMs": 5,
                "disabled": True,
                "onError": {"strategy": "fallback", "fallbackValue": {"x": 1}},
                "onInterrupted": "fail",
            },
            "b": {"type": "echo", "name": "B", "config": {}, "onError": {"strategy": "goto", "gotoNode": "a"}},
        },
        "edges": [{"id": "e", "source": "a", "target": "b", "sourceHandle": "error"}],
        "entryPoint": "a",
        "variables": {"v": [1]},
        "settings": {"timeout": 5, "maxConcurrentNodes": 1, "onFailure": "finish-branches", "enableCache": False},
    }

    stored = parse_definition(payload).to_json()

    assert stored == payload


def test_to_json_of_nothing_has_nodes_and_edges() -> None:
    """These two are always there to be added to."""
    assert Definition().to_json() == {"nodes": {}, "edges": []}
