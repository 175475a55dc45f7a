"""The runs of a workspace as they change, for all who watch it from this event loop: read once, told to each.

News of a run says only that it changed; what it is like now is read from its row, for all that changed meanwhile in one
go. So what is told is always whole, and what Redis lost is found by the hub's look at the rows.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Final
from uuid import UUID
from weakref import WeakKeyDictionary

from django.db import DatabaseError

from realtime import keys, run_list
from realtime.core import Newest, Notice, wire
from realtime.hub import ROOM, Hub
from realtime.listener import Gone, Listener, News
from realtime.run_list import Listed

logger = logging.getLogger(__name__)

PACE: Final = 0.1  # seconds between two reads of what has changed
MOST_KEPT: Final = 1_000  # runs of which it is remembered what was told, to notice what was lost: the newest


class WorkspaceGone(Exception):
    """There is no such workspace any more."""


class TellingFailed(Exception):
    """Our fault: whoever watched is to come back."""


class Watch:
    """What one of those who watch is told."""

    def __init__(self, board: Board, listener: Listener) -> None:
        self._board, self._listener = board, listener
        self.whole = board.whole()  # the frame that has the newest runs

    async def news(self, *, within: float) -> Sequence[Notice]:
        """What changed since; none when nothing did for *within* seconds.

        Raises TooSlow, WorkspaceGone, TellingFailed.
        """
        try:
            async with asyncio.timeout(within):
                told = await self._listener.get()
        except TimeoutError:
            return ()
        if self._board.ending is not None:
            raise self._board.ending
        return [news for news in told if isinstance(news, Notice)]


class Board:
    """One workspace, while somebody watches it."""

    def __init__(self, workspace_id: UUID, hub: Hub) -> None:
        self._workspace_id, self._hub = workspace_id, hub
        self._runs: dict[UUID, Listed] = {}
        self._listeners: dict[int, Listener] = {}
        self._must_look = False  # what was told may have been lost
        self._is_read = asyncio.Event()
        self.ending: Exception | None = None
        self.watching = 0
        self._task = asyncio.create_task(self._run())

    async def join(self, listener: Listener) -> Watch:
        await self._is_read.wait()
        if self.ending is not None:
            raise self.ending
        self._listeners[id(listener)] = listener  # and the frame is made at once: nothing falls between the two
        return Watch(self, listener)

    def leave(self, listener: Listener) -> None:
        self._listeners.pop(id(listener), None)

    async def stop(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    def whole(self) -> str:
        newest = sorted(self._runs.values(), key=_age, reverse=True)[: run_list.NEWEST]
        return wire.runs(str(self._workspace_id), [run.shown for run in newest])

    # ---- telling
    async def _run(self) -> None:
        try:
            async with self._hub.listen(self._workspace_id) as listener:
                self._keep(await run_list.newest(self._workspace_id))
                self._is_read.set()
                news: Sequence[News] = ()
                while not any(isinstance(each, Gone) for each in news):
                    await self._tell_changed(news)
                    await asyncio.sleep(PACE)
                    news = await listener.get_all()
            self.ending = WorkspaceGone()
        except Exception:
            # Nobody awaits this task, and a list that has gone silent is worse than one that is begun anew.
            logger.exception("the runs of workspace %s are not told any more", self._workspace_id)
            self.ending = TellingFailed()
        self._is_read.set()
        self._tell([])

    async def _tell_changed(self, news: Sequence[News]) -> None:
        changed = {UUID(run) for each in news if isinstance(each, Notice) for run in json.loads(each.text)}
        self._must_look |= any(isinstance(each, Newest) for each in news)
        gone: set[UUID] = set()
        try:
            if self._must_look:
                numbers = await run_list.numbers(self._workspace_id, [*self._runs])
                gone = self._runs.keys() - numbers.keys()
                changed |= {run for run, seq in numbers.items() if run not in self._runs or self._runs[run].seq != seq}
            listed = await run_list.these(self._workspace_id, changed) if changed else []
        except DatabaseError as error:
            logger.warning("the runs of workspace %s could not be read: %s", self._workspace_id, error)
            self._must_look = True
            return
        self._must_look = False
        for run in gone:
            del self._runs[run]
        frames = [Notice(type=wire.RUN, text=wire.run(run.shown)) for run in self._keep(listed)]
        frames += [Notice(type=wire.RUN_GONE, text=wire.run_gone(str(run))) for run in gone]
        if frames:
            self._tell(frames)

    def _tell(self, frames: Sequence[Notice]) -> None:
        for listener in self._listeners.values():
            listener.put(frames)

    def _keep(self, listed: Iterable[Listed]) -> list[Listed]:
        """Remember these; those that are news, the oldest first."""
        known = self._runs
        new = sorted((run for run in listed if run.id not in known or known[run.id].seq < run.seq), key=_age)
        known |= {run.id: run for run in new}
        if len(known) > MOST_KEPT:
            self._runs = {run.id: run for run in sorted(known.values(), key=_age)[-MOST_KEPT:]}
        return new


class Boards:
    """Those of the workspaces that are watched from one event loop."""

    def __init__(self) -> None:
        self._hub = Hub(look=run_list.existing, key=keys.workspace)
        self._boards: dict[UUID, Board] = {}

    @asynccontextmanager
    async def watch(self, workspace_id: UUID) -> AsyncIterator[Watch]:
        """Raises WorkspaceGone, TellingFailed."""
        board = self._boards.get(workspace_id)
        if board is None or board.ending is not None:
            board = self._boards[workspace_id] = Board(workspace_id, self._hub)
        listener = Listener(ROOM)
        board.watching += 1
        try:
            yield await board.join(listener)
        finally:
            board.leave(listener)
            board.watching -= 1
            if not board.watching:
                if self._boards.get(workspace_id) is board:
                    del self._boards[workspace_id]
                await asyncio.shield(board.stop())


_boards: WeakKeyDictionary[asyncio.AbstractEventLoop, Boards] = WeakKeyDictionary()


def boards() -> Boards:
    """Those of the running event loop."""
    loop = asyncio.get_running_loop()
    if loop not in _boards:
        _boards[loop] = Boards()
    return _boards[loop]


def _age(run: Listed) -> tuple[float, UUID]:
    return run.created_at.timestamp(), run.id
