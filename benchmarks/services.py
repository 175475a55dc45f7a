"""A model that streams and a service that takes its time: a process of its own, which can serve hundreds at once.

    python -m benchmarks.services PORT

`POST /v1/chat/completions` streams `max_tokens` tokens, 50 a second: of the model `clock`, each is
the moment at which it was sent. `GET /late` answers after 200 ms.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time

TOKEN_SECONDS = 0.02
LATE_SECONDS = 0.2


async def serve(port: int) -> None:
    server = await asyncio.start_server(_talk, "127.0.0.1", port, backlog=1_000)
    async with server:
        await server.serve_forever()


async def _talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"(?i)content-length: *(\d+)", head)
            body = await reader.readexactly(int(length[1])) if length else b""
            if head.startswith(b"POST"):
                asked = json.loads(body)
                await _stream(writer, int(asked["max_tokens"]), tells_time=asked["model"] == "clock")
            else:
                await asyncio.sleep(LATE_SECONDS)
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\nlate")
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):  # the caller has enough
        writer.close()


async def _stream(writer: asyncio.StreamWriter, tokens: int, *, tells_time: bool) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
    begun = asyncio.get_running_loop().time()
    for number in range(1, tokens + 1):
        # By the clock, so that the stream takes its time and no longer, however busy this process is.
        await asyncio.sleep(begun + number * TOKEN_SECONDS - asyncio.get_running_loop().time())
        _write(writer, {"content": f"{time.time():.6f} " if tells_time else f"word{number} "}, None)
    _write(writer, {}, "stop")
    _chunk(writer, b"[DONE]")
    writer.write(b"0\r\n\r\n")


def _write(writer: asyncio.StreamWriter, delta: dict[str, str], finish_reason: str | None) -> None:
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    chunk = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "bench", "choices": [choice]}
    _chunk(writer, json.dumps(chunk).encode())


def _chunk(writer: asyncio.StreamWriter, data: bytes) -> None:
    event = b"data: %b\n\n" % data
    writer.write(b"%x\r\n%b\r\n" % (len(event), event))


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
