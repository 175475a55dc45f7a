"""What a worker process does beside its tasks: a lease, the sweep, the alarm, and how it ends."""

from __future__ import annotations

from typing import Any

from celery import signals

from executions.alarm import alarm
from executions.departure import Departure
from executions.drain import drain
from executions.leases import lease
from executions.sweep import Sweeper

sweeper = Sweeper()
departure = Departure()


def connect() -> None:
    signals.worker_ready.connect(begin, dispatch_uid="executions.begin")
    signals.worker_shutting_down.connect(drain_out, dispatch_uid="executions.drain")
    signals.worker_shutdown.connect(end, dispatch_uid="executions.end")


def begin(**_: Any) -> None:
    lease.id()
    sweeper.start()
    alarm.start()


def drain_out(**_: Any) -> None:
    """SIGTERM: finish what runs, take nothing new. Celery waits for the tasks that are under way, we not for ever."""
    drain.begin()
    departure.begin()


def end(**_: Any) -> None:
    departure.end()
    sweeper.stop()
    alarm.stop()
    lease.release()
