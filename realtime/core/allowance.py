"""How much a client may say: a little at once, and no more than a pace in the long run."""

from __future__ import annotations


class Allowance:
    """A bucket of *most* messages that fills again by *per_second*. Time is seconds of any steady clock."""

    def __init__(self, *, most: int, per_second: float) -> None:
        self._most, self._per_second = most, per_second
        self._left, self._at = float(most), 0.0

    def spend(self, now: float) -> bool:
        """Whether one more message is all right."""
        self._left = min(self._most, self._left + (now - self._at) * self._per_second)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True
