"""What stands before several web processes: it spreads connections among them, and cuts all of them again and again."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import cycle
from threading import Event, Thread
from typing import Self


class SpreadingProxy:
    """Its connections lead to *ports* of this machine in turn. What is on its way when they are cut is lost."""

    def __init__(self, ports: Sequence[int], seconds: float) -> None:
        self._ports, self._seconds = cycle(ports), seconds
        self._through: set[asyncio.StreamWriter] = set()
        self.led_to: list[int] = []  # the port of each connection
        self.port = 0
        self._ready = Event()
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_until_complete, args=(self._serve(),), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(5)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join()
        self._loop.close()

    async def _serve(self) -> None:
        self._over = asyncio.Event()
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        while not self._over.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(self._seconds):
                    await self._over.wait()
            for writer in self._through:
                writer.transport.abort()
        server.close()
        await asyncio.gather(*(task for task in asyncio.all_tasks() if task is not asyncio.current_task()))

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        port = next(self._ports)
        self.led_to.append(port)
        behind_reader, behind = await asyncio.open_connection("127.0.0.1", port)
        self._through |= {writer, behind}
        await asyncio.gather(_pump(reader, behind), _pump(behind_reader, writer))
        self._through -= {writer, behind}


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()


@contextmanager
def spread(ports: Sequence[int], *, cut_every: float) -> Iterator[SpreadingProxy]:
    with SpreadingProxy(ports, cut_every) as proxy:
        yield proxy
