"""Attempts under way in this process, and what each is lent: tokens, logs, a time limit, a way to be called off."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from time import monotonic
from uuid import UUID

from django.utils import timezone

from executions import signals
from handlers import Cancelled, NodeTimeout
from workflows.core.masking import NOTHING_HIDDEN, Mask, MaskedStream

_LONGEST_LOG = 4_000  # characters of a line
_MOST_LOGS = 1_000  # lines of an attempt
_PROGRESS_EVERY = 0.25  # seconds: no eye follows more, and a loop over a million rows may tell of each
_LONGEST_MESSAGE = 500  # characters that go with it
_stopping = threading.Lock()  # one for all attempts: there are many, and few are called off


class Attempt:
    """One attempt of one node while it runs; `handlers.ports.Lent` for its handler."""

    def __init__(self, execution_id: UUID, node_id: str, scope: str, *, seconds: float) -> None:
        self.logs: list[list[str]] = []
        self._execution_id, self._stream = execution_id, f"{node_id}/{scope}"
        self._ends_at = monotonic() + seconds
        self._streamed = 0  # characters
        self._mask = NOTHING_HIDDEN
        self._masked: MaskedStream | None = None  # none: nothing is hidden
        self._progress_at = 0.0  # monotonic seconds; until then, what is told is not passed on
        self._through = False
        self._called_off = False
        self._late = False
        self._stops: list[Callable[[], None]] = []

    def hide(self, mask: Mask) -> None:
        """Hide secrets in what is logged and streamed from now on."""
        held = self._masked.end() if self._masked else ""
        self._mask, self._masked = mask, mask.stream() if mask else None
        self._send(self._masked.feed(held) if self._masked else held)

    def token(self, text: str) -> None:
        self.check_cancelled()
        self._send(text if self._masked is None else self._masked.feed(text))

    def progress(self, fraction: float, message: str) -> None:
        """Tell how far it is: at once the first time and when it is through, in between a few times a second."""
        self.check_cancelled()
        reached = min(max(float(fraction), 0.0), 1.0) if math.isfinite(fraction) else 0.0
        now = monotonic()
        is_through = reached == 1.0 and not self._through
        if now < self._progress_at and not is_through:
            return
        self._progress_at, self._through = now + _PROGRESS_EVERY, reached == 1.0
        text = self._mask.text(str(message))
        signals.progress_told.send(
            sender=None,
            execution_id=self._execution_id,
            stream=self._stream,
            fraction=reached,
            message=_cut(text, most=_LONGEST_MESSAGE),
        )

    def end_stream(self) -> None:
        """Send what was held back because a secret could have begun with it: the handler streams no more."""
        if self._masked is not None:
            rest = self._masked.end()
            if not self._called_off:
                self._send(rest)

    def log(self, level: str, message: str) -> None:
        if len(self.logs) < _MOST_LOGS:
            text = self._mask.text(str(message))  # a plug-in may log whatever it likes
            told = _cut(text, most=_LONGEST_LOG)
            self.logs.append([timezone.now().isoformat(), self._mask.text(str(level)), told])
        elif len(self.logs) == _MOST_LOGS:
            self.logs.append([timezone.now().isoformat(), "warning", f"only the first {_MOST_LOGS} lines are kept"])

    def check_cancelled(self) -> None:
        if self._called_off or self.remaining() <= 0:
            raise NodeTimeout if self.is_late else Cancelled

    def on_cancel(self, stop: Callable[[], None]) -> None:
        with _stopping:
            if not self._called_off:
                self._stops.append(stop)
                return
        stop()

    def remaining(self) -> float:
        return self._ends_at - monotonic()

    @property
    def is_late(self) -> bool:
        """Whether it was its time limit that ended it."""
        return self._late or self.remaining() <= 0

    @property
    def is_called_off(self) -> bool:
        return self._called_off

    def call_off(self) -> None:
        """End it from another thread: its stops are called once, its next look raises."""
        with _stopping:
            if self._called_off:
                return
            self._late = self.remaining() <= 0
            self._called_off = True
            stops, self._stops = self._stops, []
        for stop in stops:
            # A handler that is just ending may have closed what it asked us to close.
            with suppress(Exception):
                stop()

    def _send(self, text: str) -> None:
        if text:
            signals.token_streamed.send(
                sender=None,
                execution_id=self._execution_id,
                stream=self._stream,
                offset=self._streamed,
                text=text,
            )
            self._streamed += len(text)


def _cut(text: str, *, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]}… ({len(text)} characters)"


class InFlight:
    """The claimed attempts of this process, by row and fence, for the thread that looks after them."""

    def __init__(self) -> None:
        self._attempts: dict[tuple[UUID, int], Attempt] = {}
        self._kept: set[UUID] = set()
        self._begun: set[tuple[UUID, int]] = set()
        self._lock = threading.Lock()

    def add(self, node_run_id: UUID, number: int, attempt: Attempt) -> None:
        with self._lock:
            self._attempts[node_run_id, number] = attempt
            self._begun.add((node_run_id, number))

    def remove(self, node_run_id: UUID, number: int) -> None:
        with self._lock:
            self._attempts.pop((node_run_id, number), None)

    @contextmanager
    def kept(self, node_run_id: UUID) -> Iterator[None]:
        """A row that is not to be given back: its attempt may be over, and how it ended is not written yet."""
        with self._lock:
            self._kept.add(node_run_id)
        try:
            yield
        finally:
            with self._lock:
                self._kept.discard(node_run_id)

    def has(self, node_run_id: UUID, number: int) -> bool:
        """Whether this process has not come to an end with that attempt."""
        with self._lock:
            return node_run_id in self._kept or (node_run_id, number) in self._attempts

    def begun(self) -> set[tuple[UUID, int]]:
        """Those that this process has begun with, also if it has come to an end: until they are forgotten."""
        with self._lock:
            return set(self._begun)

    def forget(self, keys: set[tuple[UUID, int]]) -> None:
        """How these ended is written down."""
        with self._lock:
            self._begun -= keys

    def all(self) -> dict[tuple[UUID, int], Attempt]:
        with self._lock:
            return dict(self._attempts)


in_flight = InFlight()
