"""One use of the network: its deadline, and how to end it from another thread."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from math import inf
from queue import Empty, SimpleQueue
from threading import Lock, Thread, Timer
from time import monotonic
from typing import TypeVar

import httpcore2

from handlers.errors import Cancelled, EgressRefused
from handlers.ports import Interruptible


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
        self._next_by = inf  # when the caller loses its patience with what comes next
        self._wake: Callable[[], None] | None = None
        self._lock = Lock()  # a socket that has gone back to the pool must not be shut down
        self._held: list[socket.socket] = []
        self._timer: Timer | None = None

    def remaining(self) -> float:
        """Seconds until it is overdue."""
        return max(0.0, self._deadline - monotonic())

    @property
    def is_overdue(self) -> bool:
        """Whether the whole call's time is up, and not only that of what was expected next."""
        return monotonic() >= self._deadline

    def expect(self, seconds: float | None) -> None:
        """Wait only so long, from now, for what comes next; None: for as long as the call may take."""
        self._next_by = inf if seconds is None else monotonic() + seconds

    def stop(self) -> None:
        with self._lock:
            self.stopped = True
            if self._wake is not None:
                self._wake()
            self._shut_down()

    def hold(self, sock: socket.socket) -> None:
        """Shut *sock* down when the call is stopped or overdue: for clients that would not notice either."""
        with self._lock:
            # Another descriptor of the same connection: what the client does with its own is not ours to know.
            self._held.append(sock.dup())
            if self._timer is None:
                self._timer = Timer(self.remaining(), self._end)
                self._timer.daemon = True
                self._timer.start()
            if self.stopped:
                self._shut_down()

    def release(self) -> None:
        """Let go of all that is held; the call is over."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
            for sock in self._held:
                sock.close()
            self._held.clear()

    def _end(self) -> None:
        with self._lock:
            self._shut_down()

    def _shut_down(self) -> None:
        for sock in self._held:
            with suppress(OSError):  # not connected any more
                sock.shutdown(socket.SHUT_RDWR)

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
            seconds = min(self._deadline, self._next_by) - monotonic()
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
def call(lent: Interruptible, *, seconds: float) -> Iterator[Call]:
    """A call of at most *seconds*, and no longer than the attempt may take.

    Raises what `lent.check_cancelled` does, whatever the interrupted code made of it, once the call has been stopped;
    and EgressRefused, whatever the library in between made of that.
    """
    current = Call(seconds=min(seconds, lent.remaining()))
    lent.on_cancel(current.stop)
    lent.check_cancelled()
    try:
        with _in(current):
            yield current
    except Exception as error:
        if current.stopped:
            lent.check_cancelled()
            raise Cancelled from error
        raise


@contextmanager
def deadline(*, seconds: float) -> Iterator[Call]:
    """A call of at most *seconds* for whoever is no node: the same connections, the same guard, nobody to ask.

    Ended from another thread by `Call.stop` alone, when it raises Stopped.
    """
    with _in(Call(seconds=seconds)) as current:
        yield current


@contextmanager
def _in(current: Call) -> Iterator[Call]:
    token = _current.set(current)
    try:
        yield current
    except EgressRefused:
        raise
    except Exception as error:
        # Client libraries take whatever fails below them for a failure to connect, which would be tried again.
        for cause in causes(error):
            if isinstance(cause, EgressRefused):
                raise cause from None
        raise
    finally:
        _current.reset(token)
        current.release()


T = TypeVar("T")


def left_behind(work: Callable[[], T], *, name: str) -> T:
    """What *work* returns, run in a thread that is left behind when the current call is stopped or overdue.

    For what knows neither deadline nor interruption. Raises what *work* does, Stopped, and Overdue.
    """
    answer: SimpleQueue[T | Exception] = SimpleQueue()

    def run() -> None:
        try:
            answer.put(work())
        except Exception as error:  # noqa: BLE001 -- raised where it is waited for
            answer.put(error)

    Thread(target=run, name=name, daemon=True).start()
    with current_call().blocking(lambda: answer.put(Stopped()), failing=httpcore2.ConnectError) as seconds:
        try:
            found = answer.get(timeout=seconds)
        except Empty:
            raise Overdue from None
        if isinstance(found, Exception):
            raise found
    return found


def causes(error: BaseException | None) -> Iterator[BaseException]:
    """*error* and what it came of, the nearest first."""
    seen: set[int] = set()  # chains may bite their own tail
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
