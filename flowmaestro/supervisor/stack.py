"""One life of the stack: which children it has, when it is ready, and what others may read of it meanwhile."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Final

from django.db import OperationalError, connections
from django.utils import timezone

from flowmaestro.supervisor import specs
from flowmaestro.supervisor.children import ChildSpec
from flowmaestro.supervisor.health import answers, are_leased
from flowmaestro.supervisor.loop import Supervisor
from flowmaestro.supervisor.ports import HOST, free_port
from flowmaestro.supervisor.state import Claim, StackState

DEFAULT_WORKERS: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class UpOptions:
    port: int | None = None  # None: the first free one from the default
    workers: int = DEFAULT_WORKERS
    with_standin: bool = False
    stop_after_seconds: float | None = None


class Stack:
    def __init__(
        self, home: Path, options: UpOptions, claim: Claim, listener: socket.socket, *, say: Callable[[str], None]
    ) -> None:
        self._home, self._options, self._claim, self._listener, self._say = home, options, claim, listener, say
        stops_at = None
        if options.stop_after_seconds is not None:
            end = timezone.now() + timedelta(seconds=options.stop_after_seconds)
            stops_at = end.isoformat(timespec="seconds")
        self._state = StackState(
            pid=os.getpid(),
            url=f"http://{HOST}:{listener.getsockname()[1]}",
            stops_at=stops_at,
        )
        self._claim.write(self._state)

    def run(self, on_ready: Callable[[StackState], None]) -> None:
        """Return after an orderly end. Raises SupervisorError."""
        first = [self._choose_standin()] if self._options.with_standin else []
        second = [specs.web(self._home, listener=self._listener.fileno()), *self._workers()]
        self._supervisor = Supervisor(
            [first, second],
            look=self._look,
            say=self._say,
            on_wish=self._add_standin,
            stop_after_seconds=self._options.stop_after_seconds,
        )
        self._supervisor.run(on_ready=lambda: on_ready(self._state), on_change=self._note)

    def _choose_standin(self) -> ChildSpec:
        port = free_port()  # chosen once: workers know it, and it stays when the stand-in is started again
        url = f"http://{HOST}:{port}"
        self._state = replace(self._state, standin_url=url, model_is_standin=not specs.has_model())
        return specs.standin(self._home, port=port)

    def _workers(self) -> list[ChildSpec]:
        environment = specs.standin_environment(self._state.standin_url)
        return [specs.worker(self._home, number, environment) for number in range(1, self._options.workers + 1)]

    def _add_standin(self) -> None:
        """The demo asks for it when it finds a stack that was started without."""
        if self._state.standin_url is not None:
            return
        self._supervisor.add(self._choose_standin())
        for worker in self._workers():
            self._supervisor.replace(worker)
        self._say(f"The demo's stand-in was added at {self._state.standin_url}; the workers start again to know it.")
        self._note()

    def _look(self, pids: Mapping[str, int]) -> bool:
        workers = [pid for name, pid in pids.items() if name.startswith("worker-")]
        standin_url = self._state.standin_url
        try:
            are_at_work = len(workers) == self._options.workers and are_leased(workers)
        except OperationalError:
            connections.close_all()  # the database restarts; it is asked again on a new connection
            return False
        return are_at_work and answers(self._state.url) and (standin_url is None or answers(standin_url, "/health"))

    def _note(self) -> None:
        self._state = replace(self._state, children=self._supervisor.pids, is_ready=self._supervisor.is_ready)
        self._claim.write(self._state)
        if self._state.is_ready:
            connections.close_all()  # the supervisor needs none while it waits
