"""Issue by issue what the engine costs above what it stands on: a Celery hop, a chord, a commit."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from itertools import pairwise
from uuid import UUID

import psycopg
import redis
from celery import chord, signature
from django.conf import settings
from django.db import connection, transaction

from executions.core.events import EventType
from executions.models import NodeRun
from executions.services import start_execution
from handlers import JSONObject
from realtime import keys
from workflows.core import build_plan, parse_definition
from workflows.models import Workflow, WorkflowVersion, Workspace

_TIMEOUT = 60  # seconds for anything measured here
_client = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=_TIMEOUT)


def median_of(measure: Callable[[], float], times: int) -> float:
    return statistics.median(measure() for _ in range(times))


def p95(figures: Sequence[float]) -> float:
    return sorted(figures)[max(0, round(len(figures) * 0.95) - 1)]


# ---- what it stands on --------------------------------------------------------------------------------------------


def raw_commit() -> float:
    """Seconds of one UPDATE of one row, prepared, with its commit."""
    connection.ensure_connection()
    raw = connection.connection
    raw.execute("CREATE TABLE IF NOT EXISTS bench_row (id int PRIMARY KEY, value int)")
    raw.execute("INSERT INTO bench_row VALUES (1, 0) ON CONFLICT DO NOTHING")
    figures = []
    with psycopg.Cursor(raw) as cursor:
        for _ in range(300):
            begun = time.perf_counter()
            cursor.execute("UPDATE bench_row SET value = value + 1 WHERE id = %s", [1], prepare=True)
            figures.append(time.perf_counter() - begun)
    return statistics.median(figures)


def raw_hop() -> float:
    """Seconds from sending one message to hearing that its task ran."""
    return _until_done(lambda: signature("bench.hop").apply_async())


def raw_chord(size: int) -> float:
    """Seconds of a chord of *size* empty headers and its body."""
    return _until_done(
        lambda: chord([signature("bench.header") for _ in range(size)])(signature("bench.hop", immutable=True))
    )


def raw_tasks_per_second(tasks: int) -> float:
    _client.delete(f"{settings.REDIS_PREFIX}bench:count")
    task = signature("bench.count", args=[tasks])
    return tasks / _until_done(lambda: [task.apply_async() for _ in range(tasks)])


def _until_done(send: Callable[[], object]) -> float:
    key = f"{settings.REDIS_PREFIX}bench:done"
    _client.delete(key)
    begun = time.perf_counter()
    send()
    if _client.blpop([key], timeout=_TIMEOUT) is None:
        raise TimeoutError("no worker answered; is one running?")
    return time.perf_counter() - begun


# ---- the engine ---------------------------------------------------------------------------------------------------


def line(kind: str, length: int) -> JSONObject:
    names = [f"n{place:04}" for place in range(length)]
    return _definition(dict.fromkeys(names, kind), list(pairwise(names)))


def fan_out(kind: str, width: int) -> JSONObject:
    names = [f"n{place:04}" for place in range(width)]
    return _definition(
        {"first": "bench.pure", **dict.fromkeys(names, kind), "join": "bench.pure"},
        [("first", name) for name in names] + [(name, "join") for name in names],
    )


def mixed() -> JSONObject:
    """Ten nodes: eight pure, two effects."""
    names = [f"n{place}" for place in range(10)]
    kinds = {name: "bench.effect" if place in {3, 7} else "bench.pure" for place, name in enumerate(names)}
    return _definition(kinds, list(pairwise(names)))


def _definition(kinds: dict[str, str], edges: list[tuple[str, str]]) -> JSONObject:
    return {
        "name": "bench",
        "nodes": {name: {"type": kind, "name": name, "config": {}} for name, kind in kinds.items()},
        "edges": [{"id": f"e{i}", "source": a, "target": b} for i, (a, b) in enumerate(edges)],
        "entryPoint": next(iter(kinds)),
    }


def publish(definition: JSONObject) -> WorkflowVersion:
    workspace, _ = Workspace.objects.get_or_create(slug="bench", defaults={"name": "Bench"})
    workflow = Workflow.objects.create(workspace=workspace, name="bench", definition=definition)
    plan = build_plan(parse_definition(definition))
    return WorkflowVersion.objects.create(workflow=workflow, number=1, definition=definition, plan=plan.dump())


def run_once(version: WorkflowVersion) -> float:
    """Seconds from the commit that stores a run, and sends its message, to the commit that ends it."""
    with transaction.atomic():
        execution = start_execution(version, inputs={}, trigger="bench")
        begun = time.perf_counter()
    _wait_for_end(execution.pk)
    return time.perf_counter() - begun


def run_heard(version: WorkflowVersion) -> float:
    """Seconds from asking for a run to hearing of its end as a client of its events does."""
    begun = time.perf_counter()
    execution = start_execution(version, inputs={}, trigger="bench")
    last, ends = b"0", time.monotonic() + _TIMEOUT
    while time.monotonic() < ends:
        for _, entries in _client.xread({keys.run(execution.pk): last}, block=1000):
            last, fields = entries[-1]
            if fields.get(b"heads", b"").endswith(EventType.EXECUTION_COMPLETED.encode()):
                return time.perf_counter() - begun
    raise TimeoutError(f"the end was not heard of within {_TIMEOUT} s")


def _wait_for_end(execution_id: UUID) -> None:
    pushed = _client.blpop([f"{settings.REDIS_PREFIX}bench:end:{execution_id}"], timeout=_TIMEOUT)
    if pushed is None:
        raise TimeoutError(f"the run did not end within {_TIMEOUT} s")
    if pushed[1].decode() != EventType.EXECUTION_COMPLETED:
        raise AssertionError(f"a run ended with {pushed[1].decode()}")


def many_at_once(version: WorkflowVersion, runs: int) -> float:
    """Runs per second, from the first start to the last end."""
    begun = time.perf_counter()
    for execution in [start_execution(version, inputs={}, trigger="bench") for _ in range(runs)]:
        _wait_for_end(execution.pk)
    return runs / (time.perf_counter() - begun)


def first_effect(version: WorkflowVersion) -> float:
    """Seconds from the start of a run to the end of its first effect node, from the rows' times."""
    execution = start_execution(version, inputs={}, trigger="bench")
    _wait_for_end(execution.pk)
    ended_at = NodeRun.objects.get(execution=execution, node_type="bench.effect").ended_at
    if ended_at is None:
        raise AssertionError("the node did not end")
    return (ended_at - execution.created_at).total_seconds()
