from __future__ import annotations

from typing import Any

from tests.conformance.shrink import shrink
from tests.graphs import draw


def test_shrink_leaves_what_the_failure_needs_and_no_more() -> None:
    """A node between two that must lead to one another is taken out of the line."""
    drawn = draw("start -> a -> b -> c -> d, start -> e -> d, a -> f, c:error -> g", settings={"onFailure": "stop"})

    def fails(definition: dict[str, Any]) -> bool:
        pairs = {(edge["source"], edge["target"]) for edge in definition["edges"]}
        return ("b", "d") in pairs or any(("b", name) in pairs and (name, "d") in pairs for name in "ce")

    smallest = shrink(drawn, fails)

    assert set(smallest["nodes"]) == {"b", "d"}
    assert [(edge["source"], edge["target"]) for edge in smallest["edges"]] == [("b", "d")]
    assert smallest["settings"] == {}


def test_shrink_of_what_cannot_be_smaller_is_the_same() -> None:
    drawn = draw("start -> a")

    assert shrink(drawn, lambda definition: definition == drawn) == drawn
