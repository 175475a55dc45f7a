from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from queue import Queue
from typing import Any
from uuid import UUID, uuid4

import pytest

from executions import alarm as module
from executions import dispatch
from executions.alarm import Alarm

NOW = datetime(2026, 1, 1, tzinfo=UTC)
FIRST, SECOND, THIRD = uuid4(), uuid4(), uuid4()


class Clock:
    """Stands still until the test moves it."""

    def __init__(self) -> None:
        self.moment = NOW

    def now(self, zone: Any) -> datetime:
        return self.moment


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(module, "datetime", clock)
    return clock


@pytest.fixture
def driven(monkeypatch: pytest.MonkeyPatch) -> Queue[UUID]:
    """Runs that were asked to be driven."""
    asked: Queue[UUID] = Queue()
    monkeypatch.setattr(dispatch, "drive", asked.put)
    return asked


@pytest.fixture
def alarm(clock: Clock) -> Iterator[Alarm]:
    alarm = Alarm()
    alarm.start()
    yield alarm
    alarm.stop()


def test_run_is_driven_when_its_moment_has_come(alarm: Alarm, clock: Clock, driven: Queue[UUID]) -> None:
    alarm.at(NOW + timedelta(seconds=30), FIRST)
    alarm.at(NOW, SECOND)
    assert driven.get(timeout=10) == SECOND
    assert driven.empty()

    clock.moment += timedelta(seconds=30)
    alarm.at(NOW + timedelta(seconds=60), THIRD)

    assert driven.get(timeout=10) == FIRST
    assert driven.empty()


def test_moments_come_in_their_order(alarm: Alarm, clock: Clock, driven: Queue[UUID]) -> None:
    """Not in that in which they were asked for."""
    alarm.at(NOW + timedelta(seconds=20), SECOND)
    alarm.at(NOW + timedelta(seconds=10), FIRST)
    clock.moment += timedelta(seconds=40)

    alarm.at(NOW + timedelta(seconds=30), THIRD)

    assert [driven.get(timeout=10) for _ in range(3)] == [FIRST, SECOND, THIRD]


def test_earlier_moment_than_the_one_waited_for_is_not_missed(alarm: Alarm, clock: Clock, driven: Queue[UUID]) -> None:
    alarm.at(NOW + timedelta(seconds=50), SECOND)
    clock.moment += timedelta(seconds=20)

    alarm.at(NOW + timedelta(seconds=10), FIRST)

    assert driven.get(timeout=10) == FIRST
    assert driven.empty()


def test_same_run_may_have_several_moments(alarm: Alarm, driven: Queue[UUID]) -> None:
    alarm.at(NOW, FIRST)
    alarm.at(NOW, FIRST)

    assert [driven.get(timeout=10) for _ in range(2)] == [FIRST, FIRST]


@pytest.mark.parametrize(("seconds", "is_kept"), [(60, True), (61, False)])
def test_what_is_further_off_is_left_to_the_sweep(
    alarm: Alarm, clock: Clock, driven: Queue[UUID], seconds: int, is_kept: bool
) -> None:
    alarm.at(NOW + timedelta(seconds=seconds), FIRST)
    clock.moment += timedelta(days=1)

    alarm.at(NOW + timedelta(days=1), SECOND)

    assert [driven.get(timeout=10) for _ in range(1 + is_kept)] == [FIRST, SECOND][1 - is_kept :]
    assert driven.empty()


class TestLife:
    def threads(self) -> int:
        return [thread.name for thread in threading.enumerate()].count("alarm")

    def test_process_that_is_no_worker_has_none(self, clock: Clock, driven: Queue[UUID]) -> None:
        """A web server that cancels or starts runs asks for nothing."""
        alarm, before = Alarm(), self.threads()

        alarm.at(NOW, FIRST)

        assert (alarm._moments, self.threads()) == ([], before)

    def test_one_thread_is_enough(self, alarm: Alarm) -> None:
        before = self.threads()

        alarm.start()

        assert self.threads() == before

    def test_stopped_alarm_ends_its_thread_and_forgets(self, clock: Clock, driven: Queue[UUID]) -> None:
        """What it would have asked for is in the rows."""
        alarm, before = Alarm(), set(threading.enumerate())
        alarm.start()
        [thread] = set(threading.enumerate()) - before
        alarm.at(NOW + timedelta(seconds=30), FIRST)

        alarm.stop()
        thread.join(10)

        assert (thread.is_alive(), alarm._moments, driven.empty()) == (False, [], True)
        alarm.at(NOW, SECOND)
        assert alarm._moments == []

    def test_drive_that_cannot_be_sent_does_not_end_it(self, alarm: Alarm, monkeypatch: pytest.MonkeyPatch) -> None:
        """Nobody would start it again before the process ends."""
        asked: Queue[UUID] = Queue()

        def send(run: UUID) -> None:
            asked.put(run)
            raise LookupError("the broker speaks another language")

        monkeypatch.setattr(dispatch, "drive", send)

        for run in (FIRST, SECOND):
            alarm.at(NOW, run)
            assert asked.get(timeout=10) == run
