"""One reader of Redis for all listeners of a web process (strictly: of an event loop), handing out in memory.

It waits in one XREAD for the streams of all runs that somebody watches, and for a stream of its own: a blocked XREAD
cannot take new keys, so whoever comes with a new run writes there to wake it. Every LOOK seconds it also asks the rows
how far each watched run has come, and tells; so what Redis forgot, or never got, is missed for that long and no longer.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias
from uuid import UUID, uuid4
from weakref import WeakKeyDictionary

import redis.asyncio
from django.conf import settings
from django.db import DatabaseError
from redis import RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry

from realtime import keys, rows
from realtime.core import Newest, from_entry
from realtime.listener import Gone, Listener, News
from realtime.texts import readable

logger = logging.getLogger(__name__)

LOOK: Final = 2.0  # seconds
ROOM: Final = 2 * keys.MOST_ENTRIES  # entries that wait for one listener: more than its run's stream can hold
CLIENT_NAME: Final = f"flowmaestro-hub-{os.getpid()}"  # in CLIENT LIST, for who wonders what reads there
_BLOCK_MS: Final = 10_000
_SILENCE: Final = 20.0  # seconds; a Redis that does not answer a read of 10 s for so long is not there any more
_JOIN_TIMEOUT: Final = 1.0  # seconds; a listener that Redis keeps waiting goes on with the rows
_PAUSES: Final = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)  # seconds between tries while Redis is away
_AT_ONCE: Final = 500  # entries of a stream in one answer

Entries: TypeAlias = "list[tuple[bytes, dict[bytes, bytes]]]"  # of a stream: id and fields
Look: TypeAlias = "Callable[[Collection[UUID]], Awaitable[Mapping[UUID, int]]]"


@dataclass(slots=True, kw_only=True)
class _Watched:
    """A run, or a workspace, that somebody listens to."""

    listeners: list[Listener] = field(default_factory=list)
    position: bytes | None = None  # id of the last entry read; None: the reader has yet to look where the stream ends
    joined: asyncio.Event = field(default_factory=asyncio.Event)

    def tell(self, news: Sequence[News]) -> None:
        for listener in self.listeners:
            listener.put(news)


class Hub:
    """The runs that are watched in this event loop. Its tasks run while there is one.

    Another one is for workspaces: *key* names the stream of what is watched, *look* says how far its rows have come.
    """

    def __init__(self, *, look: Look = rows.newest, key: Callable[[UUID], str] = keys.run, room: int = ROOM) -> None:
        self._look, self._key, self._room = look, key, room
        self._watched: dict[UUID, _Watched] = {}
        self._by_key: dict[bytes, _Watched] = {}
        self._wake = keys.wake(uuid4().hex).encode()
        self._turn = asyncio.Lock()  # of those who come and go
        self._tasks: list[asyncio.Task[None]] = []
        self._look_now = asyncio.Event()

    @asynccontextmanager
    async def listen(self, execution_id: UUID) -> AsyncIterator[Listener]:
        """What is told of a run from now on; what was told before is in the rows."""
        listener = Listener(self._room)
        try:
            await self._join(execution_id, listener)
            yield listener
        finally:
            await asyncio.shield(self._leave(execution_id, listener))

    async def texts(self, execution_id: UUID, streams: Sequence[str]) -> dict[str, str]:
        """What these token streams have said so far; those that Redis does not know are left out.

        To be asked while listening to the run, so that nothing is missed between the answer and the next piece.
        """
        if not streams:
            return {}
        try:
            async with asyncio.timeout(_JOIN_TIMEOUT):
                values: Any = await self._redis.mget([keys.text(execution_id, stream) for stream in streams])
        except (RedisError, OSError):
            return {}  # tokens may be dropped; the output has them all
        texts = {stream: readable(value) for stream, value in zip(streams, values, strict=True)}
        return {stream: text for stream, text in texts.items() if text}

    async def _join(self, execution_id: UUID, listener: Listener) -> None:
        async with self._turn:
            watched = self._watched.get(execution_id)
            if watched is None:
                watched = self._watched[execution_id] = _Watched()
                self._by_key[self._key(execution_id).encode()] = watched
            watched.listeners.append(listener)
            if not self._tasks:
                self._redis = _client()
                self._tasks = [asyncio.create_task(self._read()), asyncio.create_task(self._keep_looking())]
        try:
            async with asyncio.timeout(_JOIN_TIMEOUT):
                if not watched.joined.is_set():
                    await self._redis.xadd(self._wake, {"": ""}, maxlen=1)
                    await self._redis.expire(self._wake, keys.KEPT_SECONDS)
                await watched.joined.wait()
        except (RedisError, OSError):
            logger.warning("Redis does not answer; %s is followed by its rows", execution_id)

    async def _leave(self, execution_id: UUID, listener: Listener) -> None:
        async with self._turn:
            watched = self._watched.get(execution_id)
            if watched is None or listener not in watched.listeners:
                return  # it was called off while it waited for its turn to join
            watched.listeners.remove(listener)
            if not watched.listeners:
                del self._watched[execution_id], self._by_key[self._key(execution_id).encode()]
            if not self._watched:
                await self._stop()

    async def _stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        await self._redis.aclose()

    # ---- reading
    async def _read(self) -> None:
        failures, woken = 0, b"0"
        while True:
            try:
                async with asyncio.timeout(_SILENCE):
                    if failures:
                        await self._redis.ping()
                        failures = 0
                        self._look_now.set()  # what was told meanwhile may have been lost
                    await self._find_positions()
                    answer = await self._xread(woken)
                for key, entries in answer:
                    if key == self._wake:
                        woken = entries[-1][0]
                    else:
                        self._hand_out(key, entries)
            except (RedisError, OSError) as error:
                pause = _PAUSES[min(failures, len(_PAUSES) - 1)]
                failures += 1
                logger.warning("live events are read again in %s s: %s", pause, error)
                await asyncio.sleep(pause)

    async def _xread(self, woken: bytes) -> list[tuple[bytes, Entries]]:
        """Entries by stream, as soon as there are any; none after a while without. Protocol 2 gives them as pairs."""
        positions: dict[Any, Any] = {self._wake: woken}
        positions |= {key: watched.position for key, watched in self._by_key.items() if watched.joined.is_set()}
        return await self._redis.xread(positions, count=_AT_ONCE, block=_BLOCK_MS)  # type: ignore[return-value]  # typed for both protocols

    async def _find_positions(self) -> None:
        """Where the streams of newly watched runs end: from there on they are read."""
        new = [(key, watched) for key, watched in self._by_key.items() if not watched.joined.is_set()]
        if not new:
            return
        pipeline = self._redis.pipeline(transaction=False)
        for key, _ in new:
            pipeline.xrevrange(key, count=1)
        for (_, watched), last in zip(new, await pipeline.execute(), strict=True):
            watched.position = last[0][0] if last else b"0"
            watched.joined.set()

    def _hand_out(self, key: bytes, entries: Entries) -> None:
        watched = self._by_key.get(key)
        if watched is None or not watched.joined.is_set():
            return  # left while we read; or left and watched anew, from a position that is yet to be found
        watched.position = entries[-1][0]
        for entry_id, fields in entries:
            try:
                watched.tell(from_entry(fields))
            except (KeyError, ValueError):  # of another release, while one replaces the other: the rows have it
                logger.warning("entry %r of %r is not understood", entry_id, key)

    # ---- looking
    async def _keep_looking(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK):
                    await self._look_now.wait()
            self._look_now.clear()
            watched = dict(self._watched)
            try:
                newest = await self._look(watched.keys())
            except DatabaseError as error:
                logger.warning("the rows of watched runs could not be looked at: %s", error)
                continue
            for execution_id, run in watched.items():
                run.tell([Newest(newest[execution_id]) if execution_id in newest else Gone()])


def _client() -> redis.asyncio.Redis:
    return redis.asyncio.Redis.from_url(
        settings.REDIS_URL,
        protocol=2,
        # Our timeouts stand around the calls. redis-py's default of 5 s would cut longer blocking reads, and any of its
        # own is an asyncio.wait_for, which up to Python 3.11 can swallow the cancellation that ends the reader.
        socket_timeout=None,
        socket_connect_timeout=_JOIN_TIMEOUT,
        client_name=CLIENT_NAME,
        retry=Retry(NoBackoff(), 0),  # `_read` tries again, and tells the listeners to look at the rows
    )


_hubs: WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = WeakKeyDictionary()


def hub() -> Hub:
    """The hub of the running event loop."""
    loop = asyncio.get_running_loop()
    if loop not in _hubs:
        _hubs[loop] = Hub()
    return _hubs[loop]
