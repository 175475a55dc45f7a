"""What expressions come to."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import expressions, json_values
from workflows.core import MISSING, UNKNOWN, Absent, EvaluationError, ExpressionError, evaluate, parse, walk
from workflows.core.expressions import MAX_TEXT

VALUES: dict[str, Any] = {
    "n": 10,
    "half": 0.5,
    "zero": 0,
    "text": "Hello",
    "numeric": "10",
    "empty": "",
    "yes": True,
    "no": False,
    "nothing": None,
    "list": [1, "two", [3]],
    "none": [],
    "object": {"k-1": "dash", "deep": {"x": [10, {"y": "s"}]}, "length": 99},
}


def look_up(parts: Sequence[str | int]) -> Any:
    return walk(VALUES[str(parts[0])], parts[1:]) if parts[0] in VALUES else UNKNOWN


def value_of(text: str, *, condition: bool = False) -> Any:
    return evaluate(parse(text), look_up, condition=condition)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 + 2 * 3", 7),  # rank
        ("(1 + 2) * 3", 9),
        ("10 - 2 - 3", 5),  # from left to right
        ("4 / 2", 2),  # a whole result is whole
        ("1 / 4", 0.25),
        ("0.5 + 0.5", 1),
        ("0.1 + 0.2", 0.30000000000000004),  # doubles, as in JavaScript
        ("9007199254740993 + 0", 9007199254740993),  # whole numbers are exact beyond doubles
        ("-5 % 3", -2),  # the remainder has the sign of the left side
        ("5 % -3", 2),
        ("5.5 % 2", 1.5),
        ("--3", 3),
        ("- '3'", -3),
        ("'5' * 2", 10),  # numeric text counts as its number
        ("yes + yes", 2),  # true counts as 1
        ("'5' + 2", "52"),  # + joins as soon as one side is text
        ("n + 'x'", "10x"),
        ("'a' + 1.0", "a1"),
        ("'a' + 0.00001", "a0.00001"),  # as JavaScript writes numbers
        ("'a' + 1e-7", "a1e-7"),
        ("'a' + 1e21", "a1e+21"),
        ("'a' + 1e20", "a100000000000000000000"),
        ("'a' + null", "anull"),
        ("'a' + list", 'a[1,"two",[3]]'),
    ],
)
def test_arithmetic_follows_javascript(text: str, value: Any) -> None:
    """Numbers are one kind: whole where they can be, doubles otherwise."""
    result = value_of(text)

    assert (result, type(result)) == (value, type(value))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 == 1.0", True),
        ("n == numeric", True),  # a number equals the text that spells it
        ("'1.0' == 1", True),
        ("'1.0' == '1'", False),  # two texts are compared as texts
        ("'0x10' == 16", True),
        ("'' == 0", False),  # blank text spells no number
        ("yes == 1", False),  # true is not 1
        ("'1' == yes", False),  # nor its text
        ("nothing == 0", False),  # null is only null
        ("nothing == ghost", True),  # what is not there is null
        ("n === numeric", False),
        ("n === 10", True),
        ("yes === 1", False),
        ("'a' != 'A'", True),  # capitals count
        ("list == list.slice(0)", True),  # equal content is equal
        ("object.deep.x[1] === object['deep'].x[1]", True),
        ("list !== none", True),
    ],
)
def test_equality_is_by_content(text: str, value: bool) -> None:
    """Loose equality knows numeric text, and nothing else is loosened."""
    result = value_of(text)

    assert result is value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("n > 9", True),
        ("numeric > '9'", True),  # two numeric texts are compared as numbers
        ("'b' > 'a'", True),  # other texts by their characters
        ("'2024-02-01' >= '2024-01-31'", True),  # so that dates have an order
        ("nothing < 5", True),  # null counts as 0
        ("yes <= 1", True),
        ("'abc' > 5", False),  # text that is no number has no order with one
        ("'abc' <= 5", False),
        ("list > 0", False),  # nor has a list
        ("object >= object", False),
        ("3 >= 3", True),
        ("3 < 3", False),
    ],
)
def test_order_is_of_numbers_or_of_texts(text: str, value: bool) -> None:
    """Where there is no order all four comparisons are false, as with NaN."""
    result = value_of(text)

    assert result is value


@pytest.mark.parametrize(
    ("text", "in_value", "in_condition"),
    [
        ("zero || 'x'", 0, "x"),  # 0, "" and false count as values, and are not true
        ("empty || 'x'", "", "x"),
        ("no || 'x'", False, "x"),
        ("nothing || 'x'", "x", "x"),
        ("ghost || nothing || zero", 0, 0),
        ("zero ?? 'x'", 0, 0),  # ?? is about null in both
        ("nothing ?? 'x'", "x", "x"),
        ("yes && text", "Hello", "Hello"),  # && goes by truth in both
        ("zero && text", 0, 0),
        ("none && text", "Hello", "Hello"),  # an empty list is true
        ("{{zero || 'x'}} == 0", True, True),  # {{…}} in a condition is a value
        ("({{zero}} || 'x') == 'x'", False, True),  # what is around it is not
        ("!empty", True, True),
        ("!!none", True, True),
        ("empty ? 1 : 2", 2, 2),
        ("no ? 1 : zero ? 2 : 3", 3, 3),
        ("yes || ghost.trim()", True, True),  # what does not matter is not evaluated
        ("no && ghost.trim()", False, False),
        ("yes ? 1 : ghost.trim()", 1, 1),
    ],
)
def test_logic_in_a_value_and_in_a_condition_differs_in_or_only(text: str, in_value: Any, in_condition: Any) -> None:
    """In a value `||` fills in for null; in a condition it means or."""
    results = value_of(text), value_of(text, condition=True)

    assert results == (in_value, in_condition)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("text.length", 5),
        ("list.length", 3),
        ("object.length", 99),  # an object has only its own keys
        ("list[1]", "two"),
        ("list.2[0]", 3),
        ("list[zero + 1]", "two"),  # computed
        ("object['k-1']", "dash"),
        ("object.k-1", "dash"),
        ("object['k-' + 1]", "dash"),
        ("object.deep.x[1].y", "s"),
        ("object[text]", None),
        ("text[0]", "H"),
        ("list[9]", None),
        ("list[-1]", None),
        ("list['first']", None),
        ("n.anything", None),
        ("nothing.a.b", None),
        ("ghost.a[0]", None),
        ("object.__class__", None),  # nothing but JSON can be reached
        ("text.__len__", None),
    ],
)
def test_steps_that_lead_nowhere_are_null(text: str, value: Any) -> None:
    """A path is followed through JSON only, and never fails."""
    result = value_of(text)

    assert result == value


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1 / 0", "division by zero"),
        ("1 % 0", "division by zero"),
        ("1.5 % 0", "division by zero"),
        ("nothing + 1", "+ needs a number, not null"),
        ("text - 1", "- needs a number, not a text"),
        ("-list", "- needs a number, not a list"),
        ("list * 2", "* needs a number, not a list"),
        ("1e308 * 10", "not a number, or too large"),
        ("1e308 + 1e308", "not a number, or too large"),
        ("ghost.trim()", "trim() needs a text, not null"),
        ("list[object]", "what stands in [ ] must be a text or a number"),
    ],
)
def test_evaluation_of_nonsense_fails_with_a_sentence(text: str, said: str) -> None:
    """What JavaScript would call NaN, Infinity or a TypeError is an error that quotes the expression."""
    expression = parse(text)

    with pytest.raises(EvaluationError) as failed:
        evaluate(expression, look_up)

    assert (str(failed.value).startswith(f"{text}: "), said in str(failed.value)) == (True, True), str(failed.value)


def test_evaluation_keeps_the_code_of_a_failing_lookup() -> None:
    """Who resolves names says what was wrong with one."""

    def refuse(parts: Sequence[str | int]) -> Absent:
        raise EvaluationError(f"no variable {parts[1]}", code="missing_env")

    with pytest.raises(EvaluationError, match=r"^1 \+ env\.KEY: no variable KEY$") as failed:
        evaluate(parse("1 + env.KEY"), refuse)

    assert failed.value.code == "missing_env"


def test_concatenation_beyond_the_limit_fails() -> None:
    """No expression makes a text larger than the limit, however large what it reads."""
    expression = parse("t + t")

    with pytest.raises(EvaluationError, match="the text would have 1200000 characters"):
        evaluate(expression, lambda _: "x" * 600_000)


@pytest.mark.parametrize(
    "text",
    [
        " && ".join(["t == t"] * 500),
        " + ".join(["t.join('').length"] * 500),
        " + ".join(["Object.values(o).length"] * 300),
        " + ".join(["(s + s).length"] * 200),  # what is made and thrown away counts
    ],
)
def test_evaluation_of_much_data_again_and_again_fails(text: str) -> None:
    """Work is bounded, not only what comes out."""
    values = {"s": "x" * 400_000, "t": ["x"] * 50_000, "o": {str(number): number for number in range(50_000)}}

    with pytest.raises(EvaluationError, match="goes through too much data"):
        evaluate(parse(text), lambda parts: values[str(parts[0])])


def test_evaluation_at_the_greatest_depth_needs_little_stack() -> None:
    """The deepest expression that parses is evaluated well within Python's thousand calls."""
    text = "!(" * 49 + "a" + ")" * 49

    assert value_of(text) is True


