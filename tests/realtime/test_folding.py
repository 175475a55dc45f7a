"""Folding the events that a client saw gives the state that the API shows, whatever a workflow does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis

from executions import driver
from executions.leases import lease
from executions.models import Execution
from executions.rerunning import rerun_execution
from executions.services import start_execution
from realtime.publisher import publisher
from tests.executions.runs import begin, publish
from tests.factories import WorkflowVersionFactory
from tests.fakes import Messages
from tests.graphs import draw
from tests.realtime.javascript import javascript, needs_node
from tests.realtime.shown import comparable
from tests.realtime.watched import watch

pytestmark = [needs_node, pytest.mark.django_db(transaction=True)]

Begin = Callable[[], Execution]


@pytest.fixture(autouse=True)
def nothing_is_left(redis_client: redis.Redis) -> Iterator[None]:
    """The lease that the engine took ends with its test, and what it published is away."""
    yield
    lease.release()
    publisher.flush()


def of_three(node: str, **more: Any) -> dict[str, Any]:
    return {node: {"config": {"mode": "count", "count": 3, **more}}}


def with_children() -> Execution:
    child = publish("start -> a")
    payload = draw(
        "start -> loop, loop:body -> child -> b, loop -> c",
        default="test.echo",
        types={"start": "trigger", "child": "subWorkflow", "loop": "loop"},
        nodes={"child": {"config": {"workflow": str(child.workflow_id), "version": 1}}},
    )
    same = child.workflow.workspace
    return start_execution(WorkflowVersionFactory(workflow__workspace=same, workflow__definition=payload), inputs={})


def rerun(from_node: str, drawing: str, **more: Any) -> Begin:
    """A rerun of a run that is over: what it keeps, no event of its own tells."""

    def story() -> Execution:
        before = begin(drawing, **more)
        driver.drive(before.pk)
        return rerun_execution(before.pk, from_node=from_node)

    return story


STORIES: dict[str, Begin] = {
    "plain": lambda: begin("start -> a -> if, if:true -> b, if:false -> c, b -> d, c -> d", default="test.count"),
    "loop of pure nodes": lambda: begin("start -> loop, loop:body -> a -> b, loop -> c"),
    "loop of effects": lambda: begin("start -> loop, loop:body -> a -> b, loop -> c", default="test.count"),
    "loop around two at once": lambda: begin(
        "start -> loop, loop:body -> a -> c, loop:body -> b -> c, loop -> d", default="test.count"
    ),
    "loop that chooses": lambda: begin(
        "start -> loop, loop:body -> if, if:true -> a, if:false -> b, a -> c, b -> c",
        nodes={"if": {"config": {"expression": "loop.index == 0"}}},
    ),
    "loop of no iterations": lambda: begin(
        "start -> loop, loop:body -> a, loop -> c", nodes={"loop": {"config": {"count": 0}}}
    ),
    "loop behind a dead edge": lambda: begin(
        "start -> if, if:false -> loop, loop:body -> par, par:body -> a, loop -> c", nodes=of_three("par")
    ),
    "while": lambda: begin(
        "start -> loop, loop:body -> a, loop -> c",
        nodes={"loop": {"config": {"loopType": "while", "condition": "loop.index < 3", "count": None}}},
    ),
    "parallel": lambda: begin(
        "start -> par, par:body -> a -> b, par -> c", default="test.count", nodes=of_three("par")
    ),
    "parallel, two at a time": lambda: begin(
        "start -> par, par:body -> a, par -> c", default="test.count", nodes=of_three("par", count=5, maxConcurrency=2)
    ),
    "parallel in a loop in a parallel": lambda: begin(
        "start -> par, par:body -> loop, loop:body -> par2, par2:body -> a -> b, loop -> c, par -> d",
        default="test.count",
        nodes=of_three("par") | of_three("par2"),
    ),
    "a branch fails": lambda: begin(
        "start -> par, par:body -> a -> bad -> b, par:error -> c",
        default="test.count",
        types={"start": "trigger", "bad": "test.fail", "par": "parallel"},
        nodes=of_three("par"),
    ),
    "failed branches are results": lambda: begin(
        "start -> par, par:body -> bad -> b, par -> c",
        default="test.count",
        types={"start": "trigger", "bad": "test.fail", "par": "parallel"},
        nodes=of_three("par", onFailure="continue"),
    ),
    "a failure in a body is handled there": lambda: begin(
        "start -> loop, loop:body -> bad, bad:error -> b, loop -> c",
        types={"start": "trigger", "bad": "test.fail", "loop": "loop"},
    ),
    "an attempt fails in each iteration": lambda: begin(
        "start -> loop, loop:body -> a -> b, loop -> c",
        default="test.count",
        types={"start": "trigger", "a": "test.fail_n", "loop": "loop"},
        nodes={"a": {"config": {"n": 1}, "retry": {"attempts": 2, "initialIntervalMs": 5}}},
    ),
    "all attempts fail in a branch": lambda: begin(
        "start -> par, par:body -> a -> b, par:error -> c",
        default="test.count",
        types={"start": "trigger", "a": "test.fail_n", "par": "parallel"},
        nodes=of_three("par") | {"a": {"config": {"n": 9}, "retry": {"attempts": 2, "initialIntervalMs": 5}}},
    ),
    "a child in each iteration": with_children,
    "a rerun that keeps nodes": rerun(
        "b", "start -> a -> if, if:true -> b, if:false -> c, b -> d, c -> d", default="test.count"
    ),
    "a rerun that keeps a loop": rerun("c", "start -> loop, loop:body -> par, par:body -> a, loop -> c"),
    "a rerun that keeps a loop that failed": rerun(
        "b",
        "start -> loop, loop:body -> bad -> a, loop:error -> b",
        types={"start": "trigger", "bad": "test.fail", "loop": "loop"},
    ),
    "a run that fails in an iteration": lambda: begin(
        "start -> loop, loop:body -> a -> bad -> b, loop -> c",
        types={"start": "trigger", "bad": "test.fail", "loop": "loop"},
    ),
}


@pytest.mark.parametrize("story", STORIES)
def test_events_fold_to_what_the_server_shows(story: str, messages: Messages) -> None:
    """At every moment at which the server knows no more than it told, and at the end."""
    watched = watch(STORIES[story](), messages)

    states = javascript("folds", [[watched.first, *frames] for frames, _ in watched.moments])

    for state, (_, shown) in zip(states, watched.moments, strict=True):
        assert (state["status"], state["seq"]) == (shown["status"], shown["seq"])
        assert comparable(state["nodes"].values()) == comparable(shown["nodes"])


@pytest.mark.parametrize("story", STORIES)
def test_whoever_joins_at_any_moment_ends_with_the_same(story: str, messages: Messages) -> None:
    """Whatever rows were ahead of when the snapshot was taken, and whichever events are told again after it."""
    watched = watch(STORIES[story](), messages, seed=1)
    frames, shown = watched.moments[-1]
    ways = [
        [taken, *(frame for frame in frames if frame["seq"] > taken["seq"] - again)]
        for taken in watched.snapshots
        for again in (0, 3, len(frames))
    ]

    states = javascript("folds", ways)

    assert shown["status"] in ("completed", "failed")
    for state in states:
        assert comparable(state["nodes"].values()) == comparable(shown["nodes"])
