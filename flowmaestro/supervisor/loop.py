"""The supervisor: starts children, keeps them alive, and leaves none behind."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Final

from flowmaestro.supervisor.children import Child, ChildSpec
from flowmaestro.supervisor.errors import SupervisorError

READY_SECONDS: Final = 60.0
_POLL_SECONDS: Final = 0.1
_ENDINGS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)  # SIGHUP: the terminal was closed


class Supervisor:
    """Runs *waves* of children until it is told to end.

    A wave is started before the next one and ended after it: who is leaned on comes first and goes last. *look* says,
    given the children's pids, whether all of it is ready; *say* gets sentences for the person at the terminal;
    *on_wish* is called after a SIGUSR1, and may `add` and `replace`.
    """

    def __init__(
        self,
        waves: Sequence[Sequence[ChildSpec]],
        *,
        look: Callable[[Mapping[str, int]], bool],
        say: Callable[[str], None],
        on_wish: Callable[[], None] = lambda: None,
        stop_after_seconds: float | None = None,
    ) -> None:
        # We hold the writing end and never write: it closes when we are gone.
        self._lifeline, self._our_end = os.pipe()
        self._waves = [[Child(spec, lifeline=self._lifeline) for spec in wave] for wave in waves]
        self._look = look
        self.is_ready = False
        self._say = say
        self._on_wish = on_wish
        self._stop_after_seconds = stop_after_seconds
        self._end_at: float | None = None  # time.monotonic()
        self._signals = 0  # how often we were told to end
        self._wishes = 0

    @property
    def pids(self) -> dict[str, int]:
        """Of the children that live and are to go on."""
        return {child.spec.name: child.pid for child in self._children() if child.pid and child.is_serving()}

    def add(self, spec: ChildSpec) -> None:
        """Start one more child now; those that are there may lean on it."""
        self._waves.insert(0, [Child(spec, lifeline=self._lifeline)])
        self._waves[0][0].start()
        self.is_ready = False

    def replace(self, spec: ChildSpec) -> None:
        """Have the child of that name finish what it does, and start again as *spec* says."""
        for child in self._children():
            if child.spec.name == spec.name:
                child.become(spec)
        self.is_ready = False

    def run(self, *, on_ready: Callable[[], None], on_change: Callable[[], None]) -> None:
        """Return after an orderly end. Raises SupervisorError when a child does not stay alive or none gets ready.

        *on_ready* is called once, *on_change* before it and whenever a pid changes. No child is left in either case.
        """
        if self._stop_after_seconds is not None:
            self._end_at = time.monotonic() + self._stop_after_seconds
        with self._listening():
            try:
                for child in self._children():
                    child.start()
                on_change()
                self._wait_for_ready()
                if self.is_ready:
                    on_change()
                    on_ready()
                self._keep_alive(on_change)
            finally:
                self._end()

    def _wait_for_ready(self) -> None:
        give_up_at = time.monotonic() + READY_SECONDS
        while not self._signals and not self._look(self.pids):
            for child in self._children():
                if not child.is_alive():  # at the start it is no accident: say so rather than try again
                    raise SupervisorError(f"{child.spec.name} does not start. {child.spec.log} ends:\n{child.tail}")
            if time.monotonic() > give_up_at:
                logs = "\n".join(f"{child.spec.log} ends:\n{child.tail}" for child in self._children())
                raise SupervisorError(f"Nothing was ready after {READY_SECONDS:.0f} seconds.\n{logs}")
            time.sleep(_POLL_SECONDS)
        self.is_ready = not self._signals

    def _keep_alive(self, on_change: Callable[[], None]) -> None:
        pids = self.pids
        while not self._signals and (self._end_at is None or time.monotonic() < self._end_at):
            if self._wishes:
                self._wishes = 0
                self._on_wish()
            for child in self._children():
                if story := child.tend():
                    self._say(story)
                if child.is_given_up:
                    raise SupervisorError(f"{child.spec.name} keeps dying. {child.spec.log} ends:\n{child.tail}")
            became_ready = not self.is_ready and self._look(self.pids)
            self.is_ready = self.is_ready or became_ready
            if pids != self.pids or became_ready:
                pids = self.pids
                on_change()
            time.sleep(_POLL_SECONDS)

    def _end(self) -> None:
        """End every child, the last wave first: asked, given its time, then killed. A second signal cuts that time."""
        asked = self._signals
        for wave in reversed(self._waves):
            give_up_at = time.monotonic() + max((child.spec.drain_seconds for child in wave), default=0.0)
            for child in wave:
                child.ask_to_end()
            while any(child.is_alive() for child in wave):
                if time.monotonic() > give_up_at or self._signals > max(asked, 1):
                    for child in wave:
                        child.kill()
                time.sleep(_POLL_SECONDS)
        os.close(self._our_end)
        os.close(self._lifeline)

    def _children(self) -> Iterator[Child]:
        for wave in self._waves:
            yield from wave

    @contextmanager
    def _listening(self) -> Iterator[None]:
        """Count the signals that end us; the loops look at the count, so nothing happens inside a handler."""

        def count(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 -- the interpreter's signature
            self._signals += 1

        def wish(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
            self._wishes += 1

        handlers = {**dict.fromkeys(_ENDINGS, count), signal.SIGUSR1: wish}
        before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
