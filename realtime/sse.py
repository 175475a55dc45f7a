"""A run's events as server-sent events. Source: HTML Standard, 9.2, "Server-sent events"."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, Final

from handlers import JSONObject
from realtime import rows
from realtime.core import Heard, Notice, Numbered, Streams, Tokens, wire
from realtime.feed import Beat, Feed, RunGone
from realtime.hub import hub
from realtime.listener import Listener, TooSlow
from realtime.seats import seats

MEDIA_TYPE: Final = "text/event-stream"
# Seconds without a sign of life: the published client gives up after 5 (httpx's default), and so do we promise 3.
BEAT: Final = 2.5
_RECONNECT_MS: Final = 1_000  # what a browser waits before it comes back with Last-Event-ID


async def stream(run: rows.Run, *, after: int, holder: str) -> AsyncGenerator[str, None]:
    """The run's events after *after* until the one that ends it; ends early where the reader is to come back."""
    with seats.take(run.workspace_id, holder):
        async with hub().listen(run.id) as listener, aclosing(_told(run, listener, after)) as told:
            async for text in told:
                yield text


async def _told(run: rows.Run, listener: Listener, after: int) -> AsyncGenerator[str, None]:
    current = await rows.find(run.id)
    if current is None:
        return
    yield f"retry: {_RECONNECT_MS}\n\n"
    connected: JSONObject = {"type": "connected", "execution_id": str(run.id), "status": current.status.value}
    yield message("connected", wire.dumps(connected))
    feed = Feed(current, hub(), listener, after=after, streams=Streams())
    async with aclosing(feed.follow(beat=BEAT)) as follow:
        try:
            async for given in follow:
                yield await _text(run, given)
        except (TooSlow, RunGone):
            return


def message(event: str, data: str, *, seq: int | None = None) -> str:
    """One event. *data* is JSON in one line, as `wire.dumps` makes it."""
    name = "" if seq is None else f"id: {seq}\n"
    return f"{name}event: {event}\ndata: {data}\n\n"


async def _text(run: rows.Run, given: Heard | Beat) -> str:
    match given:
        case Numbered(is_final=True):
            ending: dict[str, Any] = {**json.loads(given.text), **await rows.ending(run.id)}
            return message(given.type, wire.dumps(ending), seq=given.seq)
        case Numbered():
            return message(given.type, given.text, seq=given.seq)
        case Tokens():
            return message(wire.TOKEN, given.frame())
        case Notice():
            return message(given.type, given.text)
        case Beat():
            return ": still here\n\n"
