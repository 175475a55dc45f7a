from __future__ import annotations

from collections.abc import Callable
from threading import Thread
from uuid import uuid4

import pytest
from django.db import connection

from executions.models import Execution
from executions.node_states import NodeState, node_states
from realtime import snapshot
from realtime.snapshot import Snapshot
from tests.graphs import draw
from tests.realtime.runs import Run
from workflows.core import build_plan, parse_definition


def test_snapshot_tells_which_nodes_may_be_streaming(run: Run) -> None:
    """Only what runs can say something now."""
    for node in ("first", "second"):
        run.begin(node)
    run.finish("first")

    taken = snapshot.take(run.id)

    assert isinstance(taken, Snapshot)
    assert taken.streaming == ("second/",)
    assert taken.frame({"second/": "Hi"})["streams"] == {"second/": {"offset": 0, "text": "Hi"}}


def test_snapshot_of_a_loop_tells_of_its_newest_iteration_only(make_run: Callable[..., Run]) -> None:
    """A state and a stream for each node, and figures for all that was before."""
    run = make_run(build_plan(parse_definition(draw("start -> loop, loop:body -> a", default="test.echo"))))
    run.begin("loop", total=9)
    for index in range(3):
        run.begin("a", scope=f"loop[{index}]")
        if index < 2:
            run.finish("a", scope=f"loop[{index}]")
            run.tell("node:progress", "loop", done=index + 1)

    taken = snapshot.take(run.id)

    assert isinstance(taken, Snapshot)
    nodes = {node["node_id"]: node for node in taken.nodes}
    assert [node["node_id"] for node in taken.nodes] == [node.id for node in run.plan.nodes]
    assert (nodes["a"]["scope"], nodes["a"]["parent"], nodes["a"]["status"]) == ("loop[2]", "loop", "running")
    assert nodes["a"]["visits"] == {"completed": 2, "failed": 0, "skipped": 0}
    assert nodes["loop"]["progress"] == {"done": 2, "total": 9}
    assert taken.streaming == ("a/loop[2]", "loop/")


def test_snapshot_of_an_unknown_run_is_none(run: Run) -> None:
    """Not an error: somebody asked for what is gone."""
    assert snapshot.take(uuid4()) is None


def test_snapshot_sees_one_moment(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is written while it is taken belongs to the events after it: its nodes never run ahead of its number."""
    run.begin("first")

    def states(execution: Execution, *, upto: int) -> list[NodeState]:
        in_another_session(lambda: run.begin("second", silent=True))
        return node_states(execution, upto=upto)

    monkeypatch.setattr(snapshot, "node_states", states)
    taken = snapshot.take(run.id)

    assert (taken.run.seq, [node["status"] for node in taken.nodes], run.seq) == (2, ["running", "pending"], 3)


def in_another_session(act: Callable[[], object]) -> None:
    def run() -> None:
        act()
        connection.close()

    thread = Thread(target=run)
    thread.start()
    thread.join()
