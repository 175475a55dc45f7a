from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from executions import quarantine, worker
from executions.core import NodeStatus, RunStatus
from executions.models import NodeRun
from executions.node_states import NodeState, node_states
from executions.services import cancel_execution, start_execution
from handlers import HandlerError, NodeOutput
from tests.executions.runs import begin, publish, reread, statuses
from tests.executions.scripted import Script, raises
from tests.fakes import Messages

pytestmark = pytest.mark.django_db(transaction=True)

DRAWING = "start -> a -> j, start -> b -> j -> c"


def test_run_that_nobody_has_driven_has_all_before_it(messages: Messages) -> None:
    run = begin(DRAWING, default="test.count")

    assert statuses(run) == dict.fromkeys(["start", "a", "b", "j", "c"], "pending")


def test_states_come_in_the_order_of_the_plan(messages: Messages) -> None:
    run = begin(DRAWING, default="test.count")
    messages.deliver_all()

    assert [state.node_id for state in node_states(reread(run))] == [node["id"] for node in run.version.plan["nodes"]]


@pytest.mark.parametrize("driven", [False, True])
def test_node_that_takes_no_part_is_not_among_them(messages: Messages, driven: bool) -> None:
    """Another trigger fired: what only the first one reaches is not of this run, before its first drive and after."""
    version = publish("start -> a -> j, start2 -> b -> j, in -> j", entryPoint="start")
    run = start_execution(version, inputs={}, entry="start2")
    if driven:
        messages.deliver_all()

    assert list(statuses(run)) == ["in", "start2", "b", "j"]


def test_node_above_the_cap_is_ready(messages: Messages) -> None:
    run = begin("start -> a, start -> b", default="test.count", settings={"maxConcurrentNodes": 1})
    worker.drive(run.pk, until=0.001)

    assert statuses(run) == {"start": "completed", "a": "ready", "b": "ready"}
    assert NodeRun.objects.filter(execution=run, status="ready").count() == 1


def test_rows_win_over_the_state(messages: Messages) -> None:
    """Which may be a fold behind."""
    run = begin("start -> a -> j, start -> b -> j", default="test.count")
    messages.deliver(messages.waiting.pop(0))
    messages.deliver(messages.waiting.pop(0))

    assert sorted(statuses(run).values()) == ["completed", "completed", "pending", "ready"]


def test_node_in_flight_is_running(messages: Messages, scripts: dict[str, Script]) -> None:
    seen: list[dict[str, str]] = []
    scripts["a"] = lambda node, lent: seen.append(statuses(run)) or NodeOutput(data=1)
    run = begin("start -> a -> b", default="test.script")

    messages.deliver_all()

    assert seen == [{"start": "completed", "a": "running", "b": "pending"}]


def test_dead_and_disabled_nodes_are_skipped(messages: Messages) -> None:
    nodes = {"d": {"disabled": True}, "if": {"config": {"conditionType": "expression", "expression": "false"}}}
    run = begin("start -> if, if:true -> a, if:false -> d -> b", nodes=nodes)

    messages.deliver_all()

    assert statuses(run) == {"start": "completed", "if": "completed", "a": "skipped", "d": "skipped", "b": "completed"}


class TestOver:
    """When a run ends early, what has not ended by itself is cancelled, whatever it was doing."""

    def test_of_a_cancelled_run(self, messages: Messages) -> None:
        run = begin(DRAWING, default="test.count")
        worker.drive(run.pk)

        cancel_execution(run.pk)

        assert statuses(run) == {"start": "completed"} | dict.fromkeys(["a", "b", "j", "c"], "cancelled")

    def test_of_a_run_that_was_cancelled_before_its_first_drive(self, messages: Messages) -> None:
        run = begin(DRAWING, default="test.count")

        cancel_execution(run.pk)

        assert set(statuses(run).values()) == {"cancelled"}

    @pytest.mark.parametrize("driven", [False, True])
    def test_of_a_quarantined_run(self, messages: Messages, driven: bool) -> None:
        """Its state is kept as it was: it says that nodes are ready, or nothing at all."""
        run = begin("start -> a, start -> b", default="test.count", settings={"maxConcurrentNodes": 1})
        if driven:
            worker.drive(run.pk, until=0.001)
        for _ in range(3):
            quarantine.note_failure(run.pk)

        first = "completed" if driven else "cancelled"
        assert reread(run).status == RunStatus.FAILED
        assert statuses(run) == {"start": first, "a": "cancelled", "b": "cancelled"}

    def test_of_a_failed_run(self, messages: Messages, scripts: dict[str, Script]) -> None:
        scripts["a"] = raises(HandlerError("no luck"))
        run = begin("start -> a -> b", default="test.script")

        messages.deliver_all()

        states = {state.node_id: state for state in node_states(reread(run))}
        assert [state.status for state in states.values()] == ["completed", "failed", "cancelled"]
        assert (states["a"].error or {})["message"] == "no luck"
        assert (states["a"].attempt, states["b"].attempt) == (1, 0)


@pytest.mark.parametrize(
    ("times", "milliseconds"),
    [
        ({}, None),
        ({"started_at": datetime(2026, 1, 1, tzinfo=UTC)}, None),
        (
            {
                "started_at": datetime(2026, 1, 1, tzinfo=UTC),
                "ended_at": datetime(2026, 1, 1, tzinfo=UTC) + timedelta(milliseconds=1234.6),
            },
            1235,
        ),
    ],
)
def test_duration_is_known_when_both_ends_are(times: Any, milliseconds: int | None) -> None:
    state = NodeState(node_id="a", scope="", name="A", type="t", status=NodeStatus.RUNNING, **times)

    assert state.duration_ms == milliseconds
