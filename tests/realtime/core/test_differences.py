from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.core.differences import Difference, Side, differences

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=12,
)


def told(difference: Difference) -> list[tuple[str, str, str]]:
    return [(change.path, change.before, change.after) for change in difference.changes]


@pytest.mark.parametrize(
    ("before", "after", "changes"),
    [
        ({"n": 1}, {"n": 1}, []),
        ({"n": 1}, {"n": 2}, [("n", "1", "2")]),
        ({"a": {"b": [1, {"c": None}]}}, {"a": {"b": [1, {"c": 0}]}}, [("a.b[1].c", "null", "0")]),
        ({"gone": 1}, {"new": [2]}, [("new", "", "[2]"), ("gone", "1", "")]),
        (1, True, [("", "1", "true")]),  # Python takes them for the same
        ({"n": 1}, {"n": True}, [("n", "1", "true")]),
        ([1], {"0": 1}, [("", "[1]", '{"0": 1}')]),
        (None, {"a": 1}, [("", "null", '{"a": 1}')]),
        ({"two words": 1}, {"two words": 2}, [('["two words"]', "1", "2")]),
        ([1, 2, 3], [0, 1, 2, 3], [("[0]", "", "0")]),  # put in at the front: the others are as they were
        ([1, 2, 3], [1, 3], [("[1]", "2", "")]),
        ([{"n": 1}, 5], [{"n": 2}, 5], [("[0].n", "1", "2")]),
        ("Ada", "Bob", [("", '"Ada"', '"Bob"')]),
    ],
)
def test_differences_are_told_by_their_place(before: Any, after: Any, changes: Any) -> None:
    assert told(differences(before, after)) == changes


def test_texts_are_compared_word_for_word() -> None:
    """What is the same is told once, and from afar only that it is there."""
    same = " ".join(f"w{number}" for number in range(100))

    [change] = differences(f"We pack it today. {same} end", f"We packed it today. {same} End").changes

    parts = [(words.side, words.text) for words in change.words]
    assert parts[:4] == [
        (Side.SAME, "We "), (Side.REMOVED, "pack"), (Side.ADDED, "packed"), (Side.SAME, parts[3][1]),
    ]  # fmt: skip
    assert parts[3][1].startswith(" it today. w0")
    assert " … " in parts[3][1]
    assert len(parts[3][1]) < 120
    assert parts[4:] == [(Side.REMOVED, "end"), (Side.ADDED, "End")]


def test_what_differs_in_many_places_is_counted() -> None:
    before, after = {f"k{number}": 0 for number in range(7)}, {f"k{number}": 1 for number in range(7)}

    found = differences(before, after, most=5)

    assert ([change.path for change in found.changes], found.omitted) == (["k0", "k1", "k2", "k3", "k4"], 2)


def test_values_that_are_long_are_cut() -> None:
    [change] = differences({"a": ["x" * 1000]}, {"a": 5}).changes

    assert (len(change.before), change.after) == (401, "5")


def test_long_lists_and_deep_values_are_compared_without_end() -> None:
    """Ten thousand items one by one; what is deeper than anybody reads as a whole."""
    deep: Any = 1
    for _ in range(100):
        deep = [deep]
    other: Any = 2
    for _ in range(100):
        other = [other]

    assert told(differences([*range(10_000)], [*range(9_999), -1])) == [("[9999]", "9999", "-1")]
    assert [change.path for change in differences(deep, other).changes] == ["[0]" * 40]
    assert differences("a " * 5000, "b " * 5000).changes[0].words == ()


@given(value=JSON, other=JSON)
def test_values_differ_somewhere_unless_they_are_the_same(value: Any, other: Any) -> None:
    """And none differs from itself."""
    assert not differences(value, value)
    assert bool(differences(value, other)) == (repr_of(value) != repr_of(other))


def repr_of(value: Any) -> Any:
    """With the order of keys left out, and with true told apart from 1."""
    match value:
        case dict():
            return {key: repr_of(inner) for key, inner in value.items()}
        case list():
            return [repr_of(inner) for inner in value]
        case _:
            return (type(value).__name__, value)
