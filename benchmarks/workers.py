"""Worker processes for the time of a measurement or a test, started the way a site starts them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from types import TracebackType
from typing import Self

from executions.models import WorkerLease
from flowmaestro.worker import CONCURRENCY, WorkerOptions

_READY_WITHIN = 60  # seconds
_ENDS_WITHIN = 40  # seconds


class Workers:
    """A number of worker processes, as a context; ready when each has its lease."""

    def __init__(
        self, number: int, *, concurrency: int = CONCURRENCY, environment: Mapping[str, str] | None = None
    ) -> None:
        self._number = number
        self._concurrency = concurrency  # threads of each
        self._environment = dict(environment or {})
        self.processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        for place in range(self._number):
            self.start(f"worker-{place}")
        self.wait_until_ready()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self, name: str, *, log: Path | None = None, **environment: str) -> subprocess.Popen[bytes]:
        """*environment* is for this one alone; what it says goes to *log*, or where we say things."""
        options = WorkerOptions(name=name, concurrency=self._concurrency)
        with log.open("ab") if log else nullcontext() as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "celery", *options.arguments],
                env={"LOG_LEVEL": "WARNING", **os.environ, **options.environment, **self._environment, **environment},
                stderr=output,
            )
        self.processes.append(process)
        return process

    def wait_until_ready(self) -> None:
        ends = time.monotonic() + _READY_WITHIN
        self.processes = [process for process in self.processes if process.poll() is None]
        pids = {process.pid for process in self.processes}
        while not pids <= set(WorkerLease.objects.filter(pid__in=pids).values_list("pid", flat=True)):
            if time.monotonic() > ends or any(process.poll() is not None for process in self.processes):
                self.stop()
                raise TimeoutError(f"the workers were not ready within {_READY_WITHIN} s")
            time.sleep(0.05)

    def kill(self, pid: int) -> None:
        """As the kernel does when memory runs out."""
        os.kill(pid, signal.SIGKILL)
        for process in self.processes:
            if process.pid == pid:
                process.wait()

    def stop(self) -> None:
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            try:
                process.wait(timeout=_ENDS_WITHIN)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
