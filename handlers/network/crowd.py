"""Several things at a time on behalf of one attempt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import TypeVar

from handlers.errors import Cancelled, HandlerError
from handlers.network.calls import Call, Stopped, deadline
from handlers.ports import Interruptible

T = TypeVar("T")


def side_by_side(
    lent: Interruptible, jobs: Sequence[Callable[[], T]], *, seconds: float, at_once: int
) -> list[T | HandlerError]:
    """What each of the *jobs* returned, or the HandlerError that it raised, in their order.

    Up to *at_once* run at a time, each in a thread and a call of its own of at most *seconds*; they are not lent
    anything. Raises what `lent.check_cancelled` does as soon as that would, and whatever else a job raises.
    """
    crowd = _Crowd()
    lent.on_cancel(crowd.stop)
    lent.check_cancelled()
    seconds = min(seconds, lent.remaining())

    def attempt(job: Callable[[], T]) -> T | HandlerError:
        try:
            with deadline(seconds=seconds) as call:
                crowd.join(call)
                return job()
        except HandlerError as error:
            return error
        except Stopped:
            return Cancelled()

    with ThreadPoolExecutor(max_workers=at_once, thread_name_prefix="crowd") as threads:
        outcomes = list(threads.map(attempt, jobs))
    lent.check_cancelled()
    return outcomes


class _Crowd:
    def __init__(self) -> None:
        self._calls: list[Call] = []
        self._is_stopped = False
        self._lock = Lock()

    def join(self, call: Call) -> None:
        with self._lock:
            self._calls.append(call)
            if self._is_stopped:
                call.stop()

    def stop(self) -> None:
        with self._lock:
            self._is_stopped = True
            for call in self._calls:
                call.stop()
