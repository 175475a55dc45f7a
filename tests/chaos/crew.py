"""Worker processes that are killed, stopped, armed and started while they work; and the clerk, who is a client."""

from __future__ import annotations

import os
import re
import signal
import sys
import time
from datetime import datetime
from pathlib import Path
from subprocess import Popen
from typing import Final

from django.utils import timezone

from benchmarks.workers import Workers
from executions import outage
from executions.core import NodeStatus
from executions.faults import Fault, Kind
from executions.models import NodeRun, WorkerLease
from executions.sweep import MOST_LOST
from tests.chaos import arming

_READY_WITHIN: Final = 180.0  # seconds; of a machine that has much else to do
_LOOK: Final = 0.1  # seconds
_STRUCK: Final = re.compile(r"^(\S+ \S+) WARNING executions\.faults ", re.MULTILINE)

_ERROR: Final = re.compile(r"^\S+ \S+ (?:ERROR|CRITICAL) (?:executions|realtime|workflows)\..*$", re.MULTILINE)


class Crew:
    """Processes by their ids; what each says goes to a file of its own below *folder*."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self._armed, self._logs, self._started = folder / "armed", folder / "logs", 0
        for each in (self._armed, self._logs):
            each.mkdir(exist_ok=True)
        self._environment = {"PYTHONPATH": str(Path.cwd()), arming.FOLDER: str(self._armed), **environment}
        self._workers = Workers(0, environment=self._environment)
        self._stopped: set[int] = set()
        self._clerk: Popen[bytes] | None = None

    def start(self, number: int = 1, **environment: str) -> None:
        """*environment* is for these alone. They are not ready yet."""
        for _ in range(number):
            self._started += 1
            name = f"worker-{self._started}"
            log = self._logs / f"{name}.log"
            self._keep_log(log, self._workers.start(name, log=log, **environment))

    def start_clerk(self) -> None:
        """Or another, when there is one no more."""
        if self._clerk is None or self._clerk.poll() is not None:
            log = self._logs / "clerk.log"
            with log.open("wb") as output:
                command = [sys.executable, "-m", "tests.chaos.clerk"]
                self._clerk = Popen(command, env={**os.environ, **self._environment}, stderr=output)
            self._keep_log(log, self._clerk)

    @property
    def clerk(self) -> int:
        if self._clerk is None:
            raise AssertionError("there is no clerk")
        return self._clerk.pid

    def pids(self) -> list[int]:
        """Of the workers that live, in the order in which they were started."""
        return [process.pid for process in self._alive()]

    def healthy(self) -> list[int]:
        """Workers that can take what is to be done."""
        alive = {process.pid for process in self._alive()} - self._stopped
        leases = WorkerLease.objects.filter(pid__in=alive, expires_at__gt=timezone.now())
        return sorted(set(leases.values_list("pid", flat=True)))

    def wait_until_healthy(self, number: int) -> list[int]:
        """Until so many are. Raises TimeoutError."""
        ends = time.monotonic() + _READY_WITHIN
        while len(found := outage.retried(self.healthy)) < number:
            if time.monotonic() > ends:
                raise TimeoutError(f"of {number} workers {len(found)} were ready within {_READY_WITHIN} s")
            time.sleep(_LOOK)
        return found

    def can_be_hurt(self, pid: int) -> bool:
        """Whether nobody would be right to give up a node for it: of too many workers that one has cost."""
        leases = list(WorkerLease.objects.filter(pid=pid).values_list("pk", flat=True))
        held = NodeRun.objects.filter(folded=False, status=NodeStatus.RUNNING, owner__in=leases)
        return not held.filter(lost__gte=MOST_LOST - 1).exists()

    def is_alive(self, pid: int) -> bool:
        return any(process.pid == pid and process.poll() is None for process in self._processes)

    def replace(self, pid: int) -> None:
        """Start another in the place of one that is gone."""
        if self._clerk is not None and pid == self._clerk.pid:
            self.start_clerk()
        else:
            self.start()

    def kill(self, pid: int) -> None:
        self._stopped.discard(pid)
        if self._clerk is not None and pid == self._clerk.pid:
            self._clerk.kill()
            self._clerk.wait()
        else:
            self._workers.kill(pid)

    def stop(self, pid: int) -> None:
        """It stands still, as a machine that is being moved."""
        self._stopped.add(pid)
        os.kill(pid, signal.SIGSTOP)

    def go_on(self, pid: int) -> None:
        if pid in self._stopped:
            self._stopped.discard(pid)
            os.kill(pid, signal.SIGCONT)

    def arm(self, pid: int, fault: Fault, kind: Kind, time: int) -> None:
        """Have it come by *fault*, at so many-th time from now."""
        arming.arm(self._armed, pid, fault, kind, time)

    def struck(self, pid: int) -> list[datetime]:
        """When faults struck that this process was armed with."""
        found = _STRUCK.findall(self._log_of(pid).read_text(encoding="utf-8", errors="replace"))
        return [datetime.strptime(at, "%Y-%m-%d %H:%M:%S,%f").astimezone() for at in found]

    def complaints(self) -> list[str]:
        """Of workers that ended though nobody killed them, and errors of ours that they wrote down."""
        ended = [process.pid for process in self._workers.processes if process.poll() not in (None, -signal.SIGKILL)]
        found = [f"worker {pid} has ended by itself: {self._log_of(pid)}" for pid in ended]
        for log in sorted(self._logs.glob("worker-*.log")):
            errors = _ERROR.findall(log.read_text(encoding="utf-8", errors="replace"))
            found += [f"{log.name}: {error}" for error in errors]
        return found

    def end(self) -> None:
        """All of them, at once."""
        for process in self._alive():
            self.kill(process.pid)
        if self._clerk is not None:
            self.kill(self._clerk.pid)
            self._clerk = None

    def _log_of(self, pid: int) -> Path:
        (log,) = self._logs.glob(f"*-{pid}.log")
        return log

    def _keep_log(self, log: Path, process: Popen[bytes]) -> None:
        log.rename(log.with_name(f"{log.stem}-{process.pid}.log"))

    @property
    def _processes(self) -> list[Popen[bytes]]:
        return [*self._workers.processes, *([self._clerk] if self._clerk else [])]

    def _alive(self) -> list[Popen[bytes]]:
        return [process for process in self._workers.processes if process.poll() is None]
