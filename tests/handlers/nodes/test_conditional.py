from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers import SelectPort
from handlers.base import FieldKind
from handlers.errors import ConfigError
from handlers.nodes.conditional import WORDS, ConditionalConfig
from handlers.registry import check_config
from tests.handlers.fakes import CATALOGUE, run

VALUES = (
    st.none()
    | st.booleans()
    | st.integers(-9, 9)
    | st.floats(-9, 9)
    | st.text(max_size=4)
    | st.lists(st.integers(0, 2))
)


def is_met(left: Any, operator: str, right: Any) -> bool:
    output = run("conditional", {"leftValue": left, "operator": operator, "rightValue": right})
    met = output.data["conditionMet"]
    assert isinstance(met, bool)
    return met


@pytest.mark.parametrize(
    ("left", "right", "equal"),
    [
        (10, 10, True),
        ("10", 10, True),  # a number and its text
        ("1e3", "1000", True),
        (" 7 ", 7, True),
        ("hello", "HELLO", True),  # text ignores case
        (" hello", "hello", False),  # but not blanks
        ("true", True, True),
        (1, True, True),
        ("", 0, False),  # empty is no number
        ("null", None, True),
        ("undefined", "null", True),
        (None, "", False),  # null equals only null
        (None, 0, False),
        (None, False, False),
        ([1, 2], "[1, 2]", True),  # JSON text counts as what it holds
        ([1], [True], False),  # in a list, true is not 1
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, True),
        ({"a": 1}, "a", False),
    ],
)
def test_conditional_equality_of_kinds_follows_the_manual(left: Any, right: Any, equal: bool) -> None:
    """Either way round, and != is its contrary."""
    answers = [is_met(*sides) for sides in ((left, "==", right), (right, "==", left), (left, "!=", right))]

    assert answers == [equal, equal, not equal]


@pytest.mark.parametrize(
    ("left", "operator", "right", "met"),
    [
        (20, ">", 10, True),
        ("9", "<", "10", True),  # by number, not by text
        (10, ">=", "10", True),
        (True, ">", 0, True),  # true is 1
        (None, "<", 1, True),  # null is 0
        ("", ">=", 0, True),
        ("apple", "<", "Banana", True),  # by text, ignoring case
        ("hello", "<", "HELLO", False),
        ("hello", "<=", "HELLO", True),
        (5, "<=", "five", True),  # one side is no number: both are text
        ("Hello World", "contains", "WORLD", True),
        ("Hello World", "contains", "Moon", False),
        (["a", "B"], "contains", "b", True),  # an item by the rules of ==
        ([1, 2], "contains", "2", True),
        ([[1]], "contains", 1, False),
        (12345, "contains", 234, False),  # a number contains nothing
        ({"a": 1}, "contains", "a", False),
        ("Hello", "startsWith", "he", True),
        ("Hello", "endsWith", "LO", True),
        (2026, "startsWith", 20, True),  # as text
        ("", "isEmpty", None, True),
        (None, "isEmpty", None, True),
        ([], "isEmpty", None, True),
        ({}, "isEmpty", None, True),
        (0, "isEmpty", None, False),
        (False, "isEmpty", None, False),
        (" ", "isEmpty", None, False),
        ([0], "isNotEmpty", None, True),
        (None, "isNull", None, True),
        ("", "isNull", None, False),
        (0, "isNotNull", None, True),
    ],
)
def test_conditional_with_each_operator_follows_the_manual(left: Any, operator: str, right: Any, met: bool) -> None:
    """What the class docstring promises."""
    assert is_met(left, operator, right) is met


@given(left=VALUES, right=VALUES)
def test_conditional_orderings_agree_with_each_other(left: Any, right: Any) -> None:
    """Exactly one of below, with and after is true, and >= is > or with."""
    below, after = is_met(left, "<", right), is_met(left, ">", right)

    assert not (below and after)
    assert is_met(left, "<=", right) is not after
    assert is_met(left, ">=", right) is not below
    assert is_met(right, ">", left) is below


