"""Workers that are asked to stop: nothing that they run waits for a lease to run out, and nothing keeps them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import call_command

from benchmarks.workers import Workers
from executions.models import Execution, NodeRun, WorkerLease
from executions.services import cancel_execution, start_execution
from tests.factories import WorkflowVersionFactory
from tests.graphs import draw
from tests.nodes import counted
from tests.stack import workers_on_test_database
from tests.waiting import wait_until

pytestmark = pytest.mark.stack

# So long that only a node which was handed over can be run by another worker while the test waits.
LEASE_SECONDS = 3600
MINUTE = 60_000


@pytest.fixture(scope="module")
def running(django_db_setup: None, django_db_blocker: Any) -> Iterator[Workers]:
    """One more than there are tests, each of which stops one."""
    patience = {"FLOWMAESTRO_LEASE_SECONDS": str(LEASE_SECONDS), "FLOWMAESTRO_DRAIN_SECONDS": "1"}
    with django_db_blocker.unblock():
        with workers_on_test_database(3, **patience) as workers:
            yield workers
        call_command("flush", interactive=False, verbosity=0)


@pytest.fixture
def workers(running: Workers, db: None) -> Iterator[Workers]:
    yield running
    for execution in Execution.objects.live():
        cancel_execution(execution.pk)


def start(kind: str, config: dict[str, Any]) -> Execution:
    payload = draw("start -> slow -> after", default="test.count", types={"start": "trigger", "slow": kind})
    payload["nodes"]["slow"]["config"] = config
    return start_execution(WorkflowVersionFactory(workflow__definition=payload), inputs={})


def stop_who_runs(node_id: str, execution: Execution, workers: Workers) -> int:
    """SIGTERM to the worker that runs the node. Returns its exit code."""
    wait_until(lambda: counted(execution.pk).get(node_id) == 1, seconds=15)
    owner = NodeRun.objects.get(execution=execution, node_id=node_id).owner
    pid = WorkerLease.objects.get(pk=owner).pid
    process = next(process for process in workers.processes if process.pid == pid)
    process.terminate()
    return process.wait(timeout=30)


@pytest.mark.parametrize("kind", ["test.count", "test.deaf"])
def test_node_that_does_not_end_in_time_is_run_by_another_worker_at_once(workers: Workers, kind: str) -> None:
    """Whether its handler listens or not."""
    execution = start(kind, {"ms": MINUTE})

    code = stop_who_runs("slow", execution, workers)
    wait_until(lambda: counted(execution.pk).get("slow") == 2, seconds=30)

    slow = NodeRun.objects.get(execution=execution, node_id="slow")
    others = {process.pid for process in workers.processes if process.poll() is None}
    assert code == 0
    assert (slow.status, slow.attempt, slow.lost) == ("running", 2, 0)
    assert WorkerLease.objects.get(pk=slow.owner).pid in others
