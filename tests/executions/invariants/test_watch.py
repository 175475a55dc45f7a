from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.utils import timezone
from prometheus_client import REGISTRY

from executions.invariants import Invariant, Watch, watch
from executions.leases import lease
from executions.models import Event, Execution, ExecutionState, WorkerLease
from executions.sweep import Sweeper
from tests.executions.runs import begin
from tests.factories import WorkerLeaseFactory
from tests.fakes import Messages

pytestmark = pytest.mark.django_db(transaction=True)


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def pass_by(self, minutes: float) -> None:
        self.now += minutes * 60


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(watch, "monotonic", clock)
    return clock


@pytest.fixture
def look(clock: Clock) -> Callable[[], None]:
    """A look whose time has come."""
    watching = Watch()

    def look() -> None:
        clock.pass_by(2)
        watching.look()

    return look


@pytest.fixture
def broken(messages: Messages) -> Execution:
    """A run with a gap among its events."""
    run = begin("start -> a")
    messages.deliver_all()
    Event.objects.get(execution=run, seq=3).delete()
    return run


def mend(run: Execution) -> None:
    Event.objects.filter(execution=run).delete()
    ExecutionState.objects.filter(pk=run.pk).update(seq=0)


def figure(code: Invariant) -> float | None:
    return REGISTRY.get_sample_value("workflow_invariant_violations", {"code": code.value})


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.message for record in caplog.records if record.levelno >= logging.ERROR]


def test_what_is_found_is_told_once(
    broken: Execution, look: Callable[[], None], caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(3):
        look()

    assert errors(caplog) == [
        f"event_gap: run {broken.pk}: It has 5 events from 1 to 6, and its state says that 6 is the last."
    ]


def test_what_is_found_an_hour_after_it_was_told_is_told_again(
    broken: Execution, look: Callable[[], None], clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """It had been mended, or was left: nobody reads a log for ever."""
    look()
    ended_at, broken.ended_at = timezone.now(), timezone.now() - timedelta(hours=2)
    Execution.objects.filter(pk=broken.pk).update(ended_at=broken.ended_at)
    for _ in range(31):
        look()
    Execution.objects.filter(pk=broken.pk).update(ended_at=ended_at)

    look()

    assert len(errors(caplog)) == 2


def test_figures_are_those_of_the_last_look(broken: Execution, look: Callable[[], None]) -> None:
    look()
    found = figure(Invariant.NUMBERS), figure(Invariant.LEASE), REGISTRY.get_sample_value("workflow_stuck")
    mend(broken)
    look()

    assert (found, figure(Invariant.NUMBERS)) == ((1, 0, 0), 0)


def test_run_that_is_stuck_is_a_figure_of_its_own(messages: Messages, look: Callable[[], None], settings: Any) -> None:
    run = begin("start -> a, start -> b", default="test.count")
    messages.deliver(messages.waiting.pop(0))
    run.node_runs.filter(folded=False).delete()
    an_hour_ago = timezone.now() - timedelta(hours=1)
    ExecutionState.objects.update(folded_at=an_hour_ago)
    WorkerLease.objects.update(started_at=an_hour_ago)

    look()

    assert (figure(Invariant.WAY_FORWARD), REGISTRY.get_sample_value("workflow_stuck")) == (1, 1)


def test_worker_that_has_been_alive_longest_looks_for_all(
    broken: Execution, look: Callable[[], None], caplog: pytest.LogCaptureFixture
) -> None:
    """Another has nothing to tell; it has, once its elders are gone."""
    lease.release()
    elder = WorkerLeaseFactory()
    lease.id()
    look()
    told_beside = len(errors(caplog)), figure(Invariant.NUMBERS)
    elder.expires_at = timezone.now() - timedelta(seconds=1)
    elder.save()

    look()

    assert (told_beside, len(errors(caplog)), figure(Invariant.NUMBERS)) == ((0, 0), 1, 1)


def test_figures_of_a_worker_that_looks_no_more_are_none(broken: Execution, look: Callable[[], None]) -> None:
    look()
    WorkerLeaseFactory(pk=lease.id() - 1)

    look()

    assert figure(Invariant.NUMBERS) == 0


def test_look_comes_about_once_a_minute(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sweeps are far more frequent."""
    looks: list[float] = []
    monkeypatch.setattr(watch, "_is_eldest", lambda: looks.append(clock.now))
    watching = Watch()

    for _ in range(10 * 60):
        clock.pass_by(1 / 60)
        watching.look()

    assert 7 <= len(looks) <= 14
    assert min(later - earlier for earlier, later in pairwise([0, *looks])) >= 45


def test_sweep_watches(monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[None] = []
    monkeypatch.setattr(Watch, "look", lambda _: looks.append(None))

    Sweeper().sweep()

    assert looks == [None]
