from __future__ import annotations

from typing import Any

import pytest

from flowmaestro.standin.replies import SIGNATURE
from flowmaestro.supervisor import specs


@pytest.mark.parametrize(
    ("key", "model"),
    [("", {"OPENAI_BASE_URL": "http://127.0.0.1:9/v1", "OPENAI_API_KEY": "key-of-nobody"}), ("a real one", {})],
)
def test_standin_environment_allows_the_stand_in_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch, settings: Any, key: str, model: dict[str, str]
) -> None:
    """Its port alone: what else listens on the machine is still refused, and what the site allows is still allowed."""
    monkeypatch.setenv("OPENAI_API_KEY", key)
    settings.FLOWMAESTRO_EGRESS_ALLOW = ["10.0.0.0/8"]

    environment = specs.standin_environment("http://127.0.0.1:9")

    assert environment == {"FLOWMAESTRO_EGRESS_ALLOW": "10.0.0.0/8,127.0.0.1:9", **model}


def test_standin_environment_without_a_stand_in_is_empty() -> None:
    """What the site allows is inherited as it is."""
    assert specs.standin_environment(None) == {}


def test_key_of_the_demo_stands_in_no_letter_of_its(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key is hidden wherever a run tells it: one that is an everyday word would hide that word."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)

    assert specs.standin_environment("http://127.0.0.1:9")["OPENAI_API_KEY"] not in SIGNATURE
