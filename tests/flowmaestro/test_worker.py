from __future__ import annotations

import pytest

from flowmaestro.worker import WorkerOptions


def test_worker_by_default_serves_every_lane_with_a_connection_per_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """The lanes and the pool are read by the settings of the process, so they travel as its environment."""
    monkeypatch.delenv("FLOWMAESTRO_DB_POOL", raising=False)

    options = WorkerOptions()

    assert options.environment == {"FLOWMAESTRO_LANES": "drive,io,cpu", "FLOWMAESTRO_DB_POOL": "20"}
    assert options.arguments == (
        "--app=flowmaestro",
        "--quiet",
        "worker",
        "--pool=threads",
        "--concurrency=16",
        "--queues=drive,io,cpu",
        "--hostname=worker@%h",
        "--without-gossip",
        "--without-mingle",
        "--without-heartbeat",
        "--loglevel=INFO",
    )


def test_worker_with_a_pool_that_somebody_set_keeps_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A small database server allows few connections."""
    monkeypatch.setenv("FLOWMAESTRO_DB_POOL", "4")

    assert WorkerOptions().environment["FLOWMAESTRO_DB_POOL"] == "4"


def test_worker_of_one_lane_listens_to_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """A big site runs them apart. Threads that wait hold no connection, of which there are a hundred for all."""
    monkeypatch.delenv("FLOWMAESTRO_DB_POOL", raising=False)

    options = WorkerOptions(lanes=["io"], concurrency=100, name="io-1")

    assert options.environment == {"FLOWMAESTRO_LANES": "io", "FLOWMAESTRO_DB_POOL": "24"}
    assert {"--concurrency=100", "--queues=io", "--hostname=io-1@%h"} < set(options.arguments)
