"""What one reader of a run has yet to take: a bounded queue between the hub and a feed."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from realtime.core import Heard, Newest


class TooSlow(Exception):
    """The listener did not take what was kept for it."""


@dataclass(frozen=True, slots=True)
class Gone:
    """The run was deleted."""


News: TypeAlias = "Heard | Newest | Gone"


class Listener:
    """What one reader has yet to take of its run."""

    def __init__(self, room: int) -> None:
        self._waiting: asyncio.Queue[Sequence[News]] = asyncio.Queue(room)
        self._overflowed = False

    async def get(self) -> Sequence[News]:
        """The next that was told together, when there is some. Raises TooSlow when some had to be thrown away."""
        if self._overflowed:
            raise TooSlow
        return await self._waiting.get()

    async def get_all(self) -> Sequence[News]:
        """All that waits, as soon as there is something. Raises TooSlow as well."""
        news = [*await self.get()]
        while not self._waiting.empty():
            news += await self.get()
        return news

    def put(self, news: Sequence[News]) -> None:
        try:
            self._waiting.put_nowait(news)
        except asyncio.QueueFull:
            self._overflowed = True
