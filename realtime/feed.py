"""What one reader of a run is given: every numbered event after the last one it has, and tokens as they come.

The hub is the fast way and may lose; whatever does not come by itself within GRACE is read from the rows.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from math import inf
from typing import Final

from realtime import rows
from realtime.core import Follower, Heard, Newest, Notice, Numbered, Streams, Tokens
from realtime.hub import Hub
from realtime.listener import Gone, Listener, News

GRACE: Final = 0.05  # seconds; two processes that tell of one run overtake each other by less


class RunGone(Exception):
    """The run was deleted while somebody followed it."""


@dataclass(frozen=True, slots=True)
class Beat:
    """A moment to say that we are alive, and that the run has come as far as *seq*."""

    seq: int


class Feed:
    """One reader's way through one run. *run* must have been read when *listener* was already listening."""

    def __init__(self, run: rows.Run, hub: Hub, listener: Listener, *, after: int, streams: Streams) -> None:
        self._run, self._hub, self._listener, self._streams = run, hub, listener, streams
        self._follower: Follower[Numbered] = Follower(last=min(after, run.seq))
        self._follower.hear(run.seq)
        self._clock = asyncio.get_running_loop().time
        self._read_at = inf  # when the rows are read, unless what is missing comes by itself

    async def follow(self, *, beat: float) -> AsyncGenerator[Heard | Beat, None]:
        """Events after *after*, each once, in order, until the one that ends the run; tokens; notices; and Beats.

        *beat* is the time between two of them, in seconds. Raises TooSlow when the reader does not keep up, RunGone.
        """
        if self._run.status.is_final and self._follower.last == self._run.seq:
            return
        given: Sequence[Heard] = await self._read_rows() if self._follower.is_behind else []
        beat_at = self._clock() + beat
        while True:
            for item in given:
                yield item
                if isinstance(item, Numbered) and item.is_final:
                    return
            if self._clock() >= beat_at:
                yield Beat(self._follower.newest)
                beat_at = self._clock() + beat
            given = await self._hear(until=min(beat_at, self._read_at))

    async def _hear(self, *, until: float) -> Sequence[Heard]:
        """What the next news, or that there was none for so long, has for the reader."""
        given: list[Heard] = []
        for news in await self._next(until - self._clock()):
            match news:
                case Numbered():
                    given += self._follower.offer(news.seq, news)
                case Tokens():
                    given += await self._pieces(news)
                case Notice():
                    given.append(news)
                case Newest():
                    self._follower.hear(news.seq)
                case Gone():
                    raise RunGone
        if not self._follower.is_behind:
            self._read_at = inf
        elif self._read_at == inf:
            self._read_at = self._clock() + GRACE
        elif self._clock() >= self._read_at:
            given += await self._read_rows()
        return given

    async def _next(self, seconds: float) -> Sequence[News]:
        try:
            async with asyncio.timeout(seconds):
                return await self._listener.get()
        except TimeoutError:
            return ()

    async def _read_rows(self) -> Sequence[Numbered]:
        """What is missing; when that is much the first page of it, and the next one at once after it."""
        page = await rows.page(self._run.id, after=self._follower.last)
        self._read_at = self._clock()
        return self._follower.replay([(event.seq, event) for event in page], complete=len(page) < rows.PAGE)

    async def _pieces(self, piece: Tokens) -> Sequence[Tokens]:
        """*piece*, and before it what the reader missed of its stream, as far as it is still known."""
        pieces = []
        if self._streams.lacks(piece):
            texts = await self._hub.texts(self._run.id, [piece.stream])
            pieces = [self._streams.catch_up(stream, text) for stream, text in texts.items()]
        return [new for new in (*pieces, self._streams.offer(piece)) if new is not None]
