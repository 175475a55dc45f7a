"""What cannot be stored as JSON, and where it is."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from tests.strategies import json_values
from workflows.core.wellformed import MAX_DEPTH, find_flaws


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("payload", "flaws"),
    [
        ({"a": [1, {"b": float("nan")}]}, [("a.1.b", "is nan, which is not JSON")]),
        ([float("inf")], [("0", "is inf, which is not JSON")]),
        ({"a": (1, 2)}, [("a", "is a tuple, which is not JSON")]),
        ({"a": {1: 2}}, [("a", "has a key that is not text: 1")]),
        ({"a": "x\0"}, [("a", "holds a NUL character")]),  # PostgreSQL stores none
        ({"a": "\ud83d"}, [("a", "holds half a character (an unpaired surrogate)")]),
        ({"a\0": 1}, [("", "has a key that holds a NUL character")]),
        (nested(MAX_DEPTH), []),
        (nested(MAX_DEPTH + 1), [(".".join(["0"] * (MAX_DEPTH + 1)), f"is nested more than {MAX_DEPTH} levels deep")]),
        (object, [("", "is a type, which is not JSON")]),
    ],
)
def test_find_flaws_names_the_place(payload: Any, flaws: list[tuple[str, str]]) -> None:
    """Each flaw comes with the way to it."""
    assert list(find_flaws(payload)) == flaws


@given(payload=json_values())
def test_find_flaws_of_json_finds_none(payload: Any) -> None:
    """What the database stores is well formed."""
    assert list(find_flaws(payload)) == []


def test_find_flaws_survives_endless_nesting() -> None:
    """Depth is counted without recursion."""
    flaws = list(find_flaws(nested(100_000)))

    assert [flaw for _, flaw in flaws] == [f"is nested more than {MAX_DEPTH} levels deep"]
