from __future__ import annotations

from typing import Any

import pytest

from executions.body_visits import Progress, Told, VisitCounts, told_of_nodes
from executions.models import Execution
from tests.factories import EventFactory, ExecutionFactory

pytestmark = pytest.mark.django_db


def run_of(*events: str) -> Execution:
    """A run of which was told, from number 1 on: `started a loop[0]`, `progress loop 3`, `started loop of 5`."""
    run = ExecutionFactory()
    for seq, event in enumerate(events, 1):
        kind, node_id, *more = event.split()
        data: dict[str, Any] = {}
        if kind == "progress":
            data["done"] = int(more.pop())
        if kind == "started":
            data["total"] = int(more.pop()) if "of" in more else None
        scope = next((part for part in more if part != "of"), "")
        EventFactory(execution=run, seq=seq, type=f"node:{kind}", node_id=node_id, scope=scope, data=data)
    return run


def test_run_of_which_nothing_was_told_has_nothing() -> None:
    assert told_of_nodes(run_of().pk) == {}


def test_visits_are_counted_by_how_they_ended() -> None:
    """Those under way are not: an attempt that failed is no visit that failed."""
    run = run_of(
        "started a loop[0]", "completed a loop[0]", "started a loop[1]", "failed a loop[1]", "skipped a loop[2]",
        "started a loop[3]", "retrying a loop[3]", "started a loop[3]",
    )  # fmt: skip

    assert told_of_nodes(run.pk)["a"].counts == VisitCounts(completed=1, failed=1, skipped=1)


@pytest.mark.parametrize(
    ("events", "scope"),
    [
        (["started a par[1]", "started a par[0]"], "par[0]"),  # began last, whatever its index
        (["started a par[0]", "started a par[1]", "completed a par[0]"], "par[1]"),  # what ends is no newer for it
        (["started a loop[0]", "completed a loop[0]", "skipped a loop[1]"], "loop[1]"),
        (["started a par[0]", "started a par[1]", "retrying a par[0]", "started a par[0]"], "par[0]"),
    ],
)
def test_newest_visit_is_the_one_that_began_last(events: list[str], scope: str) -> None:
    assert told_of_nodes(run_of(*events).pk)["a"].scope == scope


def test_what_was_told_later_is_left_out() -> None:
    """So that it goes with a snapshot of that number."""
    run = run_of("started a loop[0]", "completed a loop[0]", "started a loop[1]", "completed a loop[1]")

    assert told_of_nodes(run.pk, upto=2) == {"a": Told(counts=VisitCounts(completed=1), scope="loop[0]")}


@pytest.mark.parametrize(
    ("events", "progress"),
    [
        (["started loop of 5"], Progress(done=0, total=5)),
        (["started loop of 5", "progress loop 2", "progress loop 3"], Progress(done=3, total=5)),
        (["started loop", "progress loop 2"], Progress(done=2, total=None)),  # a condition says when it is over
        (["started loop of 0", "completed loop"], Progress(done=0, total=0)),
        (["started loop"], None),
        (["skipped loop"], None),
    ],
)
def test_progress_is_what_was_told_last(events: list[str], progress: Progress | None) -> None:
    assert told_of_nodes(run_of(*events).pk)["loop"].progress == progress


def test_progress_is_that_of_the_newest_visit() -> None:
    """Another branch has moved since, and says nothing of this one."""
    run = run_of(
        "started in par[0] of 9", "progress in par[0] 4", "started in par[1] of 3", "progress in par[1] 1",
        "progress in par[0] 5",
    )  # fmt: skip

    assert told_of_nodes(run.pk)["in"].progress == Progress(done=1, total=3)
    assert told_of_nodes(run.pk, upto=3)["in"].progress == Progress(done=0, total=3)


def test_it_costs_four_queries_at_most(django_assert_max_num_queries: Any) -> None:
    """However many iterations there were."""
    run = run_of(*(f"started a loop[{index}]" for index in range(20)), "progress in par[0] 1", "started in par[1]")

    with django_assert_max_num_queries(4):
        told_of_nodes(run.pk)
