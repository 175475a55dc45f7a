from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from handlers.registry import check_config
from tests.handlers.fakes import CATALOGUE, run


@pytest.mark.parametrize(
    ("config", "answer"),
    [
        ({}, {"status": 200, "body": None}),
        ({"statusCode": 404, "body": "gone"}, {"status": 404, "body": "gone"}),
        ({"statusCode": "201", "body": {"id": 7}}, {"status": 201, "body": {"id": 7}}),  # as a template leaves it
        ({"body": [1], "headers": {}}, {"status": 200, "body": [1]}),
        (
            {"body": "", "headers": {"Content-Type": "text/plain"}},
            {"status": 200, "body": "", "headers": {"Content-Type": "text/plain"}},
        ),
    ],
)
def test_response_says_what_is_answered(config: dict[str, Any], answer: dict[str, Any]) -> None:
    output = run("response", config)

    assert (output.data, output.signal) == (answer, None)


@pytest.mark.parametrize("status", [199, 600, "teapot", None])
def test_status_that_no_answer_has_is_refused(status: object) -> None:
    with pytest.raises(ValidationError, match="statusCode"):
        run("response", {"statusCode": status})


@pytest.mark.parametrize(
    ("config", "fields"), [({"statusCode": 99}, ["statusCode"]), ({"headers": ["a"]}, ["headers"]), ({"body": {}}, [])]
)
def test_configuration_is_judged_as_drawn(config: dict[str, Any], fields: list[str]) -> None:
    assert [field for field, _ in check_config(CATALOGUE["response"], config)] == fields


def test_engine_knows_that_it_responds() -> None:
    assert [name for name, node_type in CATALOGUE.items() if node_type.responds] == ["response"]
