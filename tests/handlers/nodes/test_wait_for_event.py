from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from handlers import Pause, PauseKind
from handlers.registry import check_config
from tests.handlers.fakes import CATALOGUE, NOW, pause, resume

EVENT = CATALOGUE["waitForEvent"]


def test_wait_for_event_waits_for_one_of_its_type_that_matches() -> None:
    """What the payload has to be goes along."""
    config = {
        "eventType": "order.paid",
        "match": {"order.id": 7},
        "jsonSchema": {"required": ["amount"]},
        "expiresInMs": 60_000,
    }

    assert pause("waitForEvent", config) == Pause(
        kind=PauseKind.EVENT,
        key="order.paid",
        matches={"order.id": 7},
        schema={"required": ["amount"]},
        expires_at=NOW + timedelta(minutes=1),
    )


def test_wait_for_event_without_more_waits_for_any_of_its_type() -> None:
    """The least that can be drawn."""
    config = {"eventType": "order.paid", "match": None}

    assert pause("waitForEvent", config) == Pause(kind=PauseKind.EVENT, key="order.paid")


def test_wait_for_event_that_came_has_its_payload() -> None:
    """Whatever JSON it is."""
    assert resume("waitForEvent", {"eventType": "order.paid"}, {"amount": 5}) == {"event": {"amount": 5}}


@pytest.mark.parametrize(
    ("config", "field", "sentence"),
    [
        ({}, "eventType", "Field required"),
        ({"eventType": ""}, "eventType", "String should have at least 1 character"),
        ({"eventType": "a", "match": ["order.id"]}, "match", "Input should be a valid dictionary"),
        (
            {"eventType": "a", "jsonSchema": {"$ref": "#/$defs/a"}},
            "jsonSchema",
            "The JSON Schema refers to '#/$defs/a', which is no schema in it.",
        ),
    ],
)
def test_wait_for_event_that_could_never_come_is_refused(config: dict[str, Any], field: str, sentence: str) -> None:
    """Named, with what would mend it."""
    assert check_config(EVENT, config) == [(field, sentence)]


def test_wait_for_event_has_the_handle_of_one_that_expires() -> None:
    """Whatever its configuration is so far."""
    assert EVENT.handles({}) == ("output", "error", "timeout")
