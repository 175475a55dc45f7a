from __future__ import annotations

from threading import Barrier

import pytest

from handlers import network
from handlers.errors import EgressRefused, HandlerError, InputError, NodeTimeout
from tests.handlers.cancelling import cancelled
from tests.handlers.fakes import RecordingLent
from tests.handlers.servers import socket_server, stay_silent


def test_side_by_side_gives_each_outcome_in_order() -> None:
    """One that fails is a failure of its own."""

    def fail() -> int:
        raise InputError("no")

    outcomes = network.side_by_side(RecordingLent(), [lambda: 1, fail, lambda: 3], seconds=20, at_once=2)

    assert [outcomes[0], outcomes[2]] == [1, 3]
    assert isinstance(outcomes[1], InputError)


def test_side_by_side_runs_at_the_same_time() -> None:
    """Each waits for the other: one after the other they would never end."""
    meeting = Barrier(2, timeout=20)

    outcomes = network.side_by_side(RecordingLent(), [meeting.wait, meeting.wait], seconds=20, at_once=2)

    assert sorted(outcomes) == [0, 1]  # type: ignore[type-var]  # numbers, or the test has failed


def test_side_by_side_gives_each_job_its_own_time() -> None:
    def talk(where: tuple[str, int]) -> bytes:
        with network.connect(*where) as sock:
            sock.recv(1)
        if network.current_call().is_overdue:
            raise NodeTimeout
        return b""

    with socket_server(stay_silent) as where:
        outcomes = network.side_by_side(RecordingLent(), [lambda: talk(where)] * 2, seconds=0.2, at_once=2)

    assert [type(outcome) for outcome in outcomes] == [NodeTimeout, NodeTimeout]


def test_side_by_side_is_guarded_in_every_thread() -> None:
    jobs = [lambda: network.connect("169.254.169.254", 80)]

    (outcome,) = network.side_by_side(RecordingLent(), jobs, seconds=20, at_once=1)

    assert isinstance(outcome, EgressRefused)


def test_side_by_side_cancelled_ends_all_at_once() -> None:
    """Those that wait, and those that have not begun."""
    lent, began = RecordingLent(), []

    def wait(where: tuple[str, int]) -> bytes:
        began.append(1)
        with network.connect(*where) as sock:
            return sock.recv(1)

    with socket_server(stay_silent) as where, cancelled(lent):
        network.side_by_side(lent, [lambda: wait(where)] * 20, seconds=20, at_once=2)


def test_side_by_side_of_a_bug_is_a_bug() -> None:
    """What is no HandlerError is nobody's outcome."""

    def crash() -> HandlerError:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        network.side_by_side(RecordingLent(), [crash], seconds=20, at_once=1)
