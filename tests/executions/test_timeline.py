from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from executions.core import RunStatus
from executions.models import Execution
from executions.timeline import SLICES, timeline_of
from tests.doors import Api, data
from tests.executions.rows import NOON, over, run_of
from tests.factories import EventFactory, NodeRunFactory, WaitpointFactory, WorkspaceFactory
from workflows.models import Workspace


@pytest.fixture
def workspace(db: None) -> Workspace:
    return WorkspaceFactory()


@pytest.fixture
def run(workspace: Workspace) -> Execution:
    return run_of(workspace, status=RunStatus.RUNNING, created_at=NOON, started_at=NOON)


def at(milliseconds: int) -> datetime:
    return NOON + timedelta(milliseconds=milliseconds)


def visited(run: Execution, node_id: str, began: int, ended: int | None, **fields: Any) -> None:
    status = "completed" if ended is not None else "running"
    times = {"ready_at": NOON, "started_at": at(began), "ended_at": None if ended is None else at(ended)}
    NodeRunFactory(execution=run, node_id=node_id, **{"status": status, **times, **fields})


def spans(run: Execution, node_id: str, now: int = 60_000) -> list[tuple[str, int, int | None, int]]:
    found = timeline_of(run, now=at(now)).nodes.get(node_id, ())
    return [(span.kind.value, span.began_ms, span.ended_ms, span.count) for span in found]


def test_visit_is_a_bar(run: Execution) -> None:
    """One that goes on has no end yet; one that did not begin has no bar."""
    visited(run, "a", 0, 250)
    visited(run, "b", 250, None)
    NodeRunFactory(execution=run, node_id="c", status="ready", ready_at=NOON, started_at=None)

    assert spans(run, "a") == [("ran", 0, 250, 1)]
    assert spans(run, "b") == [("ran", 250, None, 1)]
    assert spans(run, "c") == []


def attempt(number: int, began: int, ended: int) -> dict[str, Any]:
    times = {"started_at": at(began).isoformat(), "ended_at": at(ended).isoformat()}
    return {"attempt": number, **times, "error": {"message": "no", "code": "timeout"}}


def test_attempts_are_bars_with_gaps_between_them(run: Execution) -> None:
    """Each that failed is red, the last one is what the node is."""
    history = [attempt(1, 0, 100), attempt(2, 600, 700)]
    visited(run, "a", 1700, 1800, history=history, attempt=3)

    assert spans(run, "a") == [
        ("failed", 0, 100, 1), ("retry", 100, 600, 1), ("failed", 600, 700, 1), ("retry", 700, 1700, 1), ("ran", 1700, 1800, 1),
    ]  # fmt: skip


def test_gap_before_an_attempt_that_is_due_goes_on(run: Execution) -> None:
    """The row still has the times of the attempt that its history tells of."""
    visited(run, "a", 0, 100, status="ready", due_at=at(9000), history=[attempt(1, 0, 100)], attempt=2)

    assert spans(run, "a") == [("failed", 0, 100, 1), ("retry", 100, None, 1)]


def test_failure_is_told_from_success(run: Execution) -> None:
    visited(run, "a", 0, 100, status="failed")

    assert spans(run, "a") == [("failed", 0, 100, 1)]


def test_visits_of_a_body_are_told_by_slices(run: Execution) -> None:
    """However many there are: a thousand iterations are no more bars than a screen has room for."""
    for index in range(4):
        visited(run, "work", index * 10, index * 10 + 5, scope=f"loop[{index}]")
    visited(run, "work", 30_000, None, scope="loop[4]")
    visited(run, "work", 30_001, 30_002, scope="loop[5]", status="failed")

    assert spans(run, "work") == [("ran", 0, 35, 4), ("ran", 30_000, None, 1), ("failed", 30_001, 30_002, 1)]


def test_bars_of_a_body_are_as_many_as_there_are_slices(run: Execution) -> None:
    for index in range(SLICES * 2):
        visited(run, "work", index * 100, index * 100 + 1, scope=f"loop[{index}]")

    found = spans(run, "work", now=SLICES * 200)

    assert len(found) == SLICES
    assert sum(count for _, _, _, count in found) == SLICES * 2


def test_wait_lies_over_what_waits(run: Execution) -> None:
    """From the moment at which it was opened to its answer."""
    visited(run, "ask", 0, None, status="waiting")
    WaitpointFactory(execution=run, node_id="ask", created_at=at(5))

    assert spans(run, "ask") == [("ran", 0, None, 1), ("wait", 5, None, 1)]


def test_pauses_are_told_from_the_events(run: Execution) -> None:
    """Paused again before it went on, it is one pause."""
    for seq, (kind, moment) in enumerate([("paused", 10), ("paused", 20), ("resumed", 50), ("paused", 90)], start=2):
        EventFactory(execution=run, seq=seq, type=f"execution:{kind}", at=at(moment), data={})

    assert timeline_of(run, now=at(100)).pauses == ((10, 50), (90, None))


def test_what_a_cancel_stopped_ends_with_the_run(workspace: Workspace) -> None:
    """Nobody wrote down when: its row never heard."""
    run = run_of(workspace, **over(RunStatus.CANCELLED, created_at=NOON, started_at=NOON, ended_at=at(700)))
    visited(run, "a", 100, None, status="cancelled")
    visited(run, "in", 200, None, status="cancelled", scope="loop[0]")
    WaitpointFactory(execution=run, node_id="a", created_at=at(150))

    assert spans(run, "a") == [("ran", 100, 700, 1), ("wait", 150, 700, 1)]
    assert spans(run, "in") == [("ran", 200, 700, 1)]


def test_timeline_costs_four_queries(run: Execution, django_assert_num_queries: Any) -> None:
    for index in range(5):
        visited(run, "work", index, index, scope=f"loop[{index}]")

    with django_assert_num_queries(4):
        timeline_of(run, now=at(100))


def test_timeline_is_served(workspace: Workspace) -> None:
    api = Api(workspace)
    run = run_of(workspace, status=RunStatus.RUNNING, created_at=NOON, started_at=NOON)
    visited(run, "a", 0, 250)

    told = data(api.get(f"/executions/{run.pk}/timeline"))

    assert (told["completed_at"], told["pauses"]) == (None, [])
    assert told["nodes"] == [{"node_id": "a", "spans": [{"kind": "ran", "began_ms": 0, "ended_ms": 250, "count": 1}]}]
