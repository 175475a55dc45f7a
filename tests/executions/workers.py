"""Messages delivered by real threads with connections of their own, as a worker's pool does."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from random import Random
from typing import Any

from celery.canvas import Signature
from django.db import connection

from tests.fakes import TASKS, Messages

STUCK_AFTER = 60  # seconds without a message while some thread still runs one


class Workers(Messages):
    """Delivers in any order, many at a time, until nothing waits and nobody runs."""

    def __init__(self) -> None:
        super().__init__()
        self._changed = threading.Condition()
        self._busy = 0

    def keep(self, message: Signature) -> None:
        with self._changed:
            super().keep(message)
            self._changed.notify_all()

    def deliver_by(self, threads: int, *, order: Random | None = None) -> None:
        """Deliver all there is with so many *threads*. Raises what a task raised."""
        in_parallel([partial(self._work, order or Random(0))] * threads)

    def _work(self, order: Random) -> None:
        while (message := self._next(order)) is not None:
            try:
                TASKS[message.task](*message.args)
            finally:
                self._done(message)

    def _next(self, order: Random) -> Signature | None:
        with self._changed:
            while not self.waiting:
                if not self._busy:
                    return None
                assert self._changed.wait(STUCK_AFTER), "a task does not end"
            self._busy += 1
            return self.waiting.pop(order.randrange(len(self.waiting)))

    def _done(self, message: Signature) -> None:
        """A chord's body follows its last header."""
        with self._changed:
            for headers, body in [*self._open]:
                if message in headers:
                    headers.remove(message)
                    if not headers:
                        self._open.remove((headers, body))
                        self.keep(body)
            self._busy -= 1
            self._changed.notify_all()


def in_parallel(jobs: Sequence[Callable[[], Any]]) -> list[Any]:
    """What each of *jobs* returns, all begun at the same moment in threads of their own. Raises what one of them did."""
    begin = threading.Barrier(len(jobs))

    def run(job: Callable[[], Any]) -> Any:
        begin.wait()
        try:
            return job()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(jobs)) as pool:
        results = [pool.submit(run, job) for job in jobs]
    return [result.result() for result in results]
