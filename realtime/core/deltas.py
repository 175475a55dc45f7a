"""Token deltas joined to frames: the first at once, then at most thirty a second for each stream."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Generic, TypeVar

Key = TypeVar("Key")

# Smoother than people can tell, and an LLM of 100 tokens a second costs a third of the messages.
FRAMES_PER_SECOND: Final = 30


@dataclass(slots=True)
class Piece:
    """Text of one stream without a hole."""

    offset: int  # code points before it
    text: str

    @property
    def end(self) -> int:
        return self.offset + len(self.text)


class Coalescer(Generic[Key]):
    """Deltas of many streams, waiting for their turn. Time is seconds of any steady clock, given by the caller."""

    def __init__(self, *, frames_per_second: float = FRAMES_PER_SECOND) -> None:
        self._pause = 1 / frames_per_second
        self._pending: dict[Key, list[Piece]] = {}
        self._free_at: dict[Key, float] = {}  # streams that were just served, and when they may be again

    def add(self, key: Key, offset: int, text: str) -> None:
        pieces = self._pending.setdefault(key, [])
        if offset == 0:
            pieces.clear()  # another attempt: nobody needs the rest of the last one
        if pieces and pieces[-1].end == offset:
            pieces[-1].text += text
        else:
            pieces.append(Piece(offset, text))

    def take_due(self, now: float) -> list[tuple[Key, Piece]]:
        """What may be sent now, in the order in which the streams first had something to say."""
        self._free_at = {key: at for key, at in self._free_at.items() if at > now}
        due = [key for key in self._pending if key not in self._free_at]
        return [item for key in due for item in self.take(key, now)]

    def take(self, key: Key, now: float) -> list[tuple[Key, Piece]]:
        """What a stream has, due or not: something that must come after it is about to be sent."""
        pieces = self._pending.pop(key, [])
        if pieces:
            self._free_at[key] = now + self._pause
        return [(key, piece) for piece in pieces]

    def take_all(self, now: float) -> list[tuple[Key, Piece]]:
        return [item for key in self.waiting() for item in self.take(key, now)]

    def waiting(self) -> list[Key]:
        """Streams that have something to say."""
        return list(self._pending)

    def next_due(self, now: float) -> float | None:
        """Seconds until `take_due` has something; None: nothing is waiting."""
        if not self._pending:
            return None
        return max(0.0, min(self._free_at.get(key, now) for key in self._pending) - now)
