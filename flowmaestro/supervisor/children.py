"""One child process: how it is started, watched and ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from flowmaestro.embedded.processes import tail
from flowmaestro.supervisor.restarts import next_delay


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildSpec:
    name: str
    module: str  # run as `python -m`
    arguments: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)  # beside our own
    log: Path
    drain_seconds: float = 10.0  # between being asked to end and being killed
    descriptors: tuple[int, ...] = ()  # open files it inherits, under the same numbers


class Child:
    """A process of *spec*, and the ones before it that died."""

    def __init__(self, spec: ChildSpec, *, lifeline: int) -> None:
        self.spec = spec
        self.is_given_up = False
        self._lifeline = lifeline
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0  # time.monotonic()
        self._start_at: float | None = None  # the next start, while it is dead
        self._lifetimes: list[float] = []
        self._next: ChildSpec | None = None  # what it is to become when the present process has ended
        self._kill_at: float | None = None  # time.monotonic(), while it is to become something

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    @property
    def tail(self) -> str:
        return tail(self.spec.log)

    def start(self) -> None:
        spec = self.spec
        self.spec.log.parent.mkdir(parents=True, exist_ok=True)
        log = os.open(spec.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            self._process = subprocess.Popen(  # noqa: S603 -- our own modules
                [
                    sys.executable,
                    "-P",  # a file in the current folder must not stand in for a module
                    *("-m", "flowmaestro.supervisor.lifeline", str(self._lifeline), str(spec.drain_seconds)),
                    *(spec.module, *spec.arguments),
                ],
                env={**os.environ, "PYTHONUNBUFFERED": "1", **spec.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                pass_fds=(self._lifeline, *spec.descriptors),
                start_new_session=True,  # a terminal's Ctrl-C is for the supervisor alone
            )
        finally:
            os.close(log)
        self._started_at = time.monotonic()
        self._start_at = None

    def tend(self) -> str | None:
        """Start it again when it is dead and its time has come; a sentence when it has just died."""
        now = time.monotonic()
        if self._start_at is not None:
            if now >= self._start_at:
                self.start()
            return None
        if self.is_alive():
            if self._kill_at is not None and now >= self._kill_at:
                self.kill()
            return None
        if self._process is None or self.is_given_up:
            return None
        if self._next is not None:
            self.spec, self._next, self._kill_at = self._next, None, None
            self.start()
            return None
        self._lifetimes = [*self._lifetimes[-9:], now - self._started_at]  # more than are ever looked at
        story = f"{self.spec.name} (process {self._process.pid}) {_ending(self._process.returncode)}"
        delay = next_delay(self._lifetimes)
        if delay is None:
            self.is_given_up = True
            return f"{story} again, too often."
        self._start_at = now + delay
        return f"{story}; it is started again{f' in {delay:.0f} s' if delay else ''}."

    def is_alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def is_serving(self) -> bool:
        return self.is_alive() and self._next is None

    def become(self, spec: ChildSpec) -> None:
        """Ask the process to end; when it has, or its time is over, the next one is of *spec*."""
        self._next = spec
        self._kill_at = time.monotonic() + self.spec.drain_seconds
        self.ask_to_end()

    def ask_to_end(self) -> None:
        self._start_at = None
        if self._process is not None:
            self._process.terminate()  # does nothing when it has ended

    def kill(self) -> None:
        """End it at once, with whatever it has started: they share a session that nobody else is in."""
        if self._process is not None and self.is_alive():
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


def _ending(code: int) -> str:
    """How a process ended, from subprocess' return code: below zero it is a signal."""
    return f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
