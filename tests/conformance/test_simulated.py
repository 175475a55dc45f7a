"""The cases again, in the pure core by its clock: quick to run, and close to the decision that went wrong."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conformance import shared
from tests.conformance.deferred import deferred
from tests.conformance.simulated import simulate

shared.skip_without()


def parameters() -> list[Any]:
    told = []
    for file, case in shared.cases():
        reason = deferred(case)
        marks = [pytest.mark.skip(reason=reason)] if reason else []
        told.append(pytest.param(case, id=f"{file.partition('.')[0]}-{case['id']}", marks=marks))
    return told


class Engine:
    """The pure core as the suite's judge wants it."""

    def observe(self, case: dict[str, Any], timing: dict[str, int] | None) -> dict[str, Any]:
        return simulate({**case, "definition": shared.module("check").apply_timing(case["definition"], timing)})


@pytest.mark.parametrize("case", parameters())
def test_case_is_as_expected_in_the_pure_core(case: dict[str, Any]) -> None:
    problems = shared.module("check").check(case, Engine())

    if problems:
        pytest.fail("\n".join([case["title"], *(problem[:700] for problem in problems)]), pytrace=False)
