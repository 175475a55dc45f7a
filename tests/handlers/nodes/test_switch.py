from __future__ import annotations

from time import monotonic
from typing import Any

import pytest

from handlers import SelectPort
from handlers.base import FieldKind
from handlers.nodes.switch import SwitchConfig
from handlers.registry import check_config
from tests.handlers.fakes import CATALOGUE, run

SWITCH = CATALOGUE["switch"].handler


def cases(*values: Any) -> list[dict[str, Any]]:
    return [{"value": value, "label": f"case {value}"} for value in values]


@pytest.mark.parametrize(
    ("expression", "values", "port"),
    [
        ("active", ["pending", "active"], "active"),
        ("PENDING", ["pending"], "pending"),  # text ignores case
        (" active", ["active"], "default"),  # but not blanks
        ("none of them", ["pending"], "default"),
        (100, ["100"], "100"),  # a number and its text
        ("1.0", ["1"], "1"),
        ("", ["0"], "default"),  # empty is no number
        (True, ["true"], "true"),
        ("error_not_found", ["error_*"], "error_*"),
        ("prod_eu_cluster", ["prod_*_cluster"], "prod_*_cluster"),
        ("user_a", ["user_?"], "user_?"),
        ("user_abc", ["user_?"], "default"),  # the whole text, not a part
        ("line\nbreak", ["line*"], "line*"),
        ("a.c", ["a.?"], "a.?"),  # the other signs mean themselves
        ("abc", ["a.?"], "default"),
        ("x", ["*", "x"], "*"),  # the first that matches
        (None, ["null", "*"], "default"),  # null is no text
        (None, [None], "null"),
        ("null", [None], "default"),
        ({"a": 1}, ['{"a":1}'], '{"a":1}'),
        ("\ud83d", ["?x", "?"], "?"),  # half a character
    ],
)
def test_switch_leaves_by_the_first_case_that_matches(expression: Any, values: list[Any], port: str) -> None:
    """By pattern, by number, by text, in the order of the cases."""
    output = run("switch", {"expression": expression, "cases": cases(*values)})

    assert output.signal == SelectPort(port=port)


def test_switch_that_matches_tells_the_case_and_the_value() -> None:
    """What was compared is shown as text."""
    output = run("switch", {"expression": 7, "cases": cases("7*")})

    assert output.data == {"matchedCase": "7*", "matchedValue": "7*", "evaluatedExpression": "7"}


@pytest.mark.parametrize(
    ("default_case", "port"),
    [(None, "default"), ("unknown", "default"), ("pending", "pending")],  # a case to take instead of the default
)
def test_switch_without_a_match_says_its_default_case(default_case: str | None, port: str) -> None:
    """The default has a name; a case of that name is taken."""
    config = {"expression": "other", "cases": cases("pending"), "defaultCase": default_case}

    output = run("switch", config)

    assert output.data == {"matchedCase": default_case, "matchedValue": None, "evaluatedExpression": "other"}
    assert output.signal == SelectPort(port=port)


def test_switch_with_a_pattern_of_many_stars_answers_at_once() -> None:
    """A pattern is the author's and the text anybody's; together they must not hold a worker."""
    started = monotonic()

    output = run("switch", {"expression": "a" * 100_000, "cases": cases("a*" * 20 + "b")})

    assert output.signal == SelectPort(port="default")
    assert monotonic() - started < 2


@pytest.mark.parametrize(
    ("config", "ports"),
    [
        ({"cases": cases("a", 1, True, None)}, ("a", "1", "true", "null", "default")),
        ({"cases": cases("a", "a")}, ("a", "default")),
        ({"cases": [{"label": "no value"}, "text", None, {"value": [1]}]}, ("default",)),  # not finished yet
        ({"cases": "text"}, ("default",)),
        ({}, ("default",)),
    ],
)
def test_switch_ports_are_the_cases_as_text(config: dict[str, Any], ports: tuple[str, ...]) -> None:
    """Also of a drawing that is not finished."""
    assert SWITCH.ports(config) == ports


@pytest.mark.parametrize(
    ("handle", "port"),
    [
        ("gold", "gold"),  # by value
        ("case-gold", "gold"),  # by its name for a value
        ("case-0", "silver"),  # by index
        ("case-1", "case-1"),  # a value that looks like an index is a value
        ("case-3", "3"),  # a value that is a number comes before an index
        ("case-4", None),
        ("case-00", None),
        (f"case-{'9' * 5_000}", None),  # more digits than Python reads as a number
        ("case-\N{ARABIC-INDIC DIGIT ZERO}", None),  # a digit, but not one of an index
        ("default", "default"),
        ("other", "default"),  # the default by its own name
        ("Gold", None),
        ("case-", None),
    ],
)
def test_switch_handle_means_a_case(handle: str, port: str | None) -> None:
    """The value first, then `case-<value>`, then `case-<index>`."""
    config = {"cases": cases("silver", "case-1", "gold", "3"), "defaultCase": "other"}

    assert SWITCH.port_for(handle, config) == port


@pytest.mark.parametrize(
    ("config", "wrong"),
    [
        ({"expression": "{{a}}", "cases": cases("a", "b")}, []),
        ({"switchVariable": "{{a}}", "cases": cases("a")}, []),  # as existing workflows spell it
        ({"expression": "{{a}}"}, ["cases"]),
        ({"expression": "{{a}}", "cases": []}, ["cases"]),
        ({"cases": cases("a")}, ["expression"]),
        ({"expression": "a", "cases": [{"label": "x"}]}, ["cases.0.value"]),
        ({"expression": "a", "cases": cases("a", "error")}, ["cases.1.value"]),  # named like a fixed handle
        ({"expression": "a", "cases": cases("default")}, ["cases.0.value"]),
        ({"expression": "a", "cases": cases("")}, ["cases.0.value"]),
        ({"expression": "a", "cases": cases("x", "a", "a")}, ["cases.1.value"]),  # the second can never match
        ({"expression": "a", "cases": cases("{{b}}")}, ["cases.0.value"]),  # no edge could be drawn from it
    ],
)
def test_switch_as_drawn_is_checked(config: dict[str, Any], wrong: list[str]) -> None:
    """A drawing that cannot run is refused with its fields."""
    found = dict(check_config(CATALOGUE["switch"], config))

    assert sorted(field.replace(".str", "") for field in found) == wrong


def test_switch_config_leaves_its_cases_as_drawn() -> None:
    """The ports of the plan are made of them."""
    assert SwitchConfig.field_kinds()["cases"] == FieldKind.RAW
