from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from executions.core import RunStatus
from executions.models import Execution
from executions.waiting import wait_for_answer
from tests.factories import ExecutionFactory


def end(run: Execution, status: RunStatus = RunStatus.COMPLETED) -> None:
    Execution.objects.filter(pk=run.pk).update(status=status, ended_at=timezone.now())


@pytest.fixture
def sleeps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long was slept, while the clock goes on by that much."""
    slept: list[float] = []
    monkeypatch.setattr("executions.waiting.sleep", slept.append)
    monkeypatch.setattr("executions.waiting.monotonic", lambda: sum(slept))
    return slept


@pytest.mark.django_db
@pytest.mark.parametrize("status", [status for status in RunStatus if status.is_final])
def test_run_that_is_answered_is_not_waited_for(status: RunStatus, sleeps: list[float]) -> None:
    """Every end is an end."""
    run = ExecutionFactory()
    end(run, status)

    is_answered = wait_for_answer(run.pk, timeout=timedelta(seconds=10))

    assert (is_answered, sleeps) == (True, [])


@pytest.mark.django_db
@pytest.mark.parametrize("status", [status for status in RunStatus if not status.is_final])
def test_run_that_goes_on_is_waited_for_until_the_time_is_up(status: RunStatus, sleeps: list[float]) -> None:
    """Not shorter and not longer; looks come quickly at first and are then a quarter of a second apart."""
    run = ExecutionFactory(status=status)

    is_answered = wait_for_answer(run.pk, timeout=timedelta(seconds=10))

    assert is_answered is False
    assert sum(sleeps) == pytest.approx(10)
    assert sleeps[0] == 0.01
    assert max(sleeps) == 0.25
    assert sleeps[:-1] == sorted(sleeps[:-1])


@pytest.mark.django_db
def test_run_that_has_responded_is_not_waited_for(sleeps: list[float]) -> None:
    """It goes on without its caller."""
    run = ExecutionFactory(status=RunStatus.RUNNING, response={"status": 200, "body": None})

    is_answered = wait_for_answer(run.pk, timeout=timedelta(seconds=10))

    assert (is_answered, sleeps) == (True, [])


@pytest.mark.django_db
def test_run_that_ends_meanwhile_is_noticed_at_the_next_look(
    sleeps: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By its row: that is what is certain."""
    run = ExecutionFactory()

    def sleep(seconds: float) -> None:
        sleeps.append(seconds)
        if len(sleeps) == 3:
            end(run)

    monkeypatch.setattr("executions.waiting.sleep", sleep)

    is_answered = wait_for_answer(run.pk, timeout=timedelta(seconds=10))

    assert (is_answered, len(sleeps)) == (True, 3)


@pytest.mark.django_db(transaction=True)
def test_connection_is_given_back_between_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sixty callers who wait for a minute would otherwise hold sixty connections."""
    run = ExecutionFactory()
    open_while_asleep: list[bool] = []
    real_sleep: Callable[[float], Any] = time.sleep

    def sleep(seconds: float) -> None:
        open_while_asleep.append(connection.connection is not None)
        real_sleep(seconds)

    monkeypatch.setattr("executions.waiting.sleep", sleep)

    wait_for_answer(run.pk, timeout=timedelta(milliseconds=30))

    assert open_while_asleep
    assert not any(open_while_asleep)
