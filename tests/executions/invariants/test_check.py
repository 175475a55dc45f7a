"""Runs that are as they should be, at every moment, have nothing wrong with them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from pytest_django.fixtures import Settings

from executions import driver, quarantine
from executions.core import RunStatus
from executions.invariants import check_runs
from executions.models import Execution
from executions.services import cancel_execution, pause_execution, unpause_execution
from executions.waitpoints import services as waitpoints
from handlers import HandlerError, PauseKind
from tests.executions.accidents import fall_due, process_dies, recover
from tests.executions.drawings import random_drawing
from tests.executions.families import calling, no
from tests.executions.runs import begin, publish, reread
from tests.executions.scripted import Killed, Script, answers, in_turn, raises
from tests.fakes import Messages
from workflows.models import WorkflowVersion

pytestmark = pytest.mark.django_db(transaction=True)

AT_ONCE = timedelta()  # no grace: what is wrong for a moment is wrong


def findings(**more: Any) -> list[tuple[str, str | None, str]]:
    """What is wrong with any run, by code and node."""
    return [(each.code, each.where, each.wrong) for each in check_runs(limit=100, grace=AT_ONCE, **more).findings]


def clean_at_every_message(messages: Messages) -> int:
    """Deliver one by one; returns how many it were."""
    assert findings() == []
    delivered = 0
    while messages.waiting:
        messages.deliver(messages.waiting.pop(0))
        delivered += 1
        assert findings() == []
    return delivered


DRAWINGS: dict[str, dict[str, Any]] = {
    "line": {"drawing": "start -> a -> b -> c"},
    "join": {"drawing": "start -> a -> j, start -> b -> c -> j -> d"},
    "dead path": {"drawing": "start -> if, if:true -> a -> b -> j, if:false -> c -> j", "nodes": {"if": no()}},
    "error edge": {"drawing": "start -> bad -> a, bad:error -> h -> j, a -> j", "types": {"bad": "test.fail"}},
    "failure": {"drawing": "start -> bad -> a, start -> b -> c", "types": {"bad": "test.fail"}},
    "finished branches": {
        "drawing": "start -> bad -> a, start -> b -> c",
        "types": {"bad": "test.fail"},
        "settings": {"onFailure": "finish-branches"},
    },
    "failure beside a pause": {
        "drawing": "start -> h -> b, start -> bad",
        "types": {"h": "test.ask", "bad": "test.fail"},
    },
    "disabled": {"drawing": "start -> a -> b, start -> c", "nodes": {"a": {"disabled": True}}},
    "cap": {"drawing": "start -> a, start -> b, start -> c", "settings": {"maxConcurrentNodes": 1}},
    "no further": {"drawing": "start -> a -> b, start -> c", "until": "a"},
    "segments": {"drawing": "start -> a1 -> b1 -> j, start -> a2 -> b2 -> c2 -> j"},
    "loop": {"drawing": "start -> loop -> z, loop:body -> a -> if, if:true -> b, if:false -> c"},
    "parallel": {"drawing": "start -> par -> z, par:body -> a -> b", "nodes": {"par": {"config": {"count": 5}}}},
    "nested": {"drawing": "start -> loop -> z, loop:body -> a -> par -> c, par:body -> b -> d"},
    "no body": {"drawing": "start -> loop -> z"},
    "failed body": {"drawing": "start -> loop -> z, loop:body -> bad -> a", "types": {"bad": "test.fail"}},
    "handled body": {
        "drawing": "start -> par -> z, par:body -> bad -> a, par:body -> b -> c, par:error -> h",
        "types": {"bad": "test.fail"},
    },
    "collected failures": {
        "drawing": "start -> par -> z, par:body -> bad -> a, par:body -> b",
        "types": {"bad": "test.fail"},
        "nodes": {"par": {"config": {"onFailure": "continue", "count": 3}}},
    },
}


@pytest.mark.parametrize("name", DRAWINGS)
def test_run_is_as_it_should_be_after_every_message(messages: Messages, name: str) -> None:
    given = {**DRAWINGS[name]}
    types = {"start": "trigger", "if": "conditional", "loop": "loop", "par": "parallel", **given.pop("types", {})}
    until = given.pop("until", None)
    run = begin(default="test.count", types=types, **given)
    Execution.objects.filter(pk=run.pk).update(until_node=until)

    assert clean_at_every_message(messages) > 0
    assert RunStatus(reread(run).status).is_final


@pytest.mark.parametrize("seed", range(8))
def test_run_of_a_random_plan_is_as_it_should_be(messages: Messages, seed: int) -> None:
    begin(**random_drawing(seed, nodes=14))

    clean_at_every_message(messages)


def test_run_between_two_attempts_is_as_it_should_be(messages: Messages, scripts: dict[str, Script]) -> None:
    scripts["a"] = in_turn(*[raises(HandlerError("not yet", retryable=True))] * 2, answers("done"))
    run = begin("start -> a -> b, start -> c -> d", default="test.script")

    clean_at_every_message(messages)
    for _ in range(2):
        fall_due(messages, run)
        assert findings() == []

    assert reread(run).status == RunStatus.COMPLETED


def test_family_is_as_it_should_be(messages: Messages, child: WorkflowVersion) -> None:
    run = calling(child, "start -> loop -> z, loop:body -> sub")

    assert clean_at_every_message(messages) > 3
    assert reread(run).status == RunStatus.COMPLETED


def test_run_that_waits_is_as_it_should_be(messages: Messages) -> None:
    run = begin("start -> h -> b, start -> c", default="test.count", types={"start": "trigger", "h": "test.ask"})

    clean_at_every_message(messages)
    waitpoints.answer(run.waitpoints.get().pk, "yes", by="somebody", kinds=[PauseKind.HUMAN])
    assert findings() == []
    clean_at_every_message(messages)

    assert reread(run).status == RunStatus.COMPLETED


def test_run_that_waits_in_a_body_and_expires_is_as_it_should_be(messages: Messages) -> None:
    """By which port a node of a body went on is not in its row."""
    types = {"start": "trigger", "loop": "loop", "h": "test.ask"}
    nodes = {"h": {"config": {"ms": 1000}}, "loop": {"config": {"count": 1}}}
    drawing = "start -> loop -> z, loop:body -> h -> a, h:timeout -> b"
    run = begin(drawing, default="test.count", types=types, nodes=nodes)
    clean_at_every_message(messages)

    recover(messages, run)

    assert (findings(), reread(run).status) == ([], RunStatus.COMPLETED)


def test_run_whose_child_waits_is_as_it_should_be(messages: Messages) -> None:
    version = publish("start -> h -> b", types={"start": "trigger", "h": "test.ask"})
    run = calling(version)

    clean_at_every_message(messages)

    assert reread(run).status == RunStatus.PAUSED


@pytest.mark.parametrize("drawing", ["start -> a -> b, start -> c -> d", "start -> loop -> z, loop:body -> a -> b"])
def test_run_that_is_held_is_as_it_should_be(messages: Messages, settings: Settings, drawing: str) -> None:
    settings.FLOWMAESTRO_LANES = ["drive"]
    run = begin(drawing, default="test.count")
    messages.deliver(messages.waiting.pop(0))
    pause_execution(run.pk)
    clean_at_every_message(messages)
    paused = reread(run).status

    unpause_execution(run.pk)
    messages.deliver(messages.waiting.pop(0))  # until then nothing leads it on
    clean_at_every_message(messages)

    assert (paused, reread(run).status) == (RunStatus.PAUSED, RunStatus.COMPLETED)


def test_run_whose_worker_was_killed_is_as_it_should_be(messages: Messages, scripts: dict[str, Script]) -> None:
    """Once it was given to another."""
    scripts["b"] = raises(Killed())
    run = begin("start -> a -> b -> c", default="test.script")
    with pytest.raises(Killed):
        messages.deliver_all()
    process_dies()
    scripts.clear()

    recover(messages, run)

    assert findings() == []


def cancelled(run: Execution) -> None:
    cancel_execution(run.pk)


def quarantined(run: Execution) -> None:
    for _ in range(quarantine.MOST_FAILURES):
        quarantine.note_failure(run.pk)


@pytest.mark.parametrize("end", [cancelled, quarantined])
@pytest.mark.parametrize("delivered", range(3))
def test_run_that_is_broken_off_is_as_it_should_be(
    messages: Messages, end: Callable[[Execution], None], delivered: int
) -> None:
    """Whatever it was doing: also before its first drive."""
    drawing = "start -> a -> j, start -> loop -> j, loop:body -> b -> c, start -> h"
    run = begin(drawing, default="test.count", types={"start": "trigger", "loop": "loop", "h": "test.ask"})
    for _ in range(delivered):
        messages.deliver(messages.waiting.pop(0))

    end(run)

    clean_at_every_message(messages)
    assert RunStatus(reread(run).status).is_final


class TestWhichRuns:
    def test_those_that_live_and_those_that_ended_lately(self, messages: Messages) -> None:
        old, new, live = (begin("start -> a") for _ in range(3))
        for run in (old, new):
            driver.drive(run.pk)
        Execution.objects.filter(pk=old.pk).update(ended_at=timezone.now() - timedelta(hours=1))

        assert check_runs(limit=100).runs == 2
        assert check_runs(limit=100, ended_within=timedelta(days=1)).runs == 3
        assert check_runs(limit=100, execution_ids=[old.pk, live.pk]).runs == 2

    def test_no_more_than_was_asked_for(self, messages: Messages) -> None:
        runs = [begin("start -> a") for _ in range(6)]
        for run in runs[:3]:
            driver.drive(run.pk)

        assert check_runs(limit=2).runs == 4

    def test_it_takes_a_snapshot_of_its_own(self) -> None:
        with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
            check_runs(limit=1)
