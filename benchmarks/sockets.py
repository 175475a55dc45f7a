"""How late a browser hears: after a node's last line, commit included, and after a provider's chunk."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from benchmarks import drawings, kernel
from benchmarks.report import Report, ms
from benchmarks.shapes import resident
from benchmarks.waits import TOKENS, services, wait_for_port
from benchmarks.workers import Workers
from executions import tickets
from executions.models import Waitpoint
from executions.services import start_execution
from executions.waitpoints import services as waitpoints
from handlers import JSONObject, PauseKind
from workflows.models import WorkflowVersion

STREAMS = 50
STEPS = 20  # frames with a moment in them, half a second apart
_SPARE_THREADS = 10  # for the decisions beside


def measure(report: Report) -> None:
    report.section("From the engine to a browser: p50, p95, p99")
    with services() as url, _web() as web:
        environment = {
            "FLOWMAESTRO_EGRESS_ALLOW": "127.0.0.1",
            "OPENAI_API_KEY": "bench",
            "OPENAI_BASE_URL": f"{url}/v1",
        }
        with Workers(1, concurrency=STREAMS + _SPARE_THREADS, environment=environment):
            before = resident([web.pid])
            alone = None
            for sockets, steps in ((1, STEPS), (100, STEPS), (1_000, STEPS // 4)):
                seen = _follow(web, kernel.publish(drawings.paced(steps)), sockets)
                alone = alone or seen
                _row(report, f"commit, {sockets} sockets", seen, "events", alone)
            llm: JSONObject = {"model": "clock", "prompt": "Count.", "maxTokens": TOKENS}
            alone = None
            for sockets, streams in ((1, 1), (100, 1), (1, STREAMS)):
                seen = _follow(web, kernel.publish(drawings.asked_beside("llm", streams, llm)), sockets)
                alone = alone or seen
                _row(report, f"chunk, {sockets} sockets, {streams} streams", seen, "tokens", alone)
            after = resident([web.pid])
        report.row("memory of the web process", f"{after:.0f} MB after", f"{before:.0f} MB before", after / before)


def _row(report: Report, what: str, seen: dict[str, Any], kind: str, alone: dict[str, Any]) -> None:
    late, one = sorted(seen[kind]), sorted(alone[kind])
    figures = " / ".join(ms(_at(late, share)) for share in (0.5, 0.95, 0.99))
    report.row(what, figures, f"{ms(_at(one, 0.5))} one alone", _at(late, 0.5) / _at(one, 0.5))
    wrong = seen["missing"] + seen["doubled"]
    report.row(
        f"  of {len(late):,} frames", f"{seen['missing']} missing, {seen['doubled']} doubled", "", wrong, bound=0
    )


def _at(figures: Sequence[float], share: float) -> float:
    return figures[min(len(figures) - 1, int(len(figures) * share))]


@dataclass(frozen=True, slots=True)
class _Web:
    port: int
    pid: int


def _follow(web: _Web, version: WorkflowVersion, sockets: int) -> dict[str, Any]:
    """What readers saw of a run that waits until all of them are there."""
    run = start_execution(version, inputs={}, trigger="bench")
    while not (waiting := Waitpoint.objects.filter(execution=run.pk).first()):
        time.sleep(0.05)
    token = tickets.issue(run.pk, run.workspace_id)
    address = f"ws://127.0.0.1:{web.port}/ws/executions/{run.pk}/?token={token}"
    command = [sys.executable, "-m", "benchmarks.readers", address, str(sockets)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as readers:
        assert readers.stdout is not None
        try:
            if readers.stdout.readline() != "open\n":
                raise RuntimeError(f"{sockets} sockets could not be opened")
            waitpoints.answer(waiting.pk, True, by="bench", kinds=[PauseKind.HUMAN])
            told: dict[str, Any] = json.loads(readers.stdout.read())
        finally:
            readers.kill()
    return told


@contextmanager
def _web() -> Iterator[_Web]:
    """The server we ship, as a process of its own."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    arguments = ["-b", "127.0.0.1", "-p", str(port), "--verbosity=0", "flowmaestro.asgi:application"]
    process = subprocess.Popen([sys.executable, "-m", "daphne", *arguments])
    try:
        wait_for_port(port)
        yield _Web(port, process.pid)
    finally:
        process.terminate()
        process.wait()
