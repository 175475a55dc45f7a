"""Runs that take over where another broke off, on the real engine."""

from __future__ import annotations

import pytest

from executions import quarantine
from executions.models import Execution
from executions.rerunning import retry_execution
from executions.services import cancel_execution, start_execution
from handlers import NodeOutput
from tests.executions.reruns import ended, ran
from tests.executions.runs import begin, outputs, publish, reread, statuses
from tests.executions.scripted import Script, answers, raises
from tests.fakes import Messages
from tests.nodes import counted

pytestmark = pytest.mark.django_db(transaction=True)


def test_failed_node_runs_with_what_follows_it(messages: Messages, scripts: dict[str, Script]) -> None:
    scripts["b"] = raises(ValueError("not today"))
    types = {"start": "trigger", "a": "test.count", "b": "test.script", "s": "test.echo"}
    before = ended(messages, "start -> s, start -> a -> b -> c", types=types)
    scripts["b"] = answers("today")

    run = retry_execution(before.pk)
    messages.deliver_all()

    assert (reread(before).status, reread(run).status, ran(run)) == ("failed", "completed", {"b", "c"})
    assert (counted(run.pk), outputs(run)["b"], outputs(run)["s"]) == ({}, "today", {"result": "s"})
    assert (reread(run).trigger, reread(run).rerun_of_id, reread(run).rerun_from) == ("retry", before.pk, None)


def test_failure_that_is_still_there_fails_again(messages: Messages) -> None:
    before = ended(messages, "start -> a -> bad -> c", types={"bad": "test.fail"})

    run = retry_execution(before.pk)
    messages.deliver_all()

    assert (reread(run).status, ran(run), statuses(run)["c"]) == ("failed", {"bad"}, "cancelled")


def test_input_that_was_wrong_is_mended(messages: Messages) -> None:
    nodes = {"loop": {"config": {"count": "{{inputs.n}}"}}}
    before = ended(messages, "start -> loop, loop:body -> a", nodes=nodes, inputs={"n": "many"})

    run = retry_execution(before.pk, inputs={"n": 1})
    messages.deliver_all()

    assert (before.error["node_id"], reread(run).status, ran(run)) == ("loop", "completed", {"loop", "loop[0]/a"})


def test_run_stops_where_the_one_before_was_to(messages: Messages, scripts: dict[str, Script]) -> None:
    """A retry is the same thing again."""
    scripts["b"] = raises(ValueError("not today"))
    version = publish("start -> a -> b -> c", types={"b": "test.script"})
    before = start_execution(version, inputs={}, until="b")
    messages.deliver_all()
    del scripts["b"]

    run = retry_execution(before.pk)
    messages.deliver_all()

    assert (reread(run).until_node, reread(run).status, ran(run)) == ("b", "completed", {"b"})


def test_run_that_was_cancelled_goes_on_where_it_was(messages: Messages, scripts: dict[str, Script]) -> None:
    """What came after its end is no part of it, so b runs again."""
    scripts["b"] = lambda node, lent: cancel_execution(node.execution_id) or NodeOutput(data="late")
    types = {"start": "trigger", "b": "test.script"}
    before = ended(messages, "start -> a -> b -> c", default="test.count", types=types)
    scripts["b"] = answers("again")

    run = retry_execution(before.pk)
    messages.deliver_all()

    assert (before.status, counted(before.pk), counted(run.pk)) == ("cancelled", {"a": 1}, {"c": 1})
    assert (reread(run).status, outputs(run)["b"]) == ("completed", "again")


def test_run_that_was_quarantined_goes_on_with_what_was_folded(run: Execution, messages: Messages) -> None:
    """Its state is as it was when it could not be driven any more."""
    messages.lose_all()
    for _ in range(quarantine.MOST_FAILURES):
        quarantine.note_failure(run.pk)

    again = retry_execution(run.pk)
    messages.deliver_all()

    assert (reread(again).status, ran(again)) == ("completed", {"a", "b", "j"})


def test_run_that_never_came_to_a_state_runs_from_the_start(messages: Messages) -> None:
    before = begin("start -> a")
    for _ in range(quarantine.MOST_FAILURES):
        quarantine.note_failure(before.pk)

    run = retry_execution(before.pk)
    messages.deliver_all()

    assert ran(run) == {"start", "a"}