@pytest.mark.parametrize(("word", "sign"), WORDS.items())
@pytest.mark.parametrize(("left", "right"), [(1, 2), (2, 2), (3, 2)])
def test_conditional_with_a_word_for_an_operator_means_the_sign(word: str, sign: str, left: int, right: int) -> None:
    """Both spellings occur in existing workflows."""
    assert is_met(left, word, right) is is_met(left, sign, right)


def test_conditional_of_two_values_puts_out_what_it_compared() -> None:
    """Text that was read as something else is shown as that."""
    output = run("conditional", {"conditionType": "simple", "leftValue": "10", "operator": ">", "rightValue": "5"})

    assert output.data == {"conditionMet": True, "branch": "true", "leftValue": 10, "operator": ">", "rightValue": 5}
    assert output.signal == SelectPort(port="true")


@pytest.mark.parametrize("key", ["expression", "condition"])
@pytest.mark.parametrize(
    ("value", "branch"),
    [(True, "true"), ("text", "true"), ([], "true"), (False, "false"), (0, "false"), (None, "false")],
)
def test_conditional_of_an_expression_goes_by_the_truth_of_its_value(key: str, value: Any, branch: str) -> None:
    """The engine evaluates the expression; the node is handed the value."""
    output = run("conditional", {key: value})

    assert output.data == {"conditionMet": branch == "true", "branch": branch}
    assert output.signal == SelectPort(port=branch)


def test_conditional_said_to_be_simple_ignores_an_expression_left_over() -> None:
    """An editor that switches forms leaves the other one's fields behind."""
    config = {"conditionType": "simple", "expression": True, "leftValue": 1, "operator": "==", "rightValue": 2}

    assert run("conditional", config).signal == SelectPort(port="false")


def test_conditional_config_marks_both_names_of_the_expression_for_the_engine() -> None:
    """Otherwise the text of the expression, which is true, would be the value."""
    kinds = ConditionalConfig.field_kinds()

    assert (kinds["expression"], kinds["condition"]) == (FieldKind.CONDITION, FieldKind.CONDITION)


def test_conditional_without_an_operator_fails() -> None:
    """As when the reference that was to yield it yielded null."""
    with pytest.raises(ConfigError, match="operator"):
        run("conditional", {"leftValue": 1, "operator": None})


@pytest.mark.parametrize(
    ("config", "fields"),
    [
        ({"leftValue": "{{a}}", "operator": "=="}, []),
        ({"leftValue": None, "operator": "isNull"}, []),
        ({"expression": "a > 1"}, []),
        ({"condition": "a > 1"}, []),
        ({}, ["leftValue", "operator"]),
        ({"leftValue": 1}, ["operator"]),
        ({"operator": "=="}, ["leftValue"]),
        ({"conditionType": "expression", "leftValue": 1, "operator": "=="}, ["expression"]),
        ({"conditionType": "expression", "expression": ""}, ["expression"]),
        ({"conditionType": "sometimes", "expression": "a"}, ["conditionType"]),
        ({"leftValue": 1, "operator": "like"}, ["operator"]),
        ({"leftValue": 1, "operator": "{{op}}"}, []),  # known when it runs
    ],
)
def test_conditional_as_drawn_is_checked(config: dict[str, Any], fields: list[str]) -> None:
    """A drawing that cannot run is refused with its fields."""
    assert [field for field, _ in check_config(CATALOGUE["conditional"], config)] == fields


@pytest.mark.parametrize(
    ("handle", "port"),
    [
        ("true", "true"),
        ("output-true", "true"),
        ("false", "false"),
        ("output-false", "false"),
        ("yes", None),
        ("", None),
    ],
)
def test_conditional_handle_means_a_port(handle: str, port: str | None) -> None:
    """Both spellings of existing workflows."""
    assert CATALOGUE["conditional"].handler.port_for(handle, {}) == port
