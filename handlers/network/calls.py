"""One attempt's use of the network: its deadline, and how to end it from another thread."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Lock
from time import monotonic

import httpcore2

from handlers.errors import Cancelled
from handlers.ports import Lent


class Stopped(httpcore2.NetworkError):
    """Nobody wants the answer any more."""


class Overdue(httpcore2.TimeoutException):
    """The call's time is up."""


class Call:
    """What a thread does on the network until *seconds* from now, or until some other thread calls `stop`."""

    def __init__(self, *, seconds: float) -> None:
        self.seconds = seconds
        self.stopped = False
        self._deadline = monotonic() + seconds
        self._wake: Callable[[], None] | None = None
        self._lock = Lock()  # a socket that has gone back to the pool must not be shut down

    def stop(self) -> None:
        with self._lock:
            self.stopped = True
            if self._wake is not None:
                self._wake()

    @contextmanager
    def blocking(self, wake: Callable[[], None], *, failing: type[httpcore2.NetworkError]) -> Iterator[float]:
        """Around what may block; yields the seconds that are left for it. *wake*, in another thread, makes it return.

        Raises Overdue, Stopped, and *failing* for any other OSError.
        """
        with self._lock:
            if self.stopped:
                raise Stopped
            self._wake = wake
        try:
            seconds = self._deadline - monotonic()
            if seconds <= 0:
                raise Overdue
            yield seconds
        except OSError as error:
            if self.stopped:
                raise Stopped from error
            if isinstance(error, TimeoutError):
                raise Overdue from error
            raise failing(str(error)) from error
        finally:
            with self._lock:
                self._wake = None
        if self.stopped:  # a socket that was shut down reads as if the answer had come to its end
            raise Stopped


_current: ContextVar[Call] = ContextVar("call")


def current_call() -> Call:
    """The call this thread is in. Raises LookupError outside of one: no node uses the network without a deadline."""
    return _current.get()


@contextmanager
def call(lent: Lent, *, seconds: float) -> Iterator[Call]:
    """A call of at most *seconds*, and no longer than the attempt may take.

    Raises what `lent.check_cancelled` does, whatever the interrupted code made of it, once the call has been stopped.
    """
    current = Call(seconds=min(seconds, lent.remaining()))
    lent.on_cancel(current.stop)
    lent.check_cancelled()
    token = _current.set(current)
    try:
        yield current
    except Exception as error:
        if current.stopped:
            lent.check_cancelled()
            raise Cancelled from error
        raise
    finally:
        _current.reset(token)
