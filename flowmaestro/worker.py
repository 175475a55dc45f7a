"""How a worker is started: the one place that spells Celery's command line."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

LANES = ("drive", "io", "cpu")
CONCURRENCY = 16  # threads; nearly all of them wait for an answer from somewhere
# Database connections of a worker, however many threads it has: those that wait for a model or a service hold none, and
# PostgreSQL allows a hundred by default, of all processes.
MOST_CONNECTIONS = 20
THREADS_BESIDE = 4  # the lease's, the sweep's, and room for one of each that reconnects


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerOptions:
    lanes: Sequence[str] = LANES
    concurrency: int = CONCURRENCY
    name: str = "worker"

    @property
    def arguments(self) -> tuple[str, ...]:
        """What follows `python -m celery`."""
        return (
            "--app=flowmaestro",
            "--quiet",
            "worker",
            "--pool=threads",
            f"--concurrency={self.concurrency}",
            f"--queues={','.join(self.lanes)}",
            f"--hostname={self.name}@%h",
            # Workers find each other through rows and leases; Celery's own chatter would only cost Redis its time.
            "--without-gossip",
            "--without-mingle",
            "--without-heartbeat",
            "--loglevel=INFO",
        )

    @property
    def connections(self) -> int:
        """How many it needs to the database at a time."""
        return min(self.concurrency, MOST_CONNECTIONS) + THREADS_BESIDE

    @property
    def environment(self) -> Mapping[str, str]:
        """What the settings of that process are to read, since they are read before the options are."""
        return {"FLOWMAESTRO_LANES": ",".join(self.lanes), **pool_environment(self.connections)}


def pool_environment(connections: int) -> Mapping[str, str]:
    """So many database connections for a process, unless somebody has set another number."""
    return {"FLOWMAESTRO_DB_POOL": os.environ.get("FLOWMAESTRO_DB_POOL", str(connections))}
