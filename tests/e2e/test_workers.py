"""Runs on real workers, PostgreSQL and Redis: what a site does all day, and what happens when it is hurt."""

from __future__ import annotations

from typing import Any

import pytest
import redis
from django.conf import settings

from benchmarks.workers import Workers
from executions import run_outputs
from executions.core import RunStatus
from executions.models import Event, Execution, NodeRun, WorkerLease
from executions.services import cancel_execution, start_execution
from tests.factories import WorkflowVersionFactory
from tests.graphs import draw
from tests.nodes import counted
from tests.waiting import wait_for_end, wait_until

pytestmark = pytest.mark.stack

GRACE = 5.0  # seconds that a recovery may take beyond the lease


def start(drawing: str, *, inputs: dict[str, Any] | None = None, **more: Any) -> Execution:
    version = WorkflowVersionFactory(workflow__definition=draw(drawing, **more))
    return start_execution(version, inputs=inputs or {})


def statuses(execution: Execution) -> dict[str, str]:
    return dict(NodeRun.objects.filter(execution=execution).values_list("node_id", "status"))


def gapless(execution: Execution) -> bool:
    numbers = list(Event.objects.filter(execution=execution).order_by("seq").values_list("seq", flat=True))
    return numbers == list(range(1, len(numbers) + 1))


def test_branches_and_joins_run_to_the_end(workers: Workers) -> None:
    """A conditional, parallel effects, an error edge and a join, over processes."""
    execution = start(
        "start -> if, if:true -> a -> join, if:true -> b -> join, if:true -> bad, bad:error -> join, if:false -> never,"
        " join -> out",
        default="test.count",
        types={"start": "trigger", "if": "conditional", "bad": "test.fail", "out": "output"},
        nodes={
            "if": {"config": {"expression": "inputs.amount > 10"}},
            "a": {"config": {"value": "{{inputs.amount}}"}},
            "out": {"config": {"outputName": "sum", "value": "{{a.result}} {{bad.error.message}}", "format": "string"}},
        },
        inputs={"amount": 12},
    )

    wait_for_end(execution)

    assert (execution.status, execution.outputs) == (RunStatus.COMPLETED, {"sum": "12 boom"})
    assert counted(execution.pk) == {"a": 1, "b": 1, "join": 1}
    assert gapless(execution)


def test_wide_fan_out_joins_once(workers: Workers) -> None:
    names = [f"n{place}" for place in range(60)]
    drawing = ", ".join(f"start -> {name} -> join" for name in names)

    execution = start(drawing, default="test.count", types={"start": "trigger"})
    wait_for_end(execution)

    assert counted(execution.pk) == dict.fromkeys([*names, "join"], 1)
    assert gapless(execution)


def test_large_outputs_are_read_by_other_processes(workers: Workers) -> None:
    """They are in storage that all share: the row says where."""
    execution = start(
        "start -> a -> out, start -> b -> out",
        default="test.count",
        types={"start": "trigger", "out": "output"},
        nodes={
            **{node: {"config": {"value": "{{inputs.text}}"}} for node in "ab"},
            "out": {"config": {"outputName": "sum", "value": "{{a.result.length}} {{b.result}}", "format": "string"}},
        },
        inputs={"text": "x" * 5_000_000},
    )

    wait_for_end(execution)

    large = NodeRun.objects.filter(execution=execution, output_ref__isnull=False).values_list("node_id", flat=True)
    assert (execution.status, sorted(large)) == (RunStatus.COMPLETED, ["a", "b", "out", "start"])
    assert run_outputs.read(execution) == {"sum": f"5000000 {'x' * 5_000_000}"}


def test_killed_worker_costs_the_node_it_ran_and_nothing_else(workers: Workers) -> None:
    """Every run goes on within the lease and five seconds; no completed node runs again."""
    execution = start(
        "start -> a -> b -> slow -> c",
        default="test.count",
        types={"start": "trigger"},
        nodes={"slow": {"config": {"ms": 1500}}},
    )
    wait_until(lambda: counted(execution.pk).get("slow") == 1, seconds=15)
    owner = NodeRun.objects.get(execution=execution, node_id="slow").owner

    workers.kill(WorkerLease.objects.get(pk=owner).pid)
    wait_until(
        lambda: counted(execution.pk).get("slow") == 2, seconds=settings.FLOWMAESTRO_LEASE.total_seconds() + GRACE
    )
    wait_for_end(execution)

    assert execution.status == RunStatus.COMPLETED
    assert counted(execution.pk) == {"a": 1, "b": 1, "slow": 2, "c": 1}
    assert NodeRun.objects.get(execution=execution, node_id="slow").attempt == 2
    assert gapless(execution)


def test_flushed_redis_costs_messages_and_no_run(workers: Workers, redis_client: redis.Redis) -> None:
    """A chord and its body are gone; the rows say what is left to do."""
    names = [f"n{place}" for place in range(40)]
    execution = start(
        ", ".join(f"start -> {name} -> join" for name in names),
        default="test.count",
        types={"start": "trigger"},
        nodes={name: {"config": {"ms": 300}} for name in names},
    )
    wait_until(lambda: len(counted(execution.pk)) > 2, seconds=15)
    ours = [key for key in redis_client.scan_iter(f"{settings.REDIS_PREFIX}*") if ":count:" not in f":{key}"]

    redis_client.delete(*ours)
    wait_for_end(execution)

    assert execution.status == RunStatus.COMPLETED
    assert set(statuses(execution).values()) == {"completed"}
    assert counted(execution.pk) == dict.fromkeys([*names, "join"], 1)


def test_cancel_ends_a_running_node_within_a_second(workers: Workers) -> None:
    execution = start(
        "start -> slow -> after",
        default="test.count",
        types={"start": "trigger"},
        nodes={"slow": {"config": {"ms": 20000}}},
    )
    wait_until(lambda: counted(execution.pk).get("slow") == 1, seconds=15)

    cancel_execution(execution.pk)
    wait_until(lambda: is_idle(workers), seconds=3)
    execution.refresh_from_db()

    assert (execution.status, execution.outputs) == (RunStatus.CANCELLED, {})
    assert statuses(execution) == {"start": "completed", "slow": "cancelled"}
    assert counted(execution.pk) == {"slow": 1}


def is_idle(workers: Workers) -> bool:
    """No worker runs anything: each is asked to stop, which it does when its tasks are done."""
    for process in workers.processes:
        process.terminate()
    return all(process.poll() is not None for process in workers.processes)
