"""How much may be on its way to a reader who has not said that it arrived.

The server in front of us takes whatever we send and keeps it in memory until the reader's connection takes it, so a
slow reader cannot be felt by sending. Answers to pings can: a pong says that all before its ping has arrived.
"""

from __future__ import annotations

from collections import deque
from typing import Final

# As much as two outputs of the widest kind (executions.frames.WIDEST, up to four bytes a character) and a long tail.
WIDEST: Final = 2 * 1024 * 1024  # characters


class Window:
    """How much one reader was sent and has not confirmed, in characters."""

    def __init__(self, *, widest: int = WIDEST) -> None:
        self._widest = widest
        self._sent = 0  # characters since the beginning
        self._arrived = 0
        self._pings: deque[int] = deque()  # what had been sent before each ping that is not answered

    @property
    def is_full(self) -> bool:
        """Too much is on its way: send nothing more before a pong has come."""
        return self._sent - self._arrived > self._widest

    @property
    def awaits_pong(self) -> bool:
        return bool(self._pings)

    def send(self, characters: int) -> None:
        self._sent += characters

    def ping(self) -> None:
        self._pings.append(self._sent)

    def pong(self) -> None:
        """The oldest ping was answered. One that answers none is ignored."""
        if self._pings:
            self._arrived = self._pings.popleft()
