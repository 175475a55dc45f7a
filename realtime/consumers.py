"""The WebSocket of one run."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from contextlib import aclosing
from typing import Final
from urllib.parse import parse_qs
from uuid import UUID

from channels.generic.websocket import AsyncWebsocketConsumer
from django.utils import timezone

from executions import tickets
from executions.tickets import Ticket, TicketError
from realtime.core import (
    Close,
    Heard,
    MalformedMessage,
    Notice,
    Numbered,
    Pong,
    Renew,
    Streams,
    Tokens,
    Window,
    parse_message,
    wire,
)
from realtime.feed import Beat, Feed, RunGone
from realtime.hub import Full, hub
from realtime.listener import Listener, TooSlow
from realtime.rows import in_thread
from realtime.snapshot import take_in_thread

logger = logging.getLogger(__name__)

SUBPROTOCOL: Final = "flowmaestro"
PING: Final = 20.0  # seconds
PATIENCE: Final = 20.0  # seconds that a reader may take to answer once its window is full
LINGER: Final = 2.0  # seconds between the last event and the close, in which a client may close first


renew_in_thread = in_thread(tickets.renew)


class Refused(Exception):
    """The connection is to be ended with this code."""

    def __init__(self, code: Close) -> None:
        super().__init__(code.name)
        self.code = code


class ExecutionConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]  # channels is untyped
    """`/ws/executions/{id}/?token=…&after=seq`; the token may instead be a sub-protocol: `flowmaestro, <token>`.

    The server says, in this order:
      {"type": "snapshot", "seq", "execution_id", "status", "pause": {"reason", "since"} or null, "paused_ms",
      "waitpoints": [{"node_id", "scope", …}], "nodes", "streams": {stream: {offset, text}}, "metadata"}
      then every numbered event after *after*, or after the snapshot's number when it is left out: none missing, none
      twice; among them {"type": "node:token", "stream", "offset", "text"}, which may be lost (offsets count code
      points; 0 begins the stream anew), {"type": "node:reached", "stream", "fraction", "message"}, how far an attempt
      is, which may be lost as well, {"type": "execution:metadata", "key", "value"}, which if it is lost the next
      snapshot has, and {"type": "ping", "seq"} every 20 s, with the number of the newest event.
    The client says:
      {"type": "pong"} to a ping. Who has 2 million characters under way and answers no ping is disconnected.
      {"type": "renew", "token"} with a ticket that is still valid: {"type": "token", "token", "expires_at"} comes back.
    It ends with:
      1000 the run is over and all of it was sent, 1003 binary message, 1009 oversized message, 4400 malformed message,
      1011 our fault: come back, 1013 too many listeners: come back later, 4401 no ticket, or not valid any more,
      4403 a ticket for another run, 4404 no such run, 4408 too slow: come back with the last number you have.
    """

    async def connect(self) -> None:
        # Accepted before it is judged: a browser is told why only by the close code of an open socket.
        offered: list[str] = self.scope.get("subprotocols", [])
        await self.accept(SUBPROTOCOL if SUBPROTOCOL in offered else None)
        self._serving: asyncio.Task[None] | None = None
        self._window, self._pong = Window(), asyncio.Event()
        query = parse_qs(self.scope["query_string"].decode("latin-1"))
        try:
            self._execution_id = _uuid(self.scope["url_route"]["kwargs"]["execution_id"])
            self._ticket = _ticket([*query.get("token", []), *(name for name in offered if name != SUBPROTOCOL)])
            self._check_run(self._ticket)
            after = _after(query)
        except Refused as refused:
            await self._end(refused.code)
        else:
            self._serving = asyncio.create_task(self._serve(after))

    async def disconnect(self, code: int) -> None:
        del code
        await self._stop_serving()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        del bytes_data
        if self._serving is None:
            return  # refused; what was sent meanwhile is not looked at
        try:
            match _message(text_data):
                case Pong():
                    self._window.pong()
                    self._pong.set()
                case Renew(token):
                    await self._renew(token)
        except Refused as refused:
            await self._stop_serving()
            await self._end(refused.code)

    # ---- serving
    async def _serve(self, after: int | None) -> None:
        try:
            async with hub().listen(self._execution_id, workspace_id=self._ticket.workspace_id) as listener:
                await self._tell(listener, after)
            await asyncio.sleep(LINGER)
            code = Close.OVER
        except Refused as refused:
            code = refused.code
        except TooSlow:
            code = Close.TOO_SLOW
        except RunGone:
            code = Close.UNKNOWN_RUN
        except Full:
            code = Close.TRY_LATER
        except Exception:
            # Nobody awaits this task, and a socket that has gone silent is worse than one that ends.
            logger.exception("a reader of run %s was lost", self._execution_id)
            code = Close.BROKEN
        await self._end(code)

    async def _end(self, code: Close) -> None:
        await self.close(int(code))  # autobahn, below daphne, refuses the subclass

    async def _stop_serving(self) -> None:
        if self._serving is not None:
            self._serving.cancel()
            await asyncio.gather(self._serving, return_exceptions=True)

    async def _tell(self, listener: Listener, after: int | None) -> None:
        """The snapshot, then what happens. The listener listens already, so nothing falls between the two."""
        taken = await take_in_thread(self._execution_id)
        if taken is None or taken.run.workspace_id != self._ticket.workspace_id:
            raise Refused(Close.UNKNOWN_RUN)
        texts = await hub().texts(taken.run.id, taken.streaming)
        streams = Streams()
        for stream, text in texts.items():
            streams.catch_up(stream, text)
        self._newest = taken.run.seq
        await self._say(wire.dumps(taken.frame(texts)))
        after = taken.run.seq if after is None else after
        feed = Feed(taken.run, hub(), listener, after=after, streams=streams)
        async with aclosing(feed.follow(beat=PING)) as follow:
            async for given in follow:
                if timezone.now() >= self._ticket.expires_at:
                    raise Refused(Close.NO_TICKET)
                await self._give(given)
                if self._window.is_full:
                    await self._wait_for_reader()

    async def _give(self, given: Heard | Beat) -> None:
        match given:
            case Numbered():
                self._newest = max(self._newest, given.seq)
                await self._say(given.text)
            case Tokens():
                await self._say(given.frame())
            case Notice():
                await self._say(given.text)
            case Beat():
                self._newest = given.seq
                await self._ping()

    async def _say(self, text: str) -> None:
        self._window.send(len(text))
        await self.send(text)

    async def _ping(self) -> None:
        self._window.ping()
        await self.send(wire.ping(self._newest))

    async def _wait_for_reader(self) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                while self._window.is_full:
                    if not self._window.awaits_pong:
                        await self._ping()
                    self._pong.clear()
                    await self._pong.wait()
        except TimeoutError:
            raise TooSlow from None

    # ---- the ticket
    async def _renew(self, token: str) -> None:
        old = _ticket([token])
        self._check_run(old)
        try:
            fresh = await renew_in_thread(old)
        except TicketError:
            raise Refused(Close.NO_TICKET) from None
        self._ticket = tickets.check(fresh)
        await self.send(wire.token(fresh, expires_at=self._ticket.expires_at.isoformat()))

    def _check_run(self, ticket: Ticket) -> None:
        if ticket.execution_id not in (None, self._execution_id) or ticket.workspace_id != self._ticket.workspace_id:
            raise Refused(Close.WRONG_RUN)


def _message(text: str | None) -> Pong | Renew:
    if text is None:
        raise Refused(Close.NOT_TEXT)
    if len(text) > wire.MAX_MESSAGE_CHARS:
        raise Refused(Close.TOO_BIG)
    try:
        return parse_message(text)
    except MalformedMessage:
        raise Refused(Close.MALFORMED) from None


def _ticket(tokens: Sequence[str]) -> Ticket:
    try:
        return tickets.check(tokens[0] if tokens else "")
    except TicketError:
        raise Refused(Close.NO_TICKET) from None


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Refused(Close.UNKNOWN_RUN) from None


def _after(query: dict[str, list[str]]) -> int | None:
    text = query.get("after", [""])[0]
    if not text:
        return None
    if not text.isdecimal():
        raise Refused(Close.MALFORMED)
    return int(text)
