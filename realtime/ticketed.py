"""What all our sockets have in common: a ticket, a seat, pings, and an end with a reason."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Final
from urllib.parse import parse_qs
from uuid import UUID

from channels.generic.websocket import AsyncWebsocketConsumer
from django.utils import timezone

from executions import tickets
from executions.tickets import Ticket, TicketError
from realtime.core import Allowance, Close, MalformedMessage, Pong, Renew, Window, parse_message, wire
from realtime.listener import TooSlow
from realtime.rows import in_thread
from realtime.seats import Full, seats

logger = logging.getLogger(__name__)

SUBPROTOCOL: Final = "flowmaestro"
PING: Final = 20.0  # seconds
PATIENCE: Final = 20.0  # seconds that a reader may take to answer once its window is full
LINGER: Final = 2.0  # seconds between the last event and the close, in which a client may close first
# Of a client's messages, besides the pongs that were asked for: it has nothing to say but to renew its ticket.
MOST_AT_ONCE: Final = 20
MOST_PER_SECOND: Final = 1.0

renew_in_thread = in_thread(tickets.renew)


class Refused(Exception):
    """The connection is to be ended with this code."""

    def __init__(self, code: Close) -> None:
        super().__init__(code.name)
        self.code = code


class TicketedConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]  # channels is untyped
    """A socket for whoever has a ticket: the token is in the address, or a sub-protocol: `flowmaestro, <token>`.

    Who follows a class of this kind says what its ticket must open (`admit`) and what is told (`tell`).
    The server says {"type": "ping", "seq"} every 20 s, with the number of the newest event.
    The client says:
      {"type": "pong"} to a ping. Who has 2 million characters under way and answers no ping is disconnected.
      {"type": "renew", "token"} with a ticket that is still valid: {"type": "token", "token", "expires_at"} comes back.
    It ends with:
      1000 all is over and was sent, 1003 binary message, 1009 oversized message, 4400 malformed message, 4429 too many
      messages, 1011 our fault: come back, 1013 too many listeners: come back later, 4401 no ticket, or not valid any
      more, 4403 a ticket for something else, 4404 not there, 4408 too slow: come back with the last number you have.
    """

    def admit(self, ticket: Ticket, named: str, query: dict[str, list[str]]) -> None:
        """Take what the address asks for; *named* is the id in it. Raises Refused."""
        raise NotImplementedError

    def check(self, ticket: Ticket) -> None:
        """Whether a ticket opens what this socket is about. Raises Refused."""
        raise NotImplementedError

    async def tell(self) -> None:
        """All that there is to say; after it the socket ends. Raises Refused, TooSlow, Full."""
        raise NotImplementedError

    async def connect(self) -> None:
        # Accepted before it is judged: a browser is told why only by the close code of an open socket.
        offered: list[str] = self.scope.get("subprotocols", [])
        await self.accept(SUBPROTOCOL if SUBPROTOCOL in offered else None)
        self.newest = 0  # number of the newest event
        self._serving: asyncio.Task[None] | None = None
        self._window, self._pong = Window(), asyncio.Event()
        self._allowance = Allowance(most=MOST_AT_ONCE, per_second=MOST_PER_SECOND)
        query = parse_qs(self.scope["query_string"].decode("latin-1"))
        try:
            self.ticket = _ticket([*query.get("token", []), *(name for name in offered if name != SUBPROTOCOL)])
            self.admit(self.ticket, self.scope["url_route"]["kwargs"]["named"], query)
        except Refused as refused:
            await self._end(refused.code)
        else:
            self._serving = asyncio.create_task(self._serve())

    async def disconnect(self, code: int) -> None:
        del code
        await self._stop_serving()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        del bytes_data
        if self._serving is None:
            return  # refused; what was sent meanwhile is not looked at
        try:
            match self._understood(text_data):
                case Pong():
                    self._window.pong()
                    self._pong.set()
                case Renew(token):
                    await self._renew(token)
        except Refused as refused:
            await self._stop_serving()
            await self._end(refused.code)

    # ---- serving
    async def _serve(self) -> None:
        try:
            with seats.take(self.ticket.workspace_id, self.ticket.holder):
                await self.tell()
            await asyncio.sleep(LINGER)
            code = Close.OVER
        except Refused as refused:
            code = refused.code
        except TooSlow:
            code = Close.TOO_SLOW
        except Full:
            code = Close.TRY_LATER
        except Exception:
            # Nobody awaits this task, and a socket that has gone silent is worse than one that ends.
            logger.exception("a reader of %s was lost", self.scope["path"])
            code = Close.BROKEN
        await self._end(code)

    async def _end(self, code: Close) -> None:
        await self.close(int(code))  # autobahn, below daphne, refuses the subclass

    async def _stop_serving(self) -> None:
        if self._serving is not None:
            self._serving.cancel()
            await asyncio.gather(self._serving, return_exceptions=True)

    async def say(self, text: str) -> None:
        """Send a frame to a reader who may still be told, and keeps up. Raises Refused, TooSlow."""
        if timezone.now() >= self.ticket.expires_at:
            raise Refused(Close.NO_TICKET)
        self._window.send(len(text))
        await self.send(text)
        if self._window.is_full:
            await self._wait_for_reader()

    async def ping(self) -> None:
        if timezone.now() >= self.ticket.expires_at:
            raise Refused(Close.NO_TICKET)
        self._window.ping()
        await self.send(wire.ping(self.newest))

    async def _wait_for_reader(self) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                while self._window.is_full:
                    if not self._window.awaits_pong:
                        await self.ping()
                    self._pong.clear()
                    await self._pong.wait()
        except TimeoutError:
            raise TooSlow from None

    # ---- what clients say
    def _understood(self, text: str | None) -> Pong | Renew:
        if text is None:
            raise Refused(Close.NOT_TEXT)
        if len(text) > wire.MAX_MESSAGE_CHARS:
            raise Refused(Close.TOO_BIG)
        try:
            message = parse_message(text)
        except MalformedMessage:
            raise Refused(Close.MALFORMED) from None
        is_asked_for = isinstance(message, Pong) and self._window.awaits_pong
        if not is_asked_for and not self._allowance.spend(asyncio.get_running_loop().time()):
            raise Refused(Close.TOO_MANY)
        return message

    async def _renew(self, token: str) -> None:
        old = _ticket([token])
        self.check(old)
        if old.workspace_id != self.ticket.workspace_id:
            raise Refused(Close.WRONG_RUN)
        try:
            fresh = await renew_in_thread(old)
        except TicketError:
            raise Refused(Close.NO_TICKET) from None
        self.ticket = tickets.check(fresh)
        await self.send(wire.token(fresh, expires_at=self.ticket.expires_at.isoformat()))


def uuid(text: str) -> UUID:
    """The id in an address. Raises Refused."""
    try:
        return UUID(text)
    except ValueError:
        raise Refused(Close.UNKNOWN_RUN) from None


def _ticket(tokens: Sequence[str]) -> Ticket:
    try:
        return tickets.check(tokens[0] if tokens else "")
    except TicketError:
        raise Refused(Close.NO_TICKET) from None
