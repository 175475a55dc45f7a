from __future__ import annotations

from typing import Any, get_args

import pytest
from pydantic import ValidationError

from handlers.base import FieldKind
from handlers.errors import ConfigError, InputError
from handlers.nodes.transform import OPERATIONS, Operation, TransformConfig
from handlers.registry import check_config
from tests.handlers.fakes import CATALOGUE, run

ORDER = {"id": 7, "items": [{"sku": "A", "price": 3}, {"sku": "B", "price": 1}], "ship-to": {"city": "Oslo"}}


@pytest.mark.parametrize(
    ("config", "result"),
    [
        ({"inputData": ORDER}, ORDER),  # passthrough is the default
        ({"operation": "passthrough", "inputData": None}, None),
        ({"inputData": ORDER, "expression": "id + 1"}, 8),  # with an expression, custom is
        ({"operation": "custom", "inputData": ORDER, "expression": "$sum(items.price)"}, 4),
        ({"operation": "custom", "inputData": [1, 2], "expression": "$sum($data)"}, 3),
        ({"operation": "custom", "inputData": ORDER, "code": "id"}, 7),  # another name of the expression
        ({"operation": "custom", "inputData": ORDER, "expression": "no.such.path"}, None),
        ({"operation": "extract", "inputData": ORDER, "expression": "items[1].sku"}, "B"),
        ({"operation": "extract", "inputData": ORDER, "expression": "ship-to.city"}, "Oslo"),  # a hyphen is no minus
        ({"operation": "extract", "inputData": ORDER, "expression": "['ship-to'].city"}, "Oslo"),
        ({"operation": "extract", "inputData": ORDER, "expression": "items[5].sku"}, None),
        ({"operation": "extract", "inputData": ORDER, "expression": "id.deeper"}, None),
        ({"operation": "merge", "inputData": [[1], [2, 3], None]}, [1, 2, 3]),  # null: a node that was skipped
        ({"operation": "merge", "inputData": [{"a": 1, "b": 1}, {"b": 2}]}, {"a": 1, "b": 2}),
        ({"operation": "merge", "inputData": {"a": 1}, "sources": [{"b": 2}]}, {"a": 1, "b": 2}),
        ({"operation": "merge", "inputData": [1], "sources": [[2]]}, [1, 2]),  # a list beside others is one of them
        (
            {"transformType": "merge", "sources": [{"a": 1}, {"b": 2}]},
            {"a": 1, "b": 2},
        ),  # as existing workflows spell it
        ({"operation": "merge", "inputData": [None, None]}, []),
        ({"operation": "map", "inputData": ORDER["items"], "expression": "sku & $index"}, ["A0", "B1"]),
        ({"operation": "map", "inputData": [1, 2], "expression": "$item * 2"}, [2, 4]),
        ({"operation": "map", "inputData": [1], "expression": "missing"}, [None]),  # one for each, also for nothing
        ({"operation": "map", "inputData": [], "expression": "$"}, []),
        ({"operation": "filter", "inputData": ORDER["items"], "expression": "price > 2"}, [{"sku": "A", "price": 3}]),
        ({"operation": "filter", "inputData": [0, 1, None, "x"], "expression": "$"}, [1, "x"]),
        ({"operation": "sort", "inputData": [3, 1, 2]}, [1, 2, 3]),
        ({"operation": "sort", "inputData": [3, None, 1]}, [1, 3, None]),  # null comes last
        ({"operation": "sort", "inputData": [{"n": 1}, {"n": 2}], "expression": "-n"}, [{"n": 2}, {"n": 1}]),
        ({"operation": "sort", "inputData": ["b", "a"]}, ["a", "b"]),
        ({"operation": "reduce", "inputData": [1, 2, 3], "expression": "$acc + $item"}, 6),
        ({"operation": "reduce", "inputData": [5], "expression": "$acc + $item"}, 5),
        ({"operation": "reduce", "inputData": [], "expression": "$acc + $item"}, None),
        ({"operation": "parseJSON", "inputData": "[1, 2]"}, [1, 2]),
        ({"operation": "parseJSON", "inputData": "3"}, 3),
        ({"operation": "parseJSON", "inputData": {"read": True}}, {"read": True}),  # read already
        ({"operation": "template", "template": "Hello Ada"}, "Hello Ada"),
        ({"transformType": "template", "template": '{"name": "Ada"}'}, {"name": "Ada"}),
        ({"operation": "template", "template": {"name": "Ada"}}, {"name": "Ada"}),
    ],
)
def test_transform_with_each_operation_gives_the_result_itself(config: dict[str, Any], result: Any) -> None:
    """The output is the result; nothing is wrapped around it."""
    assert run("transform", config).data == result


