from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.values import (
    LARGEST_SUMMAND,
    MAX_NUMERAL_LENGTH,
    is_same,
    is_shallow,
    is_summable,
    is_truthy,
    number_of,
    read_container,
    read_json,
    text_of,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("as it is", "as it is"),
        (None, "null"),
        (True, "true"),
        (3, "3"),
        (3.0, "3"),  # a whole number has no fraction
        (0.1, "0.1"),
        (1e21, "1e+21"),  # from here on the exponent stays
        ({"a": [1, 2.0]}, '{"a":[1,2]}'),  # no blanks
        ("ü", "ü"),
        (["ü"], '["ü"]'),  # letters stay legible
    ],
)
def test_text_of_each_kind_of_value_is_compact_json(value: Any, text: str) -> None:
    """Text stays as it is, everything else becomes JSON as JavaScript would write it."""
    assert text_of(value) == text


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (4, 4),
        (4.5, 4.5),
        (True, 1),
        (False, 0),
        ("12", 12),
        (" 7 ", 7),  # blanks around are no matter
        ("-3.50", -3.5),
        (".5", 0.5),
        ("1e3", 1000),
        ("0x10", 16),
        ("", None),  # JavaScript would say 0
        ("   ", None),
        ("1_000", None),  # a number to Python alone
        ("Infinity", None),
        ("NaN", None),
        ("1e999", None),  # beyond all numbers
        ("١٢", None),  # digits, but not those of JSON
        ("twelve", None),
        ("9" * (MAX_NUMERAL_LENGTH + 1), None),  # no quantity
        (None, None),
        ([1], None),
        ({}, None),
    ],
)
def test_number_of_each_kind_of_value_is_a_number_or_none(value: Any, number: float | None) -> None:
    """Numbers, numeric text and truth values are numbers; nothing else is."""
    read = number_of(value)

    assert (read, type(read)) == (number, type(number))


@pytest.mark.parametrize(
    ("value", "summable"),
    [
        (0, True),
        (-LARGEST_SUMMAND, True),
        (10**300, True),
        (10**301, False),
        (-(10**400), False),  # too large to become a float
        (1.7e308, False),
        (float("inf"), False),
        (float("nan"), False),
        (True, True),
        ("1e400", True),  # text is no number
        ([1.7e308], True),
        (None, True),
    ],
)
def test_is_summable_of_numbers_that_stay_finite_in_any_sum(value: Any, summable: bool) -> None:
    assert is_summable(value) is summable


@given(number=st.integers() | st.floats(allow_nan=False, allow_infinity=False))
def test_number_of_a_numbers_text_is_that_number(number: float) -> None:
    """What is written as text is read again."""
    text = text_of(number)

    read = number_of(text)

    assert read == number or len(text) > MAX_NUMERAL_LENGTH


@pytest.mark.parametrize("value", [None, False, 0, 0.0, ""])
def test_is_truthy_of_nothing_is_false(value: Any) -> None:
    """Null, false, zero and empty text are false."""
    assert is_truthy(value) is False


@pytest.mark.parametrize("value", [True, 1, -1, "false", " ", [], {}])
def test_is_truthy_of_anything_else_is_true(value: Any) -> None:
    """Everything else is true, an empty list as well."""
    assert is_truthy(value) is True


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        (1, 1.0, True),
        (1, True, False),  # the same to Python
        ([0], [False], False),
        ({"a": {"b": 1}}, {"a": {"b": True}}, False),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, True),
        ({"a": None}, {}, False),
        ([1, 2], [2, 1], False),
    ],
)
def test_is_same_compares_content_at_any_depth(left: Any, right: Any, same: bool) -> None:
    """True is not 1, a missing key is not null, order counts in lists only."""
    assert (is_same(left, right), is_same(right, left)) == (same, same)


@given(left=JSON, right=JSON)
def test_is_same_agrees_with_the_json_texts(left: Any, right: Any) -> None:
    """Two values are the same exactly when their JSON, with keys in order and numbers alike, is."""
    texts = [json.dumps(_with_floats(value), sort_keys=True) for value in (left, right)]

    assert is_same(left, right) == (texts[0] == texts[1])


def _with_floats(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float | list | dict):
        return value
    if isinstance(value, list):
        return [_with_floats(item) for item in value]
    if isinstance(value, dict):
        return {key: _with_floats(item) for key, item in value.items()}
    return value if isinstance(value, int) else int(value) if value.is_integer() else value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": 1}', {"a": 1}),
        (" [1, 2] ", [1, 2]),
        ("42", "42"),  # neither object nor list
        ("[draft] hello", "[draft] hello"),  # only looks like one
        ("[not json]", "[not json]"),
        ('{"a": NaN}', '{"a": NaN}'),  # no JSON
        ("", ""),
    ],
)
def test_read_container_reads_only_objects_and_lists(text: str, value: Any) -> None:
    """Text that is not the JSON of an object or a list stays text."""
    assert read_container(text) == value


@pytest.mark.parametrize("text", ["", "{", "NaN", "-Infinity", "[" * 100_000])
def test_read_json_of_what_is_not_json_raises_value_error(text: str) -> None:
    """Every kind of bad text is one kind of error."""
    with pytest.raises(ValueError):
        read_json(text)


@pytest.mark.parametrize(
    ("value", "levels"), [(1, 0), ("[[[]]]", 0), ([], 1), ({}, 1), ([1, {"a": 1}], 2), ({"a": 1, "b": [[]]}, 3)]
)
def test_is_shallow_counts_what_is_within_each_other(value: Any, levels: int) -> None:
    """Its own level included."""
    assert [is_shallow(value, most=most) for most in range(5)] == [most >= levels for most in range(5)]


def test_is_shallow_of_what_is_nested_past_all_stacks_answers() -> None:
    """It is asked where others would fail."""
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]

    assert not is_shallow(deep, most=200)
