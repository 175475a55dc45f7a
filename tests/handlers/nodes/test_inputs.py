from __future__ import annotations

from typing import Any

import pytest

from handlers.errors import InputError
from tests.handlers.fakes import run

INPUTS = {"name": "Ada", "age": 36}


def test_trigger_with_any_config_puts_out_the_runs_inputs() -> None:
    """How a trigger fires is nothing to the node in the graph."""
    output = run("trigger", {"triggerType": "schedule", "schedule": "0 9 * * *"}, inputs=INPUTS)

    assert output.data == INPUTS


@pytest.mark.parametrize(
    ("config", "data"),
    [
        ({}, INPUTS),  # no name: all of them
        ({"inputName": ""}, INPUTS),  # as an editor leaves it
        ({"inputName": "name"}, {"name": "Ada"}),
        ({"inputName": "age"}, {"age": 36}),  # values keep their type
        ({"inputName": "age", "value": 1}, {"age": 36}),  # what was given wins
        ({"inputName": "city", "value": "Oslo"}, {"city": "Oslo"}),
        ({"inputName": "city", "defaultValue": "Oslo"}, {"city": "Oslo"}),  # as existing workflows spell it
        ({"inputName": "city"}, {"city": None}),
        ({"inputName": "city", "required": True, "value": "Oslo"}, {"city": "Oslo"}),
    ],
)
def test_input_puts_out_what_was_given_or_the_configured_value(config: dict[str, Any], data: dict[str, Any]) -> None:
    """One input under its name, or all of them."""
    assert run("input", config, inputs=INPUTS).data == data


def test_input_that_is_required_and_missing_fails_and_names_it() -> None:
    """A run without what it needs stops at the beginning."""
    with pytest.raises(InputError, match="'city'") as failure:
        run("input", {"inputName": "city", "required": True}, inputs=INPUTS)

    assert failure.value.code == "missing_input"
