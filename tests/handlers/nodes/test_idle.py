from __future__ import annotations

import pytest

from tests.handlers.fakes import CATALOGUE, run


@pytest.mark.parametrize(
    ("drawn_as", "name", "data"),
    [
        ("noop", "noop", {"skipped": True}),
        ("skip", "noop", {"skipped": True}),
        ("placeholder", "noop", {"skipped": True}),
        ("annotation", "annotation", {}),
        ("note", "annotation", {}),
        ("group", "annotation", {}),
        ("label", "annotation", {}),
    ],
)
def test_what_does_nothing_says_so(drawn_as: str, name: str, data: object) -> None:
    assert CATALOGUE[drawn_as].name == name
    assert run(drawn_as, {"content": "anything"}).data == data
