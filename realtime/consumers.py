"""The WebSockets of one run, and of all runs of a workspace."""

from __future__ import annotations

from contextlib import aclosing
from typing import Final
from uuid import UUID

from executions.tickets import Ticket
from realtime import ticketed
from realtime.board import TellingFailed, WorkspaceGone, boards
from realtime.core import Close, Heard, Notice, Numbered, Streams, Tokens, wire
from realtime.feed import Beat, Feed, RunGone
from realtime.hub import hub
from realtime.listener import Listener
from realtime.snapshot import take_in_thread
from realtime.ticketed import Refused, TicketedConsumer

CURRENT: Final = "current"  # in an address: the workspace of the ticket


class ExecutionConsumer(TicketedConsumer):
    """`/ws/executions/{id}/?token=…&after=seq`: one run, as `TicketedConsumer` says.

    The server says, in this order:
      {"type": "snapshot", "seq", "execution_id", "status", "pause": {"reason", "since"} or null, "paused_ms",
      "waitpoints": [{"node_id", "scope", …}], "nodes", "streams": {stream: {offset, text}}, "metadata",
      "revisions"}
      then every numbered event after *after*, or after the snapshot's number when it is left out: none missing, none
      twice; among them {"type": "node:token", "stream", "offset", "text"}, which may be lost (offsets count code
      points; 0 begins the stream anew), {"type": "node:reached", "stream", "fraction", "message"}, how far an attempt
      is, which may be lost as well, and {"type": "execution:metadata", "key", "value", "revision"}, which if it is lost
      the next snapshot has: of two values of a key, that of the higher revision counts.
    It ends with 1000 when the run is over and all of it was sent.
    """

    def admit(self, ticket: Ticket, named: str, query: dict[str, list[str]]) -> None:
        self._execution_id = ticketed.uuid(named)
        self.check(ticket)
        self._after = _after(query)

    def check(self, ticket: Ticket) -> None:
        if ticket.execution_id not in (None, self._execution_id):
            raise Refused(Close.WRONG_RUN)

    async def tell(self) -> None:
        async with hub().listen(self._execution_id) as listener:
            try:
                await self._follow(listener)
            except RunGone:
                raise Refused(Close.UNKNOWN_RUN) from None

    async def _follow(self, listener: Listener) -> None:
        """The snapshot, then what happens. The listener listens already, so nothing falls between the two."""
        taken = await take_in_thread(self._execution_id)
        if taken is None or taken.run.workspace_id != self.ticket.workspace_id:
            raise Refused(Close.UNKNOWN_RUN)
        texts = await hub().texts(taken.run.id, taken.streaming)
        streams = Streams()
        for stream, text in texts.items():
            streams.catch_up(stream, text)
        self.newest = taken.run.seq
        await self.say(wire.dumps(taken.frame(texts)))
        after = taken.run.seq if self._after is None else self._after
        feed = Feed(taken.run, hub(), listener, after=after, streams=streams)
        async with aclosing(feed.follow(beat=ticketed.PING)) as follow:
            async for given in follow:
                await self._give(given)

    async def _give(self, given: Heard | Beat) -> None:
        match given:
            case Numbered():
                self.newest = max(self.newest, given.seq)
                await self.say(given.text)
            case Tokens():
                await self.say(given.frame())
            case Notice():
                await self.say(given.text)
            case Beat():
                self.newest = given.seq
                await self.ping()


class WorkspaceConsumer(TicketedConsumer):
    """`/ws/workspaces/{id}/?token=…`: all runs of a workspace, as `TicketedConsumer` says; `current` is the ticket's.

    The server says {"type": "runs", "workspace_id", "runs": [RUN, …]}, the newest runs, newest first: all that who
    comes, or comes back, needs to know. Then {"type": "run", "run": RUN}, whole, for each run that begins or changes,
    and {"type": "run:gone", "execution_id"} for one that is deleted. RUN is what `realtime.run_list` shows.
    """

    def admit(self, ticket: Ticket, named: str, query: dict[str, list[str]]) -> None:
        del query
        self._workspace_id: UUID = ticket.workspace_id if named == CURRENT else ticketed.uuid(named)
        self.check(ticket)

    def check(self, ticket: Ticket) -> None:
        if ticket.execution_id is not None or ticket.workspace_id != self._workspace_id:
            raise Refused(Close.WRONG_RUN)

    async def tell(self) -> None:
        try:
            async with boards().watch(self._workspace_id) as watch:
                await self.say(watch.whole)
                while True:
                    news = await watch.news(within=ticketed.PING)
                    for each in news:
                        await self.say(each.text)
                    if not news:
                        await self.ping()
        except WorkspaceGone:
            raise Refused(Close.UNKNOWN_RUN) from None
        except TellingFailed:
            raise Refused(Close.BROKEN) from None


def _after(query: dict[str, list[str]]) -> int | None:
    text = query.get("after", [""])[0]
    if not text:
        return None
    if not text.isdecimal():
        raise Refused(Close.MALFORMED)
    return int(text)
