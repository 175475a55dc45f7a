"""Complete workflows through the doors of a running engine, in every timing."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.workers import Workers
from tests.conformance import shared
from tests.conformance.folded import differences
from tests.conformance.machines import Machines
from tests.conformance.real import RealEngine
from tests.realtime.javascript import needs_node

shared.skip_without()

pytestmark = [pytest.mark.stack, pytest.mark.usefixtures("db")]


def parameters() -> list[Any]:
    return [pytest.param(case, id=f"{file.partition('.')[0]}-{case['id']}") for file, case in shared.cases()]


@pytest.fixture(scope="module")
def engine(stack: Workers, request: pytest.FixtureRequest) -> RealEngine:
    """All the chosen cases have been run, many at once."""
    chosen = [
        item.callspec.params["case"]
        for item in request.session.items
        if isinstance(item, pytest.Function) and item.path == request.path and hasattr(item, "callspec")
    ]
    engine = RealEngine(Machines(stack))
    engine.run(chosen)
    return engine


@pytest.mark.parametrize("case", parameters())
def test_case_is_as_expected(case: dict[str, Any], engine: RealEngine) -> None:
    problems = shared.module("check").check(engine.stretched(case), engine)

    if problems:
        pytest.fail("\n".join([case["title"], *(problem[:700] for problem in problems)]), pytrace=False)


@needs_node
def test_events_of_every_run_fold_to_what_the_api_shows(engine: RealEngine) -> None:
    """Whatever the case: who saw the events of its runs has what the API says of them."""
    problems = differences(engine.shown)

    assert len(engine.shown) > 0
    if problems:
        pytest.fail(
            "\n".join([f"{len(problems)} differences", *(problem[:300] for problem in problems[:40])]), pytrace=False
        )
