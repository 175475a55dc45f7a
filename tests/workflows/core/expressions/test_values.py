"""Steps through JSON, and values as text."""

from __future__ import annotations

from typing import Any

import pytest

from workflows.core import MISSING, EvaluationError, text_of, walk

DATA: Any = {"list": [1, {"a": None}], "text": "häh", "1": "one", "object": {"length": "own"}}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ((), DATA),
        (("list", 1, "a"), None),  # null is there
        (("list", "0"), 1),  # an index may be written as text
        (("list", 2), MISSING),
        (("list", -1), MISSING),  # nothing is counted from the end
        (("list", "²"), MISSING),  # a digit to some, no index
        (("list", "9" * 30), MISSING),
        (("list", "length"), 2),
        (("text", "length"), 3),
        (("text", 1), "ä"),
        ((1,), "one"),  # keys are text
        (("object", "length"), "own"),
        (("list", "length", "x"), MISSING),
        (("gone", "x"), MISSING),
        (("list", 1, "a", "x"), MISSING),
    ],
)
def test_walk_ends_at_a_value_or_is_missing(path: tuple[str | int, ...], found: Any) -> None:
    """What is not there is told from null, and nothing fails."""
    assert walk(DATA, path) == found


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a", "a"),
        (None, "null"),
        (True, "true"),
        (1.0, "1"),
        (-0.0, "0"),
        (0.1, "0.1"),
        (0.000001, "0.000001"),  # JavaScript's limits for exponents
        (0.00000012, "1.2e-7"),
        (1e20, "100000000000000000000"),
        (1.5e300, "1.5e+300"),
        ({"a": [1, None, "ü"]}, '{"a":[1,null,"ü"]}'),
    ],
)
def test_text_of_a_value_is_what_javascript_writes(value: Any, text: str) -> None:
    """Lists and objects as compact JSON."""
    assert text_of(value) == text


def test_text_of_endless_nesting_fails() -> None:
    """With a sentence, not with Python's own limit."""
    value: Any = 1
    for _ in range(10_000):
        value = [value]

    with pytest.raises(EvaluationError, match="a list cannot be written as text"):
        text_of(value)
