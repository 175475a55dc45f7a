"""What is told of runs on real workers, folded by the page's own script, is what the API shows of them."""

from __future__ import annotations

import pytest

from benchmarks.workers import Workers
from executions.core import RunStatus
from executions.models import Execution
from executions.services import start_execution
from realtime import snapshot
from tests.factories import WorkflowVersionFactory
from tests.graphs import draw
from tests.realtime.javascript import javascript, needs_node
from tests.realtime.shown import comparable
from tests.told import read_back
from tests.waiting import wait_until

pytestmark = [pytest.mark.stack, needs_node]


def test_loop_beside_a_parallel_is_shown_as_it_is_told(workers: Workers) -> None:
    """To whoever was there from the beginning, and to whoever came at any moment and is told some of it again."""
    drawing = (
        "start -> loop, loop:body -> a -> if, if:true -> b, if:false -> c, loop:body -> again,"
        " start -> par, par:body -> loop2, loop2:body -> d -> e, par:body -> bad, bad:error -> f, loop -> end, par -> end"
    )
    payload = draw(
        drawing,
        default="test.count",
        types={"start": "trigger", "if": "conditional", "loop": "loop", "loop2": "loop", "par": "parallel"}
        | {"bad": "test.fail", "again": "test.fail_n"},
        nodes={
            "loop": {"config": {"count": 6}},
            "par": {"config": {"count": 8, "maxConcurrency": 3}},
            "if": {"config": {"expression": "loop.index < 3"}},
            "a": {"config": {"ms": 30}},
            "d": {"config": {"ms": 20}},
            "again": {"config": {"n": 1}, "retry": {"attempts": 2, "initialIntervalMs": 50}},
        },
    )
    run = start_execution(WorkflowVersionFactory(workflow__definition=payload), inputs={})
    taken = [snapshot.take(run.pk).frame({})]

    def is_over() -> bool:
        taken.append(snapshot.take(run.pk).frame({}))
        return RunStatus(Execution.objects.values_list("status", flat=True).get(pk=run.pk)).is_final

    wait_until(is_over, seconds=60)
    frames, shown = read_back(run.pk, limit=10_000), snapshot.take(run.pk).frame({})
    moments = taken[:: len(taken) // 20 + 1]
    everything = [[each, *frames] for each in moments]
    later = [[each, *(frame for frame in frames if frame["seq"] > each["seq"])] for each in moments]
    states = javascript("folds", everything + later)

    assert shown["status"] == "completed"
    assert [frame["seq"] for frame in frames] == list(range(1, shown["seq"] + 1))
    progress = {node["node_id"]: node["progress"] for node in shown["nodes"] if node["progress"]}
    assert progress == {
        "loop": {"done": 6, "total": 6}, "par": {"done": 8, "total": 8}, "loop2": {"done": 2, "total": 2},
    }  # fmt: skip
    for state in states:
        assert state["status"] == "completed"
        assert comparable(state["nodes"].values()) == comparable(shown["nodes"])
