"""Issue by issue what the engine costs above what it stands on: a Celery hop, a chord, a commit."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from uuid import UUID

import psycopg
import redis
from celery import chord, signature
from django.conf import settings
from django.db import connection, transaction

from benchmarks import drawings
from benchmarks.report import Report, ms
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


# ---- the figures --------------------------------------------------------------------------------------------------


def measure(report: Report) -> None:
    """What a node, a commit and a message cost, each beside the raw cost of the same moment."""
    versions = {
        "pure": publish(drawings.line("bench.pure", 100)),
        "effect": publish(drawings.line("bench.effect", 100)),
        "wide": publish(drawings.fan_out("bench.effect", 100)),
        "cheap": publish(drawings.fan_out("bench.cheap", 100)),
        "one": publish(drawings.line("bench.effect", 1)),
        "mixed": publish(drawings.mixed()),
    }
    for version in versions.values():  # plans loaded, statements prepared, in both workers
        for _ in range(4):
            run_once(version)
    for _ in range(5):
        raw_chord(100)
    report.section("The kernel")

    # In turns, so that the machine's moods strike both.
    turns = [(run_once(versions["pure"]), median_of(raw_hop, 7)) for _ in range(15)]
    pure, hop = (statistics.median(figures) for figures in zip(*turns, strict=True))
    report.row("100 pure nodes in line", ms(pure), f"{ms(hop)} a hop", pure / hop, 8)
    heard = median_of(lambda: run_heard(versions["pure"]), 15)
    report.row("  from its start to a client that hears its end", ms(heard), f"{ms(hop)} a hop", heard / hop)

    commit = raw_commit()
    effect = median_of(lambda: run_once(versions["effect"]), 9) / 100
    report.row("100 effects in line, each", ms(effect), f"{ms(commit)} a commit", effect / commit, 8)

    chord = median_of(lambda: raw_chord(100), 9)
    wide = median_of(lambda: run_once(versions["wide"]), 9)
    report.row("fan-out of 100 effects and a join", ms(wide), f"{ms(chord)} a chord of 100", wide / chord, 2.2)
    chord = median_of(lambda: raw_chord(100), 9)
    cheap = median_of(lambda: run_once(versions["cheap"]), 9)
    report.row("the same, ten cheap ones a message", ms(cheap), f"{ms(chord)} a chord of 100", cheap / chord, 1)

    firsts = [first_effect(versions["one"]) for _ in range(100)]
    hops = [raw_hop() for _ in range(100)]
    slow, slow_hop = p95(firsts), p95(hops)
    report.row("start to first effect done, p95", ms(slow), f"{ms(slow_hop)} a hop, p95", slow / slow_hop, 8)

    tasks = median_of(lambda: raw_tasks_per_second(1000), 3)
    runs = median_of(lambda: many_at_once(versions["mixed"], 200), 3)
    report.row(
        "200 runs of 10 nodes at once", f"{runs:.0f} runs/s", f"{tasks:.0f} tasks/s", runs / tasks, 0.1, least=True
    )
