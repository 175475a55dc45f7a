"""Nodes that wait for others, a hundred at once on one worker: what that takes beside one of them alone."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

from django.db import connection

from benchmarks import drawings, kernel
from benchmarks.report import Report
from benchmarks.shapes import resident
from benchmarks.workers import Workers
from handlers import JSONObject

AT_ONCE = 100
TOKENS = 150  # three seconds
_SPARE_THREADS = 10  # for the decisions beside
_SAMPLE_EVERY = 0.02  # seconds


def measure(report: Report) -> None:
    """One worker with a thread for each that waits."""
    report.section(f"{AT_ONCE} that wait, on one worker")
    with services() as url:
        environment = {
            "FLOWMAESTRO_EGRESS_ALLOW": "127.0.0.1",
            "OPENAI_API_KEY": "bench",
            "OPENAI_BASE_URL": f"{url}/v1",
        }
        before = _connections()
        with Workers(1, concurrency=AT_ONCE + _SPARE_THREADS, environment=environment) as workers:
            [worker] = workers.processes
            llm = {"model": "bench", "prompt": "Count.", "maxTokens": TOKENS}
            _row(report, f"streams of {TOKENS} tokens, 50 a second", "llm", llm, worker.pid, before, bound=1.5)
            _row(report, "HTTP calls of 200 ms", "http", {"url": f"{url}/late"}, worker.pid, before, bound=4)


def _row(report: Report, what: str, kind: str, config: JSONObject, pid: int, before: int, *, bound: float) -> None:
    alone, together = (kernel.publish(drawings.beside(kind, width, config)) for width in (1, AT_ONCE))
    kernel.run_once(together)  # the pool, the threads and the client library are there from now on
    single = kernel.median_of(lambda: kernel.run_once(alone), 3)
    with _watched(pid) as seen:
        taken = kernel.median_of(lambda: kernel.run_once(together), 3)
    told = f"{taken:.2f} s; {max(seen.megabytes):.0f} MB, {max(seen.connections) - before} connections"
    report.row(f"{AT_ONCE} {what}", told, f"{single:.2f} s one alone", taken / single, bound)


class _Seen:
    def __init__(self) -> None:
        self.megabytes: list[float] = []
        self.connections: list[int] = []


@contextmanager
def _watched(pid: int) -> Iterator[_Seen]:
    """What the worker holds, looked at again and again."""
    seen, stop = _Seen(), Event()

    def watch() -> None:
        while not stop.wait(_SAMPLE_EVERY):
            seen.megabytes.append(resident([pid]))
            seen.connections.append(_connections())
        connection.close()

    thread = Thread(target=watch)
    thread.start()
    try:
        yield seen
    finally:
        stop.set()
        thread.join()


def _connections() -> int:
    """Connections to the database, but for the one that asks."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        return int(cursor.fetchone()[0])


def wait_for_port(port: int) -> None:
    """Until a process that was just started listens."""
    for _ in range(400):
        with socket.socket() as attempt:
            if attempt.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError(f"nobody listens at port {port}")


@contextmanager
def services() -> Iterator[str]:
    """The address of `benchmarks.services`, as a process of its own."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.services", str(port)])
    try:
        wait_for_port(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()
