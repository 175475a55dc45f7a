from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pydantic import AliasChoices, Field

from handlers import Condition, NodeConfig, Raw, Resumed, Usage
from handlers.base import FieldKind
from tests.graphs import Echo


class Config(NodeConfig):
    plain_text: str = ""
    raw_text: Raw = ""
    only_if: Condition = Field(None, validation_alias=AliasChoices("onlyIf", "condition"))


def test_node_config_reads_camel_case_and_leaves_other_keys_alone() -> None:
    """A definition's keys are camel case, and editors leave notes in it."""
    config = Config.model_validate({"plainText": "a", "label": "a note"})

    assert config == Config.model_validate({"plain_text": "a"})


def test_field_kinds_names_every_spelling_of_what_is_no_template() -> None:
    """The engine looks keys up as they are drawn."""
    assert Config.field_kinds() == {
        "raw_text": FieldKind.RAW,
        "rawText": FieldKind.RAW,
        "only_if": FieldKind.CONDITION,
        "onlyIf": FieldKind.CONDITION,
        "condition": FieldKind.CONDITION,
    }


def test_usage_adds_up_and_is_json() -> None:
    """The total is never stored beside its parts."""
    usage = Usage(model="m", provider="p", prompt_tokens=2, completion_tokens=3)

    assert usage.to_json() == {
        "model": "m",
        "provider": "p",
        "prompt_tokens": 2,
        "completion_tokens": 3,
        "total_tokens": 5,
        "cached_tokens": None,
        "thinking_tokens": None,
        "cost_usd": None,
    }


def test_handler_that_never_pauses_has_nothing_to_resume() -> None:
    """To be asked is a bug of the engine, which is told the node."""
    now = datetime(2026, 3, 1, tzinfo=UTC)
    resumed = Resumed(node_id="a", scope="", state={}, answer=None, paused_at=now, now=now)

    with pytest.raises(NotImplementedError, match="a has nothing to go on with: its type never pauses"):
        Echo().resume(resumed)
