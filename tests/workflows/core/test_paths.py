"""Where runs start and what they reach."""

from __future__ import annotations

import pytest

from tests.graphs import draw
from workflows.core.paths import Paths, find_paths


def paths_of(drawing: str, entry_point: str | None = None) -> Paths:
    payload = draw(drawing)
    types = {node_id: node["type"] for node_id, node in payload["nodes"].items()}
    return find_paths(
        types,
        [(edge["source"], edge["target"]) for edge in payload["edges"]],
        entry_point=entry_point,
        inputs={node_id for node_id, node_type in types.items() if node_type == "input"},
        triggers={node_id for node_id, node_type in types.items() if node_type == "trigger"},
    )


@pytest.mark.parametrize(
    ("drawing", "entry_point", "entry"),
    [
        ("a -> b", None, "a"),  # the only root
        ("a -> c, b -> c", "b", "b"),  # the one that is named
        ("a -> b", "b", "b"),  # which need not be a root
        ("a -> b", "ghost", None),  # but must be there
        ("a -> c, b -> c", None, None),  # of two, none can be preferred
        ("in -> b, a -> b", None, "a"),  # inputs aside
        ("in2 -> b, in1 -> b", None, "in1"),  # unless there are only inputs: all of them start anyway
        ("a -> b -> a", None, None),  # no root at all
    ],
)
def test_find_paths_finds_the_entry(drawing: str, entry_point: str | None, entry: str | None) -> None:
    """Where a run starts that is started by hand."""
    assert paths_of(drawing, entry_point).entry == entry


@pytest.mark.parametrize(
    ("drawing", "entry_point", "visited", "only_held"),
    [
        ("a -> b, x -> y -> b", "a", "a b", "x y"),  # what the entry does not reach never runs
        ("a -> b, in -> c", "a", "a b c in", ""),  # an input takes part in every run
        ("a -> b, trigger -> c", "a", "a b c trigger", ""),  # a trigger may fire
        ("a -> b -> c", "b", "b c", "a"),  # what is before the entry does not
        ("a -> b, x -> y -> x", "a", "a b", ""),  # nothing starts in a circle
    ],
)
def test_find_paths_tells_what_can_run_from_what_is_held(
    drawing: str, entry_point: str, visited: str, only_held: str
) -> None:
    """A plan holds what any root reaches; a warning is due for what no run ever does."""
    paths = paths_of(drawing, entry_point)

    assert paths.visited == set(visited.split())
    assert paths.reached - paths.visited == set(only_held.split())
