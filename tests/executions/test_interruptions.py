"""`onInterrupted: fail`: nobody knows whether the node has had its effect, and twice would be worse than not."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from executions.core import RunStatus
from executions.sweep import recover_lost_nodes
from handlers import NodeOutput
from tests.executions.accidents import lease_runs_out, process_dies, recover
from tests.executions.runs import begin, outputs, reread, row, statuses
from tests.executions.scripted import Killed, Script, raises
from tests.fakes import Messages

pytestmark = pytest.mark.django_db(transaction=True)


def lose_one(messages: Messages) -> None:
    """The worker dies with the node in its hands."""
    with pytest.raises(Killed):
        messages.deliver_all()
    process_dies()
    recover_lost_nodes(timezone.now())
    messages.deliver_all()


def test_node_fails_at_its_first_loss(messages: Messages, scripts: dict[str, Script]) -> None:
    scripts["a"] = raises(Killed())
    run = begin("start -> a -> b", default="test.script", nodes={"a": {"onInterrupted": "fail"}})
    lose_one(messages)

    error = reread(run).error
    assert (error["code"], error["node_id"], error["attempts"]) == ("worker_lost", "a", 1)
    assert "may have had its effect" in error["message"]
    assert statuses(run) == {"start": "completed", "a": "failed", "b": "cancelled"}


def test_error_edge_is_taken(messages: Messages, scripts: dict[str, Script]) -> None:
    scripts["a"] = raises(Killed())
    nodes = {"a": {"onInterrupted": "fail"}, "h": {"config": {"value": "{{a.error.code}}"}}}
    run = begin("start -> a -> b, a:error -> h", default="test.script", nodes=nodes)
    lose_one(messages)

    assert statuses(run) == {"start": "completed", "a": "failed", "b": "skipped", "h": "completed"}
    assert outputs(run)["h"] == {"result": "worker_lost"}


def test_on_error_decides(messages: Messages, scripts: dict[str, Script]) -> None:
    scripts["a"] = raises(Killed())
    policy = {"onInterrupted": "fail", "onError": {"strategy": "fallback", "fallbackValue": 7}}
    run = begin("start -> a", default="test.script", nodes={"a": policy})
    lose_one(messages)

    assert (reread(run).status, reread(run).outputs) == (RunStatus.COMPLETED, {"a": 7})


def test_nodes_that_were_lost_with_it_run_again(messages: Messages, scripts: dict[str, Script]) -> None:
    scripts |= {"a": raises(Killed()), "b": raises(Killed())}
    policy = {"onInterrupted": "fail", "onError": {"strategy": "continue"}}
    run = begin("start -> a, start -> b", default="test.script", nodes={"a": policy})
    messages.deliver(messages.waiting.pop(0))
    for _ in range(2):
        with pytest.raises(Killed):
            messages.deliver(messages.waiting.pop(0))
    scripts.clear()
    process_dies()

    recover(messages, run)

    assert [(node.status, node.attempt) for node in (row(run, "a"), row(run, "b"))] == [("completed", 2)] * 2
    assert (outputs(run)["a"]["error"]["code"], outputs(run)["b"]) == ("worker_lost", {"result": None})


def test_worker_that_comes_back_cannot_write(messages: Messages, scripts: dict[str, Script]) -> None:
    run = begin("start -> a -> b", default="test.script", nodes={"a": {"onInterrupted": "fail"}})

    def slow(node: Any, lent: Any) -> NodeOutput:
        lease_runs_out()
        recover_lost_nodes(timezone.now())
        messages.deliver_all()
        return NodeOutput(data="late")

    scripts["a"] = slow

    messages.deliver_all()

    assert (reread(run).status, row(run, "a").status, outputs(run)["a"]) == (RunStatus.FAILED, "failed", None)
