"""Browsers, as far as a server can tell: a process of its own with many sockets, which notes when each frame came.

    python -m benchmarks.readers ADDRESS SOCKETS

Says "open" when all have had their first frame, and at the end of the run how late its frames were, in seconds:
`{"events": [...], "tokens": [...], "missing": n, "doubled": n}`. What carries the moment at which it was made counts:
the output of a `bench.stamp`, and the words of the streaming stand-in.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from handlers import JSONObject

_AT_ONCE = 50  # handshakes


class Seen:
    """By all sockets together."""

    def __init__(self, sockets: int) -> None:
        self.late: dict[str, list[float]] = {"events": [], "tokens": []}
        self.missing = self.doubled = 0
        self._to_open = sockets

    def opened(self) -> None:
        self._to_open -= 1
        if not self._to_open:
            sys.stdout.write("open\n")
            sys.stdout.flush()


class Reader:
    """One socket, from its snapshot to the end of the run."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen
        self._seq = 0
        self._lengths: dict[str, int] = {}

    async def read(self, socket: ClientConnection) -> None:
        async for text in socket:
            now, frame = time.time(), json.loads(text)
            match frame["type"]:
                case "snapshot":
                    self._seq = frame["seq"]
                    self._lengths = {stream: len(said["text"]) for stream, said in frame["streams"].items()}
                    self._seen.opened()
                case "node:token":
                    self._take_tokens(frame, now)
                case "ping":
                    await socket.send('{"type":"pong"}')
                case _:
                    self._take_event(frame, now)

    def _take_event(self, frame: dict[str, Any], now: float) -> None:
        self._count(frame["seq"] - self._seq - 1)
        self._seq = max(self._seq, frame["seq"])
        output = frame["data"].get("output")
        if isinstance(output, dict) and "at" in output:
            self._seen.late["events"].append(now - output["at"])

    def _take_tokens(self, frame: dict[str, Any], now: float) -> None:
        length = self._lengths.get(frame["stream"], 0)
        self._count(frame["offset"] - length)
        self._lengths[frame["stream"]] = frame["offset"] + len(frame["text"])
        self._seen.late["tokens"] += [now - float(word) for word in frame["text"].split() if word[0].isdecimal()]

    def _count(self, ahead: int) -> None:
        self._seen.missing += ahead > 0
        self._seen.doubled += ahead < 0


async def main(address: str, sockets: int) -> JSONObject:
    seen, turn = Seen(sockets), asyncio.Semaphore(_AT_ONCE)

    async def follow() -> None:
        async with turn:
            socket = await connect(address, open_timeout=60, max_queue=None)
        async with socket:
            await Reader(seen).read(socket)

    await asyncio.gather(*(follow() for _ in range(sockets)))
    return {**seen.late, "missing": seen.missing, "doubled": seen.doubled}  # type: ignore[dict-item]


if __name__ == "__main__":
    json.dump(asyncio.run(main(sys.argv[1], int(sys.argv[2]))), sys.stdout)
