from __future__ import annotations

from threading import Event, Thread
from time import monotonic

import httpcore2
import pytest

from handlers import network
from handlers.errors import Cancelled, InputError, NodeTimeout
from handlers.network.calls import Call, Overdue, Stopped, current_call
from tests.handlers.fakes import RecordingLent


class LateLent(RecordingLent):
    """The engine's other reason to end an attempt."""

    def check_cancelled(self) -> None:
        if self.cancelled:
            raise NodeTimeout


def test_call_stopped_while_it_blocks_is_woken_and_raises_stopped() -> None:
    """The blocked thread is woken, and what it then read does not count."""
    call, woken = Call(seconds=30), Event()
    stopping = Thread(target=call.stop)

    with pytest.raises(Stopped), call.blocking(woken.set, failing=httpcore2.ReadError):  # noqa: PT012 -- while it blocks
        stopping.start()
        woken.wait(10)

    stopping.join()
    assert woken.is_set()


def test_call_stopped_before_it_blocks_does_not_begin() -> None:
    """A stop that comes between two reads is not lost."""
    call, ran = Call(seconds=30), []
    call.stop()

    with pytest.raises(Stopped), call.blocking(lambda: None, failing=httpcore2.ReadError):
        ran.append("read")

    assert ran == []


def test_call_stopped_after_it_blocked_wakes_nobody() -> None:
    """The socket is back in the pool by then, and another node's."""
    call, woken = Call(seconds=30), Event()
    with call.blocking(woken.set, failing=httpcore2.ReadError):
        pass

    call.stop()

    assert not woken.is_set()


def test_call_without_time_left_raises_overdue() -> None:
    """All waits of a call share its time."""
    call = Call(seconds=0)

    with pytest.raises(Overdue), call.blocking(lambda: None, failing=httpcore2.ReadError):
        pass


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (TimeoutError(), Overdue),  # of a socket whose timeout was what is left
        (ConnectionResetError("reset"), httpcore2.ReadError),
    ],
)
def test_call_whose_socket_fails_raises_httpcores_error(error: OSError, expected: type[Exception]) -> None:
    """The layer above is httpcore, which is told in its own words."""
    call = Call(seconds=30)

    with pytest.raises(expected), call.blocking(lambda: None, failing=httpcore2.ReadError):
        raise error


@pytest.mark.parametrize(("lent", "expected"), [(RecordingLent(), Cancelled), (LateLent(), NodeTimeout)])
def test_network_call_that_was_stopped_raises_what_lent_says(lent: RecordingLent, expected: type[Exception]) -> None:
    """Whatever the interrupted code made of it, the reason is the engine's."""
    with pytest.raises(expected), network.call(lent, seconds=30):  # noqa: PT012 -- what the call makes of it counts
        lent.cancel()
        raise InputError("the answer ended in the middle")


def test_network_call_of_a_cancelled_attempt_does_not_begin() -> None:
    """No request leaves for a run that is over."""
    lent, ran = RecordingLent(), []
    lent.cancel()

    with pytest.raises(Cancelled), network.call(lent, seconds=30):
        ran.append("request")

    assert ran == []


def test_network_call_is_bounded_by_the_attempts_time() -> None:
    """A node may ask for less time than the attempt has, never for more."""
    with network.call(RecordingLent(seconds=5), seconds=30) as short, network.call(RecordingLent(), seconds=7) as own:
        seconds = short.seconds, own.seconds

    assert seconds == (5, 7)


def test_current_call_outside_of_a_call_is_a_bug() -> None:
    """A request without a deadline must not come about."""
    with network.call(RecordingLent(), seconds=30) as call:
        inside = current_call()

    assert inside is call
    with pytest.raises(LookupError):
        current_call()


def test_network_call_ends_within_its_time_when_woken_late() -> None:
    """The seconds that are handed to a wait shrink as the call goes on."""
    started = monotonic()
    with network.call(RecordingLent(), seconds=0.2) as call, pytest.raises(Overdue):  # noqa: PT012 -- until it is over
        while monotonic() - started < 5:
            with call.blocking(lambda: None, failing=httpcore2.ReadError) as left:
                Event().wait(left / 2 + 0.01)

    assert monotonic() - started < 2
