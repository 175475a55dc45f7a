from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import Field

from handlers import Condition, Effect, Lane, Lent, NodeConfig, NodeHandler, NodeInput, NodeOutput, Raw
from handlers.registry import Catalogue, DuplicateNodeType, NodeType, check_config, load


class ShoutConfig(NodeConfig):
    text: str = Field(min_length=1)
    how_often: int = 1
    when: Condition = None
    formula: Raw = Field("", max_length=10)


class Shout(NodeHandler[ShoutConfig]):
    """Upper-case a text."""

    Config = ShoutConfig

    def run(self, node: NodeInput[ShoutConfig], lent: Lent) -> NodeOutput:
        return NodeOutput(data={"text": node.config.text.upper()})

    @classmethod
    def check(cls, config: Mapping[str, Any]) -> list[tuple[str, str]]:
        return [("text", "Too loud already.")] if config.get("text") == "SHOUT" else []


class Whisper(Shout):
    """Lower-case a text."""


def row(name: str, handler: NodeHandler[Any], *aliases: str) -> NodeType:
    return NodeType(
        name=name, handler=handler, category="text", title=name, effect=Effect.PURE, lane=Lane.DRIVE, aliases=aliases
    )


def test_catalogue_finds_a_type_by_name_and_alias_and_lists_it_once() -> None:
    """An alias is another name, not another type."""
    catalogue = Catalogue()

    catalogue.add(row("shout", Shout(), "yell"))
    catalogue.add(row("a", Whisper()))

    assert catalogue["yell"] is catalogue["shout"]
    assert ("yell" in catalogue, "call" in catalogue) == (True, False)
    assert list(catalogue) == ["a", "shout"]
    assert len(catalogue) == 2


@pytest.mark.parametrize("newcomer", [row("shout", Whisper()), row("yell", Whisper()), row("new", Whisper(), "shout")])
def test_catalogue_given_a_name_that_is_taken_refuses(newcomer: NodeType) -> None:
    """Which of two handlers runs must not depend on who was imported first."""
    catalogue = Catalogue()
    catalogue.add(row("shout", Shout(), "yell"))

    with pytest.raises(DuplicateNodeType, match="Shout and Whisper"):
        catalogue.add(newcomer)

    assert list(catalogue) == ["shout"]
    assert [name for name in ("shout", "yell", "new") if name in catalogue] == ["shout", "yell"]


def test_catalogue_given_another_class_of_the_same_name_refuses() -> None:
    """Two people may each write a Shout, in files of their own."""
    catalogue = Catalogue()
    catalogue.add(row("shout", Shout()))
    namesake = type("Shout", (Shout,), {"__module__": "plugins.of.somebody"})

    with pytest.raises(DuplicateNodeType, match=r"Shout and Shout, of .*test_registry\.py and plugins\.of\.somebody"):
        catalogue.add(row("shout", namesake()))


def test_catalogue_given_the_same_class_again_keeps_one() -> None:
    """A module may be imported twice under two names."""
    catalogue = Catalogue()

    catalogue.add(row("shout", Shout()))
    catalogue.add(row("shout", Shout()))

    assert list(catalogue) == ["shout"]


@pytest.mark.parametrize(
    ("config", "wrong"),
    [
        ({"text": "hello"}, []),
        ({"text": "hello", "howOften": 2, "label": "an editor's note"}, []),
        ({}, [("text", "Field required")]),
        ({"text": "{{start.text}}", "howOften": "{{start.n}}"}, []),  # known when it runs
        (
            {"text": "SHOUT", "howOften": []},
            [("text", "Too loud already."), ("howOften", "Input should be a valid integer")],
        ),
        (
            {"text": "a", "formula": "{{a}} + {{b}}"},
            [("formula", "String should have at most 10 characters")],
        ),  # no template
    ],
)
def test_check_config_tells_every_fault_at_once(config: dict[str, Any], wrong: list[tuple[str, str]]) -> None:
    """What the handler says and what the field types say, templates aside."""
    assert check_config(row("shout", Shout()), config) == wrong


def test_handles_of_a_type_are_what_can_be_drawn() -> None:
    """Each once, without other spellings."""
    catalogue = load()

    assert catalogue["switch"].handles({"cases": [{"value": "b"}]}) == ("output", "error", "b", "default")
    assert catalogue["forEach"].handles({}) == ("output", "error", "body")


def test_load_called_twice_gives_the_same_catalogue() -> None:
    """Workers and the web load it each in their way."""
    first = dict(load())

    assert dict(load()) == first


def test_load_of_a_module_that_is_not_there_fails() -> None:
    """A worker without a plug-in would fail the nodes that need it."""
    with pytest.raises(ModuleNotFoundError):
        load(["no.such.plugin"])
