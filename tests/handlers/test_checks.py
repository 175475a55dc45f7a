from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel, model_validator

from handlers.checks import find_faults


class Range(BaseModel):
    least: int
    most: int = 10
    pattern: str = ""

    @model_validator(mode="after")
    def _is_one(self) -> Range:
        if self.least > self.most:
            raise ValueError("least is more than most.")
        return self


@pytest.mark.parametrize(
    ("drawn", "literal", "faults"),
    [
        ({"least": 1}, (), []),
        ({}, (), [("least", "Field required")]),
        ({"least": [], "most": {}}, (), [("least", "Input should be a valid integer"),
                                         ("most", "Input should be a valid integer")]),
        ({"least": "{{a}}"}, (), []),  # known when it runs
        ({"least": "{{a}}"}, ("least",), [
            ("least", "Input should be a valid integer, unable to parse string as an integer")]),
        ({"least": 11}, (), [("config", "least is more than most.")]),
    ],
)  # fmt: skip
def test_faults_are_those_of_what_is_known_before_a_run(
    drawn: dict[str, Any], literal: tuple[str, ...], faults: list[tuple[str, str]]
) -> None:
    """All of them at once, each with its field."""
    assert find_faults(Range, drawn, literal=literal) == faults
