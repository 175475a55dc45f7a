from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from executions import driver, hotpath, quarantine
from executions.body_visits import Progress, VisitCounts
from executions.core import NodeStatus, RunStatus
from executions.leases import lease
from executions.models import Event, NodeRun
from executions.node_states import NodeState, node_states
from executions.services import cancel_execution, start_execution
from handlers import HandlerError, NodeOutput
from tests.executions.accidents import fall_due
from tests.executions.runs import begin, publish, reread, row, statuses
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
    driver.drive(run.pk, until=0.001)

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
        driver.drive(run.pk)

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
            driver.drive(run.pk, until=0.001)
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


class TestBodies:
    """One state for a node, however often it is visited."""

    def test_newest_visit_is_shown_and_the_others_are_counted(self, messages: Messages) -> None:
        run = begin(
            "start -> loop, loop:body -> if, if:true -> a, if:false -> b",
            nodes={"loop": {"config": {"count": 3}}, "if": {"config": {"expression": "loop.index < 2"}}},
        )
        messages.deliver_all()

        states = {state.node_id: state for state in node_states(reread(run))}
        assert (states["loop"].progress, states["loop"].visits) == (Progress(done=3, total=3), None)
        assert {node: (states[node].scope, states[node].status) for node in ("a", "b")} == {
            "a": ("loop[2]", "skipped"),
            "b": ("loop[2]", "completed"),
        }
        assert states["a"].visits == VisitCounts(completed=2, skipped=1)
        assert states["b"].visits == VisitCounts(completed=1, skipped=2)
        assert (states["a"].parent, states["loop"].parent, states["start"].visits) == ("loop", None, None)

    def test_those_of_a_moment_are_shown_as_of_it(self, messages: Messages) -> None:
        """What was told after it is not counted: who has the events up to there is told the rest."""
        run = begin("start -> loop, loop:body -> a", nodes={"loop": {"config": {"count": 3}}})
        messages.deliver_all()
        second = Event.objects.get(execution=run, type="node:started", node_id="a", scope="loop[1]")

        states = {state.node_id: state for state in node_states(reread(run), upto=second.seq)}

        assert (states["a"].scope, states["a"].visits) == ("loop[1]", VisitCounts(completed=1))

    def test_visit_that_was_handed_out_is_newer_than_all_that_were_told(self, messages: Messages) -> None:
        """What is claimed by message is told of when it has ended."""
        run = begin("start -> loop, loop:body -> a, loop:body -> b", default="test.count", types={"start": "trigger"})
        driver.drive(run.pk)
        first, second = (row(run, node) for node in ("a", "b"))

        assert {state.scope for state in node_states(reread(run)) if state.parent} == {"loop[0]"}
        assert (first.announced, second.announced) == (False, False)
        hotpath.claim(first.pk, owner=lease.id())
        assert statuses(run)["a"] == "running"

    @pytest.mark.parametrize(
        ("loop", "expression", "status"),
        [(0, "true", "skipped"), (2, "false", "skipped")],  # without an iteration; behind a dead edge
    )
    def test_body_that_its_container_never_enters_is_skipped(
        self, messages: Messages, loop: int, expression: str, status: str
    ) -> None:
        """Nothing in it was to be done, and nothing of it was cancelled."""
        run = begin(
            "start -> if, if:true -> loop, loop:body -> par, par:body -> a",
            nodes={"loop": {"config": {"count": loop}}, "if": {"config": {"expression": expression}}},
        )
        messages.deliver_all()

        assert [statuses(run)[node] for node in ("par", "a")] == [status, status]

    def test_body_of_a_container_that_has_yet_to_run_is_pending(self, messages: Messages) -> None:
        run = begin("start -> slow -> loop, loop:body -> a", types={"slow": "test.count", "start": "trigger"})

        assert statuses(run)["a"] == "pending"
        cancel_execution(run.pk)
        assert statuses(run)["a"] == "cancelled"


class TestRetries:
    def test_node_between_two_attempts_says_when_the_next_is_due(
        self, messages: Messages, scripts: dict[str, Script]
    ) -> None:
        scripts["a"] = raises(HandlerError("busy", retryable=True, retry_after=60))
        run = begin("start -> a", types={"start": "trigger", "a": "test.script"})
        messages.deliver_all()

        state = node_states(reread(run))[1]

        assert (state.status, state.attempt, (state.error or {})["message"]) == ("ready", 2, "busy")
        assert state.due_at == row(run, "a").due_at is not None
        assert state.duration_ms is not None

    def test_next_attempt_shows_nothing_of_how_the_last_one_ended(
        self, messages: Messages, scripts: dict[str, Script]
    ) -> None:
        """Its row still has it."""
        seen: list[NodeState] = []

        def second(node: Any, lent: Any) -> NodeOutput:
            seen.append(node_states(reread(run))[1])
            if node.attempt == 1:
                raise HandlerError("busy", retryable=True)
            return NodeOutput(data=1)

        scripts["a"] = second
        run = begin(
            "start -> a",
            types={"start": "trigger", "a": "test.script"},
            nodes={"a": {"retry": {"attempts": 2, "initialIntervalMs": 1}}},
        )
        messages.deliver_all()
        fall_due(messages, run)

        assert [(state.attempt, state.status, state.error, state.ended_at) for state in seen] == [
            (1, "running", None, None),
            (2, "running", None, None),
        ]


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
