"""Numbered events for one reader: each once, in order, whatever the way they came by lost, doubled or reordered.

follower = Follower(last=41)
follower.offer(43, frame)        # [] : 42 is missing; 43 is held
follower.is_behind               # True: wait a moment, then read rows after follower.last
follower.replay([(42, frame)])   # [42, 43]
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Generic, TypeVar

T = TypeVar("T")

MOST_HELD: Final = 1_000  # frames kept for the gap before them to close; above that the rows are read anyway


class Follower(Generic[T]):
    """A state machine of two numbers and a shelf: what was delivered, what is known to exist, what came too early."""

    def __init__(self, *, last: int) -> None:
        self.last = last  # number of the last delivered event
        self.newest = last  # number of the newest event that is known to exist
        self._held: dict[int, T] = {}

    @property
    def is_behind(self) -> bool:
        """Something that exists was not delivered: if it does not come by itself, the rows are to be read."""
        return self.newest > self.last

    def offer(self, seq: int, item: T) -> list[T]:
        """What is to be delivered now that an event came by: none for a repeat, or while one before it is missing."""
        if seq <= self.last:
            return []
        self.newest = max(self.newest, seq)
        if len(self._held) < MOST_HELD or seq == self.last + 1:
            self._held[seq] = item
        return self._release()

    def hear(self, newest: int) -> None:
        """Events up to *newest* exist."""
        self.newest = max(self.newest, newest)

    def replay(self, rows: Iterable[tuple[int, T]], *, complete: bool) -> list[T]:
        """Rows after `last`, in order: what is to be delivered now. *complete*: there was no row after them.

        The rows are the truth: a number that they lack was pruned and is not waited for.
        """
        delivered = []
        for seq, item in rows:
            if seq > self.last:
                delivered.append(item)
                self.last = seq
        if complete:
            # All that was heard of was committed before it was told, so before these rows were read.
            self.newest = self.last
            self._held.clear()
            return delivered
        self.newest = max(self.newest, self.last)
        self._held = {seq: item for seq, item in self._held.items() if seq > self.last}
        return delivered + self._release()

    def _release(self) -> list[T]:
        released = []
        while self.last + 1 in self._held:
            self.last += 1
            released.append(self._held.pop(self.last))
        return released
