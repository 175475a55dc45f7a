from __future__ import annotations

import json
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from executions.outputs import checked_port, encoded, plain
from handlers import HandlerError
from tests.executions.runs import nested


def code_of(error: pytest.ExceptionInfo[HandlerError]) -> str:
    return error.value.code


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ({"b": 1, "a": [None, True, 1.0]}, '{"b":1,"a":[null,true,1.0]}'),
        ("grüße", '"grüße"'),
        ("\0", '"\\u0000"'),
        ("half \ud83d ü", '"half \\ud83d \\u00fc"'),
        (None, "null"),
    ],
)
def test_output_is_compact_json(data: Any, text: str) -> None:
    assert encoded(data) == text


@pytest.mark.parametrize("data", [{1, 2}, b"bytes", object(), float("inf"), {("a",): 1}])
def test_what_is_not_json_is_refused(data: Any) -> None:
    with pytest.raises(HandlerError, match="the output is not JSON: ") as refused:
        encoded(data)

    assert code_of(refused) == "invalid_output"


def test_what_contains_itself_is_refused() -> None:
    data: list[Any] = []
    data.append(data)

    with pytest.raises(HandlerError) as refused:
        encoded(data)

    assert code_of(refused) == "invalid_output"


@pytest.mark.parametrize("wrap", [lambda value: value, lambda value: {"k": (value,)}])
@pytest.mark.parametrize("levels", [201, 400, 100_000])
def test_more_levels_than_a_reader_can_descend_are_refused(wrap: Any, levels: int) -> None:
    with pytest.raises(HandlerError, match="the output is nested more than 200 levels deep") as refused:
        encoded(wrap(nested(levels)))

    assert code_of(refused) == "invalid_output"


@pytest.mark.parametrize("data", [nested(200), [nested(199)] * 3, {"k": (nested(198),)}, [[]] * 10_000])
def test_two_hundred_levels_are_fine(data: Any) -> None:
    assert json.loads(encoded(data)) == json.loads(json.dumps(data))


def test_output_of_as_many_bytes_as_the_limit_is_fine(settings: Settings) -> None:
    settings.FLOWMAESTRO_MAX_OUTPUT_BYTES = 5

    assert encoded("€") == '"€"'  # three bytes and two quotes


def test_output_of_more_bytes_than_the_limit_is_refused(settings: Settings) -> None:
    settings.FLOWMAESTRO_MAX_OUTPUT_BYTES = 4

    with pytest.raises(HandlerError, match="the output has 5 bytes; the limit is 4") as refused:
        encoded("€")

    assert code_of(refused) == "output_too_large"


@pytest.mark.parametrize("port", ["true", "", "a b", "ü", "p" * 1_000])
def test_port_is_text(port: str) -> None:
    assert checked_port(port) == port


@pytest.mark.parametrize("port", [None, 1, "p" * 1_001, "a\0b", "half \ud83d"])
def test_port_that_no_row_can_hold_is_refused(port: Any) -> None:
    with pytest.raises(HandlerError) as refused:
        checked_port(port)

    assert code_of(refused) == "invalid_output"
    assert len(str(refused.value)) < 200


@pytest.mark.parametrize(
    ("details", "told"),
    [
        ({"a": (1, 2)}, {"a": [1, 2]}),
        ({1: None}, {"1": None}),
        ({}, {}),
        ("text", {"value": "text"}),
        ([1], {"value": [1]}),
        ({"a": {1}}, {"unreadable": "the output is not JSON: Object of type set is not JSON serializable"}),
        (nested(201), {"unreadable": "the output is nested more than 200 levels deep"}),
    ],
)
def test_details_are_told_as_json_or_say_why_not(details: Any, told: Any) -> None:
    assert plain(details) == told
