from __future__ import annotations

import pytest

from tests.handlers.fakes import CATALOGUE, run


@pytest.mark.parametrize("config", [{}, {"message": "later", "value": {"a": 1}}])
def test_noop_does_nothing_and_says_so(config: dict[str, object]) -> None:
    """As the product that workflows come from."""
    assert run("noop", config).data == {"skipped": True}


@pytest.mark.parametrize("alias", ["skip", "placeholder"])
def test_noop_has_the_names_of_existing_workflows(alias: str) -> None:
    assert CATALOGUE[alias] is CATALOGUE["noop"]
