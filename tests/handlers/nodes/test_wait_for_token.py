from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from handlers import Pause, PauseKind
from handlers.registry import check_config
from tests.handlers.fakes import CATALOGUE, NOW, pause, resume

TOKEN = CATALOGUE["waitForToken"]


def test_wait_for_token_attaches_to_the_one_that_is_named() -> None:
    """What it asks of the answer goes along."""
    config = {
        "token": " wp_1 ",
        "prompt": "The payment",
        "jsonSchema": {"type": "object"},
        "expiresInMs": "60000",
    }

    assert pause("waitForToken", config) == Pause(
        kind=PauseKind.TOKEN,
        key="wp_1",
        prompt="The payment",
        schema={"type": "object"},
        expires_at=NOW + timedelta(minutes=1),
    )


@pytest.mark.parametrize("config", [{}, {"token": ""}, {"token": None, "jsonSchema": None, "prompt": None}])
def test_wait_for_token_without_one_asks_for_its_own(config: dict[str, Any]) -> None:
    """The engine makes it."""
    assert check_config(TOKEN, config) == []
    assert pause("waitForToken", config) == Pause(kind=PauseKind.TOKEN)


def test_wait_for_token_that_was_completed_has_what_came_with_it() -> None:
    """Whatever JSON it is."""
    assert resume("waitForToken", {}, {"paid": True}) == {"result": {"paid": True}}


def test_wait_for_token_with_a_schema_that_cannot_be_used_is_refused() -> None:
    """Nobody could complete it."""
    wrong = check_config(TOKEN, {"jsonSchema": {"required": "amount"}})

    assert wrong == [("jsonSchema", "The JSON Schema is wrong at required: 'amount' is not of type 'array'.")]


def test_wait_for_token_has_the_handle_of_one_that_expires() -> None:
    """Whatever its configuration is so far."""
    assert TOKEN.handles({}) == ("output", "error", "timeout")
