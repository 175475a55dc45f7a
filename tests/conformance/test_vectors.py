"""What the existing product's pure functions were recorded to give, and what the same gives here."""

from __future__ import annotations

import json
from typing import Any

import pytest

from handlers.values import is_same
from tests.conformance import shared
from tests.conformance.differences import DIFFERENCES, difference
from tests.conformance.vectors import FAMILIES, Refused, expected

shared.skip_without()


def parameters() -> list[Any]:
    return [
        pytest.param(family, vector, id=f"{family}-{number}")
        for family in FAMILIES
        for number, vector in enumerate(shared.vectors(family), start=1)
    ]


@pytest.mark.parametrize(("family", "vector"), parameters())
def test_vector_agrees_unless_a_difference_is_listed(family: str, vector: dict[str, Any]) -> None:
    got, wanted = FAMILIES[family](vector), expected(vector)

    listed = difference(family, vector)

    if listed is None:
        assert agree(got, wanted), f"expected {wanted!r}, got {got!r}"
    else:
        assert not agree(got, wanted), f"agrees, though this is listed: {listed.reason}"


@pytest.mark.parametrize("one", DIFFERENCES, ids=lambda one: one.reason)
def test_difference_is_about_something(one: Any) -> None:
    for family in one.families:
        assert any(difference(family, vector) is one for vector in shared.vectors(family)), family


def agree(got: Any, wanted: Any) -> bool:
    if isinstance(got, Refused) or isinstance(wanted, Refused):
        return isinstance(got, Refused) and isinstance(wanted, Refused)
    return is_same(got, wanted) or _is_same_json(got, wanted)


def _is_same_json(got: Any, wanted: Any) -> bool:
    """Texts of one object: in the record of the context, the order of its keys is lost."""
    if not (isinstance(got, str) and isinstance(wanted, str) and got.startswith("{") and got != wanted):
        return False
    return sorted(got) == sorted(wanted) and _read(got) == _read(wanted) is not None


def _read(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None
