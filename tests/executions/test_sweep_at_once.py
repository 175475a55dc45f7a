"""Whole looks of many sweepers at the same moment, on connections of their own: nobody does what another has done."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
from django.utils import timezone

from executions import dispatch, driver, hotpath
from executions.core import RunStatus
from executions.models import Event, Execution, NodeRun
from executions.sweep import Sweeper
from tests.executions.accidents import let_time_pass
from tests.executions.families import calling
from tests.executions.runs import begin, publish, reread
from tests.executions.workers import Workers, in_parallel
from tests.factories import WorkerLeaseFactory
from tests.nodes import counted

pytestmark = pytest.mark.django_db(transaction=True)

SWEEPERS = 4


def wide(workers: Workers, *, nodes: int = 20) -> Execution:
    """A run with so many effects out, none of which was claimed; its messages are lost."""
    run = begin(", ".join(f"start -> n{place} -> j" for place in range(nodes)), default="test.count")
    driver.drive(run.pk)
    workers.lose_all()
    return run


def sent(workers: Workers) -> Counter[str]:
    """How often each node run was sent."""
    return Counter(
        node for message in workers.waiting if message.task == dispatch.RUN_NODES for node in message.args[0]
    )


def test_each_node_is_sent_once_whatever_became_of_it(workers: Workers) -> None:
    """Half of them were lost with their worker, the other half were never sent."""
    run = wide(workers)
    nodes = [str(pk) for pk in NodeRun.objects.filter(execution=run, status="ready").values_list("pk", flat=True)]
    dead = WorkerLeaseFactory(expires_at=timezone.now() - timedelta(seconds=1))
    for node in nodes[:10]:
        hotpath.claim(node, owner=dead.pk)
    let_time_pass()

    in_parallel([Sweeper().sweep] * SWEEPERS)

    assert sent(workers) == dict.fromkeys(nodes, 1)
    recovered = NodeRun.objects.filter(pk__in=nodes[:10]).values_list("status", "attempt", "lost")
    assert list(recovered) == [("ready", 2, 1)] * 10


def test_run_that_all_of_them_ask_for_is_driven_once(workers: Workers) -> None:
    """A drive may be asked for by each: the second that comes finds nothing to do."""
    run = begin("start -> a -> b", default="test.count")
    workers.lose_all()
    let_time_pass()

    in_parallel([Sweeper().sweep] * SWEEPERS)
    asked = len(workers.waiting)
    workers.deliver_by(SWEEPERS)

    assert 1 <= asked <= SWEEPERS
    assert (reread(run).status, counted(run.pk)) == (RunStatus.COMPLETED, {"a": 1, "b": 1})


def test_run_whose_parent_is_over_is_cancelled_once(workers: Workers) -> None:
    version = publish("start -> work", default="test.count")
    parent = calling(version)
    driver.drive(parent.pk)
    Execution.objects.filter(pk=parent.pk).update(status="failed", ended_at=timezone.now())

    in_parallel([Sweeper().sweep] * SWEEPERS)

    child = Execution.objects.get(parent=parent)
    ends = Event.objects.filter(execution=child, type="execution:cancelled").count()
    assert (child.status, ends) == (RunStatus.CANCELLED, 1)