@pytest.mark.parametrize(
    ("config", "error", "message"),
    [
        (
            {"operation": "map", "inputData": {"a": 1}, "expression": "$"},
            InputError,
            "map needs a list; the input is an object.",
        ),
        (
            {"operation": "filter", "inputData": None, "expression": "$"},
            InputError,
            "filter needs a list; the input is null.",
        ),
        ({"operation": "sort", "inputData": "text"}, InputError, "sort needs a list; the input is 'text'."),
        (
            {"operation": "sort", "inputData": [1, "a"]},
            InputError,
            "sort puts items in order by number or by text; these are of several kinds.",
        ),
        (
            {"operation": "sort", "inputData": [1, True]},
            InputError,
            "sort puts items in order by number or by text; these are of several kinds.",
        ),
        (
            {"operation": "merge", "inputData": [[1], {"a": 1}]},
            InputError,
            "merge lays lists together, or objects; it was given a list, an object.",
        ),
        (
            {"operation": "merge", "sources": ["a"]},
            InputError,
            "merge lays lists together, or objects; it was given 'a'.",
        ),
        (
            {"operation": "parseJSON", "inputData": "{"},
            InputError,
            "Invalid JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)",
        ),
        (
            {"operation": "custom", "inputData": {}, "expression": "'a' + 1"},
            InputError,
            "JSONata: The left side of the + operator must evaluate to a number",
        ),
        (
            {"operation": "custom", "inputData": {}, "expression": "("},
            ConfigError,
            "JSONata: Expected ) before end of expression (at character 1)",
        ),
    ],
)
def test_transform_that_cannot_be_done_fails_with_a_sentence(
    config: dict[str, Any], error: type[Exception], message: str
) -> None:
    """The author reads what is wrong with the data or the expression."""
    with pytest.raises(error) as failure:
        run("transform", config)

    assert str(failure.value) == message


def test_transform_of_an_unknown_operation_is_refused() -> None:
    """A new word is no passthrough."""
    with pytest.raises(ValidationError):
        run("transform", {"operation": "transmogrify", "inputData": 1})


def test_transform_operations_are_all_there() -> None:
    """Every name that a configuration may say has a function."""
    assert set(OPERATIONS) == set(get_args(Operation))


def test_transform_config_leaves_its_expression_as_written() -> None:
    """JSONata has braces of its own."""
    kinds = TransformConfig.field_kinds()

    assert (kinds["expression"], kinds["code"]) == (FieldKind.RAW, FieldKind.RAW)


@pytest.mark.parametrize(
    ("config", "wrong"),
    [
        ({"inputData": "{{a}}"}, []),
        ({"operation": "custom", "inputData": "{{a}}", "expression": "{'total': $sum(price)}"}, []),
        ({"operation": "sort", "inputData": "{{a}}"}, []),  # by the items themselves
        ({"operation": "passthrough", "inputData": "{{a}}", "expression": "("}, []),  # not looked at
        ({"operation": "merge", "sources": ["{{a}}", "{{b}}"]}, []),
        ({"operation": "merge"}, [("inputData", "There is nothing to merge.")]),
        (
            {"operation": "merge", "inputData": "{{a}}", "expression": "{{b}}"},
            [("expression", "merge takes no expression; put more {{references}} into `sources`.")],
        ),
        ({"operation": "map", "inputData": "{{a}}"}, [("expression", "map needs an expression.")]),
        (
            {"operation": "extract", "inputData": "{{a}}", "expression": " "},
            [("expression", "extract needs an expression.")],
        ),
        (
            {"operation": "filter", "inputData": "{{a}}", "expression": "price >"},
            [("expression", "JSONata: Unexpected end of expression (at character 7)")],
        ),
        (
            {"inputData": "{{a}}", "expression": "("},
            [("expression", "JSONata: Expected ) before end of expression (at character 1)")],
        ),
        ({"inputData": "${a.b}"}, [("inputData", "A reference is written {{name.path}}; ${…} stays text.")]),
    ],
)
def test_transform_as_drawn_is_checked(config: dict[str, Any], wrong: list[tuple[str, str]]) -> None:
    """A drawing that cannot run is refused with its field."""
    assert check_config(CATALOGUE["transform"], config) == wrong


@pytest.mark.parametrize(
    ("operation", "text", "more", "value"),
    [
        (
            "parseXML",
            "<order id='7'><item>a</item><item>b</item></order>",
            {},
            {"order": {"id": "7", "item": ["a", "b"]}},
        ),
        ("parseCSV", "sku,qty\na,1\nb,2\n", {}, [{"sku": "a", "qty": "1"}, {"sku": "b", "qty": "2"}]),
        ("parseCSV", "a;1\nb;2", {"hasHeader": False}, [["a", "1"], ["b", "2"]]),
        ("parseCSV", "a|b\n1;2", {"delimiter": ";"}, [{"a|b": "1", "column2": "2"}]),
    ],
)
def test_texts_are_read_by_their_form(operation: str, text: str, more: Any, value: Any) -> None:
    assert run("transform", {"operation": operation, "inputData": text, **more}).data == value
    assert run("transform", {"operation": operation, "inputData": value}).data == value


@pytest.mark.parametrize(
    ("operation", "text", "code"),
    [
        ("parseXML", "<a>", "invalid_xml"),
        ("parseCSV", "x" * 2_000_001, "too_large"),
        ("parseCSV", "a,b\n" + "x" * 1_000_001, "invalid_input"),
    ],
)
def test_texts_that_cannot_be_read_say_why(operation: str, text: str, code: str) -> None:
    with pytest.raises(InputError) as caught:
        run("transform", {"operation": operation, "inputData": text})

    assert caught.value.code == code
