"""Stand-ins that behave: messages that wait until the test delivers them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from random import Random

from celery.canvas import Signature, _chord

from executions import dispatch, tasks

TASKS: dict[str, Callable[..., None]] = {dispatch.DRIVE: tasks.drive, dispatch.RUN_NODES: tasks.run_nodes}


class Messages:
    """What was sent to Celery, in order. A chord's body is sent when its last header has been delivered."""

    def __init__(self) -> None:
        self.waiting: list[Signature] = []
        self.sent: list[Signature] = []
        self._open: list[tuple[list[Signature], Signature]] = []

    def keep(self, message: Signature) -> None:
        if isinstance(message, _chord):
            headers = list(message.tasks)
            self._open.append((list(headers), message.body))
            self.waiting += headers
            self.sent += headers
        else:
            self.waiting.append(message)
            self.sent.append(message)

    def names(self) -> Counter[str]:
        """How many of each task were sent."""
        return Counter(message.task for message in self.sent)

    def deliver(self, message: Signature) -> None:
        TASKS[message.task](*message.args)
        for headers, body in [*self._open]:
            if message in headers:
                headers.remove(message)
                if not headers:
                    self._open.remove((headers, body))
                    self.keep(body)

    def deliver_all(self, *, order: Random | None = None, twice: bool = False) -> None:
        """Deliver until nothing waits: oldest first, or in a random order; *twice*: each message two times."""
        while self.waiting:
            place = order.randrange(len(self.waiting)) if order else 0
            message = self.waiting.pop(place)
            if twice:
                TASKS[message.task](*message.args)
            self.deliver(message)

    def lose_all(self) -> None:
        """As when Redis is flushed."""
        self.waiting.clear()
        self._open.clear()