@given(text=expressions() | st.text(max_size=40), data=json_values(), condition=st.booleans())
def test_evaluation_of_anything_gives_json_or_fails(text: str, data: Any, condition: bool) -> None:
    """No expression over any data yields what is not JSON, or raises anything but its own errors."""
    try:
        value = evaluate(
            parse(text), lambda parts: MISSING if parts[0] == "ghost" else walk(data, parts[1:]), condition=condition
        )
    except ExpressionError:
        return

    assert json.loads(json.dumps(value, allow_nan=False)) == value
    assert not isinstance(value, str) or len(value) <= MAX_TEXT or value == data


@given(left=st.integers(-(10**20), 10**20), right=st.integers(-(10**20), 10**20))
def test_whole_numbers_are_exact(left: int, right: int) -> None:
    """Identifiers of twenty digits survive arithmetic."""
    expression = parse("a * b + a - b")

    result = evaluate(expression, {("a",): left, ("b",): right}.__getitem__)

    assert result == left * right + left - right


@given(value=st.floats(allow_nan=False, allow_infinity=False))
def test_number_text_reads_back_as_the_number(value: float) -> None:
    """Writing a number loses nothing."""
    expression = parse("'' + a")

    written = evaluate(expression, lambda _: value)

    assert isinstance(written, str)
    assert math.isclose(float(written), value, rel_tol=0, abs_tol=0)
