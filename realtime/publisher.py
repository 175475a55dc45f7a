"""Events and tokens from this process to Redis, off the path of whoever has them.

A worker only puts what it has on a queue; one daemon thread writes it, in the order in which it was put. When Redis is
slow or away, news is dropped and counted and no run notices: readers find numbered events in the rows, and the text of
a node in its output.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from time import monotonic
from typing import Any, Final, TypeAlias
from uuid import UUID

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

from executions.core.events import FINAL_EVENTS
from executions.frames import Frame
from realtime import keys
from realtime.core import (
    Changed,
    Coalescer,
    Entry,
    Notice,
    Numbered,
    Piece,
    Tokens,
    entries,
    notice_entry,
    token_entry,
    wire,
)
from realtime.texts import TextWriter

logger = logging.getLogger(__name__)

ROOM: Final = 10_000  # messages that wait; a run that sends this many while Redis hangs is better served by the rows
_AT_ONCE: Final = 200  # messages of one pipeline
_TIMEOUT: Final = 1.0  # seconds for one pipeline
_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0  # seconds between two tries while Redis is away
_COMPLAIN_EVERY: Final = 30.0  # seconds
_EXPIRE_EVERY: Final = keys.KEPT_SECONDS / 10  # seconds: what is kept an hour need not be told so at every event
_MOST_KNOWN: Final = 10_000  # runs


@dataclass(frozen=True, slots=True)
class _Events:
    execution_id: UUID
    frames: Sequence[Frame]


@dataclass(frozen=True, slots=True)
class _Delta:
    execution_id: UUID
    stream: str
    offset: int
    text: str


@dataclass(frozen=True, slots=True)
class _Said:
    execution_id: UUID
    notice: Notice


@dataclass(frozen=True, slots=True)
class _Changed:
    workspace_id: UUID
    execution_id: UUID


@dataclass(frozen=True, slots=True)
class _Flush:
    done: threading.Event


_Message: TypeAlias = "_Events | _Delta | _Said | _Changed | _Flush"
_Stream: TypeAlias = "tuple[UUID, str]"


class Publisher:
    """The queue and the thread behind it, started by the first message. A forked child starts anew."""

    def __init__(self, *, room: int = ROOM) -> None:
        self._room = room
        self.dropped = 0  # messages, since the process started
        self._queue: SimpleQueue[_Message] = SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def events(self, execution_id: UUID, frames: Sequence[Frame]) -> None:
        self._put(_Events(execution_id, frames))

    def changed(self, workspace_id: UUID, execution_id: UUID) -> None:
        """Tell those who watch the workspace that this run of it is not as it was."""
        self._put(_Changed(workspace_id, execution_id))

    def tokens(self, execution_id: UUID, stream: str, offset: int, text: str) -> None:
        self._put(_Delta(execution_id, stream, offset, text))

    def notice(self, execution_id: UUID, notice: Notice) -> None:
        self._put(_Said(execution_id, notice))

    def flush(self, timeout: float = 2.0) -> bool:
        """Wait until what was put before has been written or given up; False when *timeout* seconds were too few."""
        if self._thread is None:
            return True
        done = threading.Event()
        self._queue.put(_Flush(done))
        return done.wait(timeout)

    def _put(self, message: _Message) -> None:
        if self._queue.qsize() >= self._room:
            self.dropped += 1
            return
        self._queue.put(message)
        if self._thread is None:
            self._start()

    def _start(self) -> None:
        with self._lock:
            if self._thread is not None:
                return
            thread = threading.Thread(target=self._run, name="realtime-publisher", daemon=True)
            try:
                thread.start()
            except RuntimeError:  # out of threads, or the process is ending: whoever has news must not notice
                self.dropped += 1
            else:
                self._thread = thread

    def forget(self) -> None:
        """As at birth: a forked child has neither the thread nor its connection, and its parent sends what waits."""
        self._queue, self._lock, self._thread = SimpleQueue(), threading.Lock(), None

    def _run(self) -> None:
        writer = _Writer(self)
        while True:
            wait = writer.next_due()
            try:
                messages = [self._queue.get(timeout=wait)]
            except Empty:
                messages = []
            while len(messages) < _AT_ONCE and not self._queue.empty():
                messages.append(self._queue.get())
            try:
                writer.write(messages)
            except Exception:  # news that cannot be written must not end the thread that writes the rest
                self.dropped += len(messages)
                logger.exception("live events were dropped")
            for message in messages:
                if isinstance(message, _Flush):
                    message.done.set()


class _Writer:
    """What the thread knows: the connection, deltas that wait for their turn, and how Redis has been lately."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher
        # Written twice does no harm: readers drop repeats. So one try more hides a connection that had gone stale.
        self._redis = redis.Redis.from_url(
            settings.REDIS_URL,
            socket_timeout=_TIMEOUT,
            socket_connect_timeout=_TIMEOUT,
            retry=Retry(NoBackoff(), 1),
            encoding_errors="replace",
        )
        self._deltas: Coalescer[_Stream] = Coalescer()
        self._texts = TextWriter()
        self._changed = Changed()
        self._expire_at: dict[str, float] = {}  # run streams, and when their expiry is put off again
        self._pause = 0.0  # seconds; 0 while Redis answers
        self._back_at = 0.0
        self._complained_at = -_COMPLAIN_EVERY

    def next_due(self) -> float | None:
        now = monotonic()
        due = [wait for wait in (self._deltas.next_due(now), self._changed.next_due(now)) if wait is not None]
        return min(due, default=None)

    def write(self, messages: Sequence[_Message]) -> None:
        now = monotonic()
        pipeline = self._redis.pipeline(transaction=False)
        for message in messages:
            match message:
                case _Events():
                    self._add_events(pipeline, message, now)
                case _Delta():
                    self._deltas.add((message.execution_id, message.stream), message.offset, message.text)
                case _Said():
                    self._add(pipeline, keys.run(message.execution_id), notice_entry(message.notice), now)
                case _Changed():
                    self._changed.add(message.workspace_id, message.execution_id)
                case _Flush():
                    self._add_deltas(pipeline, self._deltas.take_all(now), now)
                    self._add_changed(pipeline, self._changed.take_all(now), now)
        self._add_deltas(pipeline, self._deltas.take_due(now), now)
        self._add_changed(pipeline, self._changed.take_due(now), now)
        if len(pipeline):
            self._send(pipeline, now, lost=len(messages))

    def _add_events(self, pipeline: Any, message: _Events, now: float) -> None:
        frames = list(message.frames)  # built now, once
        if waiting := {key for key in self._deltas.waiting() if key[0] == message.execution_id}:
            # What a node has streamed comes before what is told of the node, and all of it before the run's end.
            is_final = any(frame.type in FINAL_EVENTS for frame in frames)
            told = {(message.execution_id, f"{frame.node_id}/{frame.scope}") for frame in frames}
            for key in waiting if is_final else waiting & told:
                self._add_deltas(pipeline, self._deltas.take(key, now), now)
        for entry in entries([Numbered(seq=frame.seq, type=frame.type, text=frame.text) for frame in frames]):
            self._add(pipeline, keys.run(message.execution_id), entry, now)

    def _add_deltas(self, pipeline: Any, deltas: Sequence[tuple[_Stream, Piece]], now: float) -> None:
        for (execution_id, stream), piece in deltas:
            # The text first: who joins between the two finds the piece in it, and drops the repeat.
            self._texts.write(pipeline, execution_id, stream, piece)
            tokens = Tokens(stream=stream, offset=piece.offset, text=piece.text)
            self._add(pipeline, keys.run(execution_id), token_entry(tokens), now)

    def _add_changed(self, pipeline: Any, changed: Mapping[UUID, Collection[UUID]], now: float) -> None:
        for workspace_id, runs in changed.items():
            self._add(pipeline, keys.workspace(workspace_id), notice_entry(wire.runs_changed(runs)), now)

    def _add(self, pipeline: Any, key: str, entry: Entry, now: float) -> None:
        pipeline.xadd(key, entry, maxlen=keys.MOST_ENTRIES, approximate=True)
        if now >= self._expire_at.get(key, 0.0):
            pipeline.expire(key, keys.KEPT_SECONDS)
            if len(self._expire_at) > _MOST_KNOWN:
                self._expire_at.clear()
            self._expire_at[key] = now + _EXPIRE_EVERY

    def _send(self, pipeline: Any, now: float, *, lost: int) -> None:
        if now < self._back_at:
            self._publisher.dropped += lost
            return
        try:
            pipeline.execute()
        except (redis.RedisError, OSError) as error:
            self._publisher.dropped += lost
            self._pause = min(max(_SHORTEST_PAUSE, self._pause * 2), _LONGEST_PAUSE)
            self._back_at = monotonic() + self._pause
            self._complain(error)
        else:
            self._pause = 0.0

    def _complain(self, error: Exception) -> None:
        if monotonic() - self._complained_at >= _COMPLAIN_EVERY:
            self._complained_at = monotonic()
            dropped = self._publisher.dropped
            logger.warning("Live events are not sent, readers fall back to the rows (%d dropped): %s", dropped, error)


publisher = Publisher()
os.register_at_fork(after_in_child=publisher.forget)
atexit.register(publisher.flush)
