"""Time must never change a result: whoever is faster, delivered twice or in between, a run comes to the same end."""

from __future__ import annotations

from functools import cache
from random import Random
from typing import Any

import pytest

from executions.core import RunStatus
from executions.models import Event, Execution, NodeRun
from tests.executions.drawings import EFFECTS, random_drawing
from tests.executions.runs import begin, numbers, reread, statuses
from tests.fakes import Messages
from tests.nodes import counted

pytestmark = pytest.mark.django_db(transaction=True)

SEEDS = range(12)


def result(run: Execution) -> dict[str, Any]:
    """What a run came to, without its times."""
    rows = NodeRun.objects.filter(execution=run)
    return {
        "status": reread(run).status,
        "outputs": timeless(reread(run).outputs),
        "statuses": statuses(run),
        "nodes": {row.node_id: (row.status, row.port, row.handled, timeless(row.output)) for row in rows},
        "events": sorted(Event.objects.filter(execution=run).values_list("type", "node_id")),
    }


def timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: timeless(item) for key, item in value.items() if key != "at"}
    return value


def effects_that_ran(run: Execution) -> dict[str, int]:
    return dict.fromkeys(
        NodeRun.objects.filter(execution=run, node_type__in=EFFECTS).values_list("node_id", flat=True), 1
    )


@cache
def in_order_of_sending(seed: int) -> dict[str, Any]:
    """What the drawing of *seed* comes to when every message is delivered once, the oldest first."""
    messages = Messages()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("executions.dispatch._send", messages.keep)
        run = begin(**random_drawing(seed))
        messages.deliver_all()
    assert reread(run).status == RunStatus.COMPLETED
    return result(run)


@pytest.mark.parametrize("twice", [False, True])
@pytest.mark.parametrize("seed", SEEDS)
def test_result_does_not_depend_on_the_order_of_delivery(messages: Messages, seed: int, twice: bool) -> None:
    """Every node that ran has run once, and is told of once."""
    run = begin(**random_drawing(seed))

    messages.deliver_all(order=Random(seed), twice=twice)

    assert result(run) == in_order_of_sending(seed)
    assert counted(run.pk) == effects_that_ran(run)
    assert numbers(run) == list(range(1, len(numbers(run)) + 1))


@pytest.mark.parametrize("seed", SEEDS)
def test_node_starts_before_it_ends_and_after_what_it_waits_for(messages: Messages, seed: int) -> None:
    """In the events as they are numbered, whatever was delivered first."""
    run = begin(**random_drawing(seed))

    messages.deliver_all(order=Random(seed))

    told = list(Event.objects.filter(execution=run).order_by("seq").values_list("type", "node_id"))
    place = {what: at for at, what in enumerate(told)}
    ended = {
        node: place[kind, node] for kind, node in told if kind in {"node:completed", "node:failed", "node:skipped"}
    }
    began = {node: place[kind, node] for kind, node in told if kind == "node:started"}
    plan = run.version.plan
    late = [
        (source, target)
        for source, target, _, _ in plan["edges"]
        if target in began and not (ended[source] < began[target] < ended[target])
    ]
    assert late == []
