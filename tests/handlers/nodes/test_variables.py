from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from handlers import VariableWrite
from handlers.errors import ConfigError
from handlers.registry import check_config
from tests.handlers.fakes import CATALOGUE, run


@pytest.mark.parametrize(
    ("how", "change"),
    [
        ("value", {"total": 3}),
        ("value", None),  # null is a value to set
        ("increment", 1),
        ("increment", -0.5),
        ("append", [1, 2]),  # one item, which is a list
        ("append", None),
    ],
)
def test_set_variable_tells_what_it_did_and_asks_for_the_write(how: str, change: Any) -> None:
    """The output never holds the total, which depends on who else writes."""
    output = run("setVariable", {"name": "count", how: change})

    assert output.data == {"name": "count", how: change}
    assert output.writes == (VariableWrite(name="count", how=how, value=change),)


@pytest.mark.parametrize("config", [{"name": "count"}, {"name": "count", "value": 1, "increment": 1}])
def test_set_variable_with_none_or_two_changes_fails(config: dict[str, Any]) -> None:
    """Which of two changes was meant cannot be guessed."""
    with pytest.raises(ConfigError, match="exactly one of value, increment, append"):
        run("setVariable", config)


@pytest.mark.parametrize("increment", ["1", True, None, [1], float("inf")])
def test_set_variable_with_an_increment_that_is_no_number_is_refused(increment: Any) -> None:
    """What looks like a number to a reader would be glued to the counter as text."""
    with pytest.raises(ValidationError):
        run("setVariable", {"name": "count", "increment": increment})


@pytest.mark.parametrize("how", ["value", "increment"])
@pytest.mark.parametrize("number", [1e301, -1e301, 10**301, 10**400])
def test_set_variable_with_a_number_that_cannot_be_added_up_is_refused(how: str, number: float) -> None:
    """Two of them would be infinity, and the sum is made where no node can fail any more."""
    with pytest.raises(ValidationError, match="within ±1e\\+300"):
        run("setVariable", {"name": "count", how: number})


@pytest.mark.parametrize(
    ("config", "wrong"),
    [
        ({"name": "count", "increment": 1}, []),
        ({"name": "count", "increment": "{{step.size}}"}, []),  # known when it runs
        ({"name": "count", "value": None}, []),
        ({"name": "count"}, [("value", "Needs exactly one of value, increment, append.")]),
        ({"name": "count", "value": 1, "append": 2}, [("append", "Needs exactly one of value, increment, append.")]),
        ({"value": 1}, [("name", "Field required")]),
        ({"name": "{{which}}", "value": 1}, [("name", "A variable's name is fixed: letters, digits and _.")]),
        ({"name": "no-hyphens", "value": 1}, [("name", "A variable's name is fixed: letters, digits and _.")]),
    ],
)
def test_set_variable_as_drawn_is_checked(config: dict[str, Any], wrong: list[tuple[str, str]]) -> None:
    """A drawing that cannot run is refused with its field."""
    assert check_config(CATALOGUE["setVariable"], config) == wrong


@pytest.mark.parametrize(("config", "name"), [({"name": "count"}, "count"), ({}, None), ({"name": 3}, None)])
def test_set_variable_writes_names_the_variable(config: dict[str, Any], name: str | None) -> None:
    """Validation asks who writes what, also of drawings that are not finished."""
    assert CATALOGUE["setVariable"].handler.writes(config) == name
