"""Rules about types, configurations and expressions."""

from __future__ import annotations

from typing import Any

import pytest

from tests.graphs import catalogue, draw
from workflows.core import Severity, check, parse_definition


def issues_of(payload: dict[str, Any]) -> list[tuple[str, str | None, str | None, str]]:
    issues = check(parse_definition(payload), catalogue=catalogue)
    return [
        (issue.code, issue.node_id, issue.field, issue.message) for issue in issues if issue.severity is Severity.ERROR
    ]


@pytest.mark.parametrize(
    ("written", "suggestion"),
    [
        ("ecko", "echo"),
        ("Switch", "switch"),  # capitals
        ("blockchain", None),
    ],
)
def test_check_of_an_unknown_type_proposes_a_known_one(written: str, suggestion: str | None) -> None:
    """Nothing runs in place of a type that is not there."""
    payload = draw("start -> a", types={"a": written})

    (issue,) = check(parse_definition(payload), catalogue=catalogue)

    assert (issue.code, issue.node_id, issue.field, issue.message, issue.suggestion) == (
        "UNKNOWN_NODE_TYPE",
        "a",
        "type",
        f"a: there is no node type {written!r}",
        suggestion,
    )


@pytest.mark.parametrize("written", ["if", "condition", "conditional"])
def test_check_of_an_alias_is_fine(written: str) -> None:
    """Other names of a type are as good as its own."""
    assert issues_of(draw("start -> c, c:true -> a", types={"c": written})) == []


def test_check_of_a_config_its_handler_cannot_run_with_is_an_error() -> None:
    """What the field types say, and what the handler itself checks."""
    nodes: Any = {"a": {"config": {"count": "many"}}, "switch": {"config": {"cases": [{"value": "error"}]}}}

    issues = issues_of(draw("start -> a -> switch", nodes=nodes))

    assert issues == [
        (
            "INVALID_CONFIG",
            "a",
            "count",
            "a: count: Input should be a valid integer, unable to parse string as an integer",
        ),
        ("INVALID_CONFIG", "switch", "cases", "switch: cases: A case cannot be called error."),
    ]


def test_check_of_a_field_with_a_reference_waits_for_the_run() -> None:
    """What a reference will yield is not known before."""
    assert issues_of(draw("start -> a", nodes={"a": {"config": {"count": "{{start.n}}"}}})) == []


@pytest.mark.parametrize(
    ("node", "config", "code", "field", "said"),
    [
        (
            "a",
            {"value": "x {{1 +}}"},
            "INVALID_REFERENCE",
            "value",
            "{{1 +}} cannot be read: a value is missing before the end",
        ),
        (
            "a",
            {"value": {"k": ["{{}}"]}},
            "INVALID_REFERENCE",
            "value.k.0",
            "{{}} cannot be read: there is nothing here",
        ),
        ("a", {"value": "{{inputs.n.upper()}}"}, "INVALID_REFERENCE", "value", "did you mean toUpperCase()?"),
        ("if", {"expression": "1 =="}, "INVALID_EXPRESSION", "expression", "1 == cannot be read: a value is missing"),
        ("if", {"expression": "{{a"}, "INVALID_EXPRESSION", "expression", "{{a cannot be read: }} is missing"),
        ("a", {"value": "{{env}}"}, "INVALID_REFERENCE", "value", "{{env}} must name one variable: env.NAME"),
        ("a", {"value": "{{env[inputs.which]}}"}, "INVALID_REFERENCE", "value", "must name one variable"),
        ("if", {"expression": "env == 1"}, "INVALID_EXPRESSION", "expression", "env == 1 must name one variable"),
        (
            "a",
            {"value": "{{" + "x" * 200 + " +}}"},
            "INVALID_REFERENCE",
            "value",
            "{{" + "x" * 120 + "…}} cannot be read",
        ),
    ],
)
def test_check_of_an_expression_that_cannot_be_used_quotes_it(
    node: str, config: dict[str, Any], code: str, field: str, said: str
) -> None:
    """Node, field, the expression and what is wrong with it."""
    ((found_code, node_id, found_field, message),) = issues_of(
        draw(f"start -> {node}", nodes={node: {"config": config}})
    )

    assert (found_code, node_id, found_field) == (code, node, field)
    assert message.startswith(f"{node}: {field}: ")
    assert said in message


def test_check_of_several_bad_references_tells_each() -> None:
    """The author repairs in one round, also within one text."""
    issues = issues_of(draw("start -> a", nodes={"a": {"config": {"value": "{{1 +}} {{a b}} {{ok}}"}}}))

    assert [code for code, *_ in issues] == ["INVALID_REFERENCE", "INVALID_REFERENCE"]


@pytest.mark.parametrize("config", [{"value": "{{ and }} {"}, {"value": "a }} b {{"}, {"secret_recipe": "{{1 +}}"}])
def test_check_of_text_that_is_no_reference_is_fine(config: dict[str, Any]) -> None:
    """Braces that do not close are text, and a raw field has a language of its own."""
    assert issues_of(draw("start -> a", nodes={"a": {"config": config}})) == []
