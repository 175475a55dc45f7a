"""Looks at runs, as the tests of the invariants have them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TypeAlias

from executions.invariants import Finding, check_runs
from executions.models import Execution

Check: TypeAlias = Callable[..., list[tuple[str, str | None]]]


def told(run: Execution) -> list[Finding]:
    """What is wrong with one run, be it for a moment."""
    return list(check_runs(limit=100, grace=timedelta(), execution_ids=[run.pk]).findings)
