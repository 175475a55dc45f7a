"""The cases again, in the pure core by its clock: quick to run, and close to the decision that went wrong."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conformance import shared
from tests.conformance.simulation import simulate

shared.skip_without()


def parameters() -> list[Any]:
    told = []
    for file, case in shared.cases():
        reason = _reason_to_skip(case)
        marks = [pytest.mark.skip(reason=reason)] if reason else []
        told.append(pytest.param(case, id=f"{file.partition('.')[0]}-{case['id']}", marks=marks))
    return told


def _reason_to_skip(case: dict[str, Any]) -> str | None:
    """Why *case* is for the real stack only; None when it is for the pure core, too."""
    if "processes" in (case.get("needs") or []):
        return "it is about processes"
    if any(action.get("do") in {"retry", "rerun"} for action in case.get("actions") or []):
        return "it is about what a run takes over from the rows of another"
    return None


class Engine:
    """The pure core as the suite's judge wants it."""

    def observe(self, case: dict[str, Any], timing: dict[str, int] | None) -> dict[str, Any]:
        return simulate({**case, "definition": shared.module("check").apply_timing(case["definition"], timing)})


@pytest.mark.parametrize("case", parameters())
def test_case_is_as_expected_in_the_pure_core(case: dict[str, Any]) -> None:
    problems = shared.module("check").check(case, Engine())

    if problems:
        pytest.fail("\n".join([case["title"], *(problem[:700] for problem in problems)]), pytrace=False)
