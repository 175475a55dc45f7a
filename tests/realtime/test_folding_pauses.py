"""Folding the events that a client saw gives the state that the API shows, also of runs that wait, and whose wait ends
as it may: by an answer, by its moment, by being withdrawn, by being let go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from random import Random
from typing import Any

import pytest
import redis
from django.utils import timezone

import tests.executions.scripted  # noqa: F401 -- with it there is a test.ask
from executions import driver
from executions.core.statuses import WaitpointStatus
from executions.leases import lease
from executions.models import Execution, ExecutionState, Waitpoint
from executions.services import cancel_execution, pause_execution, start_execution, unpause_execution
from executions.waitpoints import services
from handlers import PauseKind
from realtime.publisher import publisher
from tests.executions.runs import begin, publish, reread
from tests.factories import WorkflowVersionFactory
from tests.fakes import Messages
from tests.graphs import draw
from tests.realtime.javascript import javascript, needs_node
from tests.realtime.shown import comparable
from tests.realtime.watched import Watched, watch

pytestmark = [needs_node, pytest.mark.django_db(transaction=True)]

HOUR = 3_600_000


@pytest.fixture(autouse=True)
def nothing_is_left(redis_client: redis.Redis) -> Iterator[None]:
    """The lease that the engine took ends with its test, and what it published is away."""
    yield
    lease.release()
    publisher.flush()


def asking(drawing: str, *, nodes: dict[str, Any] | None = None, **types: str) -> Execution:
    """`h` and `h2` ask; what its name says nothing of takes a worker."""
    asked = {"start": "trigger", "h": "test.ask", "h2": "test.ask", **types}
    return begin(drawing, default="test.count", types=asked, nodes=nodes or {})


def family() -> Execution:
    child = publish("start -> h -> h2 -> out", types={"start": "trigger", "h": "test.ask", "h2": "test.ask"})
    payload = draw(
        "start -> loop, loop:body -> call -> b, loop -> c, start -> d",
        default="test.echo",
        types={"start": "trigger", "call": "subWorkflow", "loop": "loop"},
        nodes={
            "call": {"config": {"workflow": str(child.workflow_id), "version": 1}},
            "loop": {"config": {"count": 2}},
        },
    )
    same = child.workflow.workspace
    return start_execution(WorkflowVersionFactory(workflow__workspace=same, workflow__definition=payload), inputs={})


OF_THREE = {"par": {"config": {"mode": "count", "count": 3}}}
STORIES: dict[str, Callable[[], Execution]] = {
    "one question": lambda: asking("start -> h -> b"),
    "two questions beside work": lambda: asking("start -> h -> j, start -> h2 -> j, start -> a -> b -> j"),
    "one after the other": lambda: asking("start -> h -> a -> h2 -> b"),
    "a moment": lambda: asking("start -> h -> b", nodes={"h": {"config": {"kind": "timer", "ms": HOUR}}}),
    "nobody answers, and an edge takes it": lambda: asking(
        "start -> h -> ok -> j, h:timeout -> late -> j, start -> h2", nodes={"h": {"config": {"ms": HOUR}}}
    ),
    "nobody answers": lambda: asking("start -> h -> ok, start -> h2 -> b", nodes={"h": {"config": {"ms": HOUR}}}),
    "votes": lambda: asking("start -> h -> b", nodes={"h": {"config": {"votes": [2, 3]}}}),
    "a question in each iteration": lambda: asking("start -> loop -> z, loop:body -> h -> a"),
    "a question in each branch": lambda: asking(
        "start -> par -> z, par:body -> h -> a, par:body -> h2", nodes=OF_THREE
    ),
    "a branch fails while others wait": lambda: asking(
        "start -> par -> z, par:error -> e, start -> h2, par:body -> if, if:true -> h -> a, if:false -> b -> bad",
        nodes=OF_THREE | {"if": {"config": {"expression": "parallel.index < 2"}}},
        bad="test.fail",
    ),
    "failed branches are results, and withdraw what waits in them": lambda: asking(
        "start -> par -> z, par:body -> loop, loop:body -> h, par:body -> if, if:true -> b -> bad",
        nodes={
            "par": {"config": {"mode": "count", "count": 3, "onFailure": "continue"}},
            "if": {"config": {"expression": "parallel.index == 1"}},
        },
        bad="test.fail",
    ),
    "a branch is stopped between two attempts": lambda: asking(
        "start -> par -> z, par:error -> h, par:body -> if, if:true -> again, if:false -> b -> c -> bad",
        nodes=OF_THREE
        | {
            "if": {"config": {"expression": "parallel.index > 0"}},
            "again": {"config": {"n": 9}, "retry": {"attempts": 9, "initialIntervalMs": HOUR}},
        },
        bad="test.fail",
        again="test.fail_n",
    ),
    "the run fails while it waits": lambda: asking("start -> h -> x, start -> a -> bad -> b", bad="test.fail"),
    "runs that ask, one after the other": family,
}


def move(run: Execution, chance: Random) -> None:
    """Something happens outside: an answer, a moment, somebody who lets the run go."""
    if ExecutionState.objects.get(pk=run.pk).state.get("held"):
        unpause_execution(run.pk)
    elif waitpoints := [*Waitpoint.objects.filter(status=WaitpointStatus.OPEN).order_by("created_at", "id")]:
        waitpoint = chance.choice(waitpoints)
        if waitpoint.due_at is None:
            value = "yes" if waitpoint.votes_needed is None else True
            services.answer(waitpoint.pk, value, by=f"voter {chance.random()}", kinds=[PauseKind.HUMAN])
        else:
            Waitpoint.objects.filter(pk=waitpoint.pk).update(due_at=timezone.now() - timedelta(seconds=1))
            driver.drive(run.pk)
    else:
        driver.drive(run.pk)


def hold_now_and_then(run: Execution, chance: Random) -> None:
    is_held = ExecutionState.objects.get(pk=run.pk).state.get("held")
    if not is_held and chance.random() < 0.5:
        pause_execution(run.pk)
    else:
        move(run, chance)


def of_run(state: dict[str, Any], waits: list[dict[str, Any]]) -> dict[str, Any]:
    """What both sides know of a run beside its nodes."""
    # The pause that the end of a run cuts short lasts until then, to the millisecond by either's rounding.
    return {
        "status": state["status"],
        "pause": state["pause"],
        "paused_ms": pytest.approx(state["paused_ms"], abs=1),
        "waits": waits,
    }


def check_folded(watched: Watched) -> None:
    states = javascript("folds", [[watched.first, *frames] for frames, _ in watched.moments])

    for state, (_, shown) in zip(states, watched.moments, strict=True):
        assert state["seq"] == shown["seq"]
        assert of_run(state, state["waits"]) == of_run(shown, shown["waitpoints"])
        assert comparable(state["nodes"].values()) == comparable(shown["nodes"])


def check_joined(watched: Watched) -> None:
    frames, shown = watched.moments[-1]
    ways = [
        [taken, *(frame for frame in frames if frame["seq"] > taken["seq"] - again)]
        for taken in watched.snapshots
        for again in (0, 3, len(frames))
    ]

    for state in javascript("folds", ways):
        assert of_run(state, state["waits"]) == of_run(shown, shown["waitpoints"])
        assert comparable(state["nodes"].values()) == comparable(shown["nodes"])


@pytest.mark.parametrize("story", STORIES)
def test_events_fold_to_what_the_server_shows(story: str, messages: Messages) -> None:
    """At every moment at which the server knows no more than it told; from then on, and from any moment."""
    watched = watch(STORIES[story](), messages, move=move)

    assert "paused" in {shown["status"] for _, shown in watched.moments} or story == "the run fails while it waits"
    check_folded(watched)
    check_joined(watched)


@pytest.mark.parametrize("story", STORIES)
def test_events_of_a_run_that_is_held_now_and_then_do_so_too(story: str, messages: Messages) -> None:
    """Before it begins, and whenever nothing else happens."""
    run = STORIES[story]()
    pause_execution(run.pk)

    watched = watch(run, messages, move=hold_now_and_then)

    assert "requested" in {shown["pause"]["reason"] for _, shown in watched.moments if shown["pause"]}
    check_folded(watched)
    check_joined(watched)


@pytest.mark.parametrize("story", ["two questions beside work", "a question in each branch", "nobody answers"])
def test_cancel_ends_every_wait(story: str, messages: Messages) -> None:
    """Also the pause that the run is in."""
    run = STORIES[story]()
    watched = watch(run, messages, move=lambda run, chance: cancel_execution(run.pk))

    assert reread(run).status == "cancelled"
    check_folded(watched)
    check_joined(watched)
