"""Runs that wait: how late their timers are, and how soon they go on after an answer."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from datetime import timedelta
from random import Random
from uuid import UUID

import redis
from celery import signature
from django.conf import settings
from django.utils import timezone

from benchmarks import drawings, kernel
from benchmarks.report import Report, ms
from executions.core import RunStatus
from executions.models import Execution, NodeRun, Waitpoint
from executions.services import start_execution
from executions.waitpoints import services
from handlers import PauseKind

_client = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=60)
_ANSWERS = 100
_TIMERS = 1_000
_WITHIN = 60  # seconds in which they are all due
_LEAD = 15  # seconds before the first of them, in which they are all started
_PATIENCE = 60  # seconds after the last


def measure(report: Report) -> None:
    report.section("Pauses")
    raw = [_raw_latency() for _ in range(_ANSWERS)]
    resumed = _resume_latencies()
    for name, pick in (("median", statistics.median), ("p95", kernel.p95)):
        report.row(
            f"an answer to the next node's start, {name}",
            ms(pick(resumed)),
            f"{ms(pick(raw))} a bare task, {name}",
            pick(resumed) / pick(raw),
        )
    late = _lateness()
    p99 = sorted(late)[round(len(late) * 0.99) - 1]
    report.row(f"{_TIMERS} timers within a minute, p99 late", ms(p99), "1 s", p99, 1)


def _raw_latency() -> float:
    """Seconds from sending a bare task to its first line."""
    key = f"{settings.REDIS_PREFIX}bench:stamp"
    _client.delete(key)
    begun = time.time()
    signature("bench.stamp").apply_async()
    pushed = _client.blpop([key], timeout=60)
    if pushed is None:
        raise TimeoutError("no worker answered; is one running?")
    return float(pushed[1]) - begun


def _resume_latencies() -> list[float]:
    """Seconds from a stored answer, which is when its caller is told so, to the first line of the node behind it."""
    version = kernel.publish(drawings.asking(PauseKind.HUMAN))
    runs = [start_execution(version, inputs={}, trigger="bench").pk for _ in range(_ANSWERS)]
    _wait_until(runs, RunStatus.PAUSED, seconds=60)
    latencies = []
    for run in runs:
        waitpoint = Waitpoint.objects.get(execution=run)
        services.answer(waitpoint.pk, True, by="bench", kinds=[PauseKind.HUMAN])
        told = time.time()
        _wait_until([run], RunStatus.COMPLETED, seconds=60)
        latencies.append(_stamp(run) - told)
    return latencies


def _lateness() -> list[float]:
    """Seconds from when a timer was due to the first line of the node behind it."""
    version, chance = kernel.publish(drawings.asking(PauseKind.TIMER)), Random(1)
    first = timezone.now() + timedelta(seconds=_LEAD)
    runs = [
        start_execution(
            version, inputs={"at": (first + timedelta(seconds=chance.random() * _WITHIN)).isoformat()}, trigger="bench"
        ).pk
        for _ in range(_TIMERS)
    ]
    _wait_until(runs, RunStatus.COMPLETED, seconds=_LEAD + _WITHIN + _PATIENCE)
    due = dict(Waitpoint.objects.filter(execution__in=runs).values_list("execution", "due_at"))
    return [_stamp(run) - at.timestamp() for run, at in due.items() if at is not None]


def _stamp(run: UUID) -> float:
    return float(NodeRun.objects.get(execution=run, node_type="bench.stamp").output["at"])


def _wait_until(runs: Sequence[UUID], status: RunStatus, *, seconds: float) -> None:
    ends = time.monotonic() + seconds
    while Execution.objects.filter(pk__in=runs, status=status).count() < len(runs):
        if time.monotonic() > ends:
            raise TimeoutError(f"not all of {len(runs)} runs were {status} within {seconds:.0f} s")
        time.sleep(0.01 if len(runs) == 1 else 0.25)
