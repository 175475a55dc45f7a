from __future__ import annotations

from typing import Any

import pytest

from handlers.errors import InputError
from tests.handlers.fakes import run


@pytest.mark.parametrize(
    ("form", "value", "result"),
    [
        ("string", "text", "text"),
        ("string", 42, "42"),
        ("string", {"a": [1, None]}, '{"a":[1,null]}'),  # an object is its JSON
        ("string", None, "null"),  # as inside a text
        ("json", {"a": 1}, {"a": 1}),  # keeps its type
        ("json", '{"a": 1}', {"a": 1}),  # text that holds an object is read
        ("json", " [1, 2] ", [1, 2]),
        ("json", "plain", "plain"),
        ("json", "42", "42"),  # text that holds no object stays text
        ("json", None, None),
        ("number", "42", 42),
        ("number", "-1.5", -1.5),
        ("number", 7, 7),
        ("number", True, 1),
        ("boolean", "true", True),
        ("boolean", "false", True),  # text that is not empty
        ("boolean", "", False),
        ("boolean", 0, False),
        ("boolean", None, False),
        ("boolean", [], True),
    ],
)
def test_output_in_each_format_converts_the_value(form: str, value: Any, result: Any) -> None:
    """The value is made to fit the format, from a JSON value and not from text."""
    output = run("output", {"outputName": "answer", "format": form, "value": value})

    assert output.data == {"answer": result}


def test_output_without_a_format_is_text() -> None:
    """The default that existing workflows rely on."""
    assert run("output", {"outputName": "answer", "value": 42}).data == {"answer": "42"}


@pytest.mark.parametrize("value", ["twelve", "", None, [1], {}])
def test_output_of_a_number_that_is_none_fails(value: Any) -> None:
    """There is no NaN in JSON, and 0 would be a lie."""
    with pytest.raises(InputError) as failure:
        run("output", {"outputName": "answer", "format": "number", "value": value})

    assert failure.value.code == "not_a_number"
