from __future__ import annotations

import re
from pathlib import Path

import pytest

import realtime
from handlers.registry import load
from realtime.core import icons
from realtime.core.icons import icon

SPRITE = Path(realtime.__file__).parent / "templates/realtime/icons.svg"


@pytest.mark.parametrize(
    ("node_type", "category", "expected"),
    [
        ("llm", "ai", ("spark", "violet")),
        ("conditional", "logic", ("branch", "amber")),  # its own picture, the tone of its kind
        ("acme.translate", "ai", ("spark", "violet")),  # a plug-in's type, of a category that we know
        ("acme.teleport", "travel", ("box", "teal")),  # of one that we do not
    ],
)
def test_icon_of_a_type_is_its_own_or_that_of_its_category(
    node_type: str, category: str, expected: tuple[str, str]
) -> None:
    """Every node has a picture, whoever wrote its type."""
    assert icon(node_type, category) == expected


def test_every_icon_is_in_the_sprite() -> None:
    """A name without a symbol draws nothing, and says nothing."""
    symbols = set(re.findall(r'id="i-([a-z]+)"', SPRITE.read_text()))

    named = {*icons._BY_TYPE.values(), *(symbol for symbol, _ in icons._BY_CATEGORY.values()), "box"}

    assert named - symbols == set()


def test_every_built_in_category_has_a_picture() -> None:
    """A new family of built-in types gets one, or this test says so."""
    families = {node_type.category for node_type in load().values()} - {"test"}

    assert families - icons._BY_CATEGORY.keys() == set()
