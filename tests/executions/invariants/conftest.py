from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from executions.invariants import check_runs
from tests.executions.invariants.looks import Check


@pytest.fixture
def check() -> Check:
    """What is wrong with any run, by code and node; without a grace, unless the test gives one."""

    def wrong(**more: Any) -> list[tuple[str, str | None]]:
        found = check_runs(**{"limit": 100, "grace": timedelta(), **more}).findings
        assert all(each.wrong.endswith(".") and each.mend.endswith(".") for each in found)
        return sorted(((each.code.value, each.where) for each in found), key=str)

    return wrong
