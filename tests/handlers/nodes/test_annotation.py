from __future__ import annotations

import pytest

from tests.handlers.fakes import CATALOGUE, run


@pytest.mark.parametrize("alias", ["label", "comment", "group", "note"])
def test_annotation_has_the_names_of_existing_workflows(alias: str) -> None:
    assert CATALOGUE[alias] is CATALOGUE["annotation"]


@pytest.mark.parametrize("config", [{}, {"text": "Ask Ada", "color": "#fff"}])
def test_annotation_that_a_run_comes_through_says_nothing(config: dict[str, str]) -> None:
    assert run("annotation", config).data == {}
