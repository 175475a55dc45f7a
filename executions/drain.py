"""Asked to stop, a worker takes nothing new and hands back what it has not begun."""

from __future__ import annotations

import threading


class Drain:
    """Whether this process is on its way out."""

    def __init__(self) -> None:
        self._wanted = threading.Event()

    @property
    def is_wanted(self) -> bool:
        return self._wanted.is_set()

    def begin(self) -> None:
        self._wanted.set()

    def reset(self) -> None:
        self._wanted.clear()


drain = Drain()
