"""What waits for a moment, for a child or for nobody is found as well, and nothing else is."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from executions import dispatch, driver
from executions.core import RunStatus
from executions.models import Execution, ExecutionState, NodeRun
from executions.services import pause_execution, unpause_execution
from executions.sweep import Sweeper, cancel_orphans, recover_lost_nodes, send_unsent, undriven
from handlers import HandlerError
from tests.executions.accidents import let_time_pass, make_late, process_dies, recover
from tests.executions.runs import begin, publish, reread, row, visit, visited
from tests.executions.scripted import Script, answers, in_turn, raises
from tests.factories import ExecutionFactory, NodeRunFactory
from tests.fakes import Messages

pytestmark = pytest.mark.django_db(transaction=True)


def found(**says: Any) -> bool:
    """Whether the run of a node with such a row is one to be driven."""
    run = ExecutionFactory(status="running")
    NodeRunFactory(execution=run, **says)
    return undriven(timezone.now()) == {run.pk}


def ago(seconds: float) -> Any:
    return timezone.now() - timedelta(seconds=seconds)


class TestDue:
    @pytest.mark.parametrize(
        ("says", "is_found"),
        [
            ({"due_at": -0.1}, True),
            ({"due_at": 60}, False),
            ({"due_at": None}, False),  # it waits for a worker, and is looked for elsewhere
            ({"due_at": -60, "folded": True}, False),
            ({"due_at": -60, "status": "running"}, False),
            ({"due_at": -60, "status": "cancelled"}, False),
        ],
    )
    def test_attempt_whose_moment_has_come_is_found(self, says: dict[str, Any], is_found: bool) -> None:
        due_at = None if says["due_at"] is None else ago(-says["due_at"])

        assert found(**{**says, "due_at": due_at}) is is_found

    def test_attempt_that_waits_is_not_sent(self, messages: Messages) -> None:
        """Its run hands it out."""
        NodeRunFactory(due_at=ago(60), ready_at=ago(60))

        assert (send_unsent(timezone.now()), messages.waiting) == (0, [])


class TestDeadline:
    @pytest.mark.parametrize(
        ("status", "due_in", "is_found"),
        [
            ("running", -1, True),
            ("paused", -1, True),
            ("running", 60, False),
            ("running", None, False),
            ("failed", -1, False),
        ],
    )
    def test_run_that_is_late_is_found(self, status: str, due_in: float | None, is_found: bool) -> None:
        ended = timezone.now() if status == "failed" else None
        run = ExecutionFactory(
            status=status,
            ended_at=ended,
            deadline_at=None if due_in is None else timezone.now() + timedelta(seconds=due_in),
        )

        assert undriven(timezone.now()) == ({run.pk} if is_found else set())

    def test_late_run_is_ended_although_nobody_drives_it(self, messages: Messages) -> None:
        run = begin("start -> a, start -> b", default="test.script", settings={"timeout": 60_000})
        driver.drive(run.pk)
        messages.lose_all()
        make_late(run)

        recover(messages, run, looks=1)

        assert (reread(run).status, reread(run).error["code"]) == ("failed", "timeout")


class TestChildren:
    @pytest.mark.parametrize(
        ("child", "row_says", "is_found"),
        [
            ({"status": "completed", "ended_at": 60}, {}, True),
            ({"status": "cancelled", "ended_at": 60}, {}, True),
            ({"status": "completed", "ended_at": 0}, {}, False),  # its message may still come
            ({"status": "running"}, {}, False),
            ({"status": "completed", "ended_at": 60}, {"folded": True, "status": "completed"}, False),
            ({"status": "completed", "ended_at": 60}, {"scope": "loop[1]"}, False),  # another visit waits
            ({"status": "completed", "ended_at": 60}, {"node_id": "other"}, False),
        ],
    )
    def test_parent_whose_child_has_ended_is_found(
        self, child: dict[str, Any], row_says: dict[str, Any], is_found: bool
    ) -> None:
        run = ExecutionFactory(status="running")
        told = {"node_id": "sub", "scope": "loop[0]", "status": "running", "owner": None, **row_says}
        NodeRunFactory(execution=run, **told)
        if "ended_at" in child:
            child = {**child, "ended_at": ago(child["ended_at"])}
        ExecutionFactory(parent=run, parent_node="sub", parent_scope="loop[0]", **child)

        assert undriven(timezone.now()) == ({run.pk} if is_found else set())

    @pytest.mark.parametrize(
        ("parent", "child", "after"),
        [
            ("failed", "running", "cancelled"),
            ("completed", "pending", "cancelled"),
            ("running", "running", "running"),
            ("cancelled", "completed", "completed"),
        ],
    )
    def test_run_whose_parent_is_over_is_cancelled(
        self, messages: Messages, parent: str, child: str, after: str
    ) -> None:
        above = ExecutionFactory(status=parent, ended_at=None if parent == "running" else timezone.now())
        run = begin("start -> a")
        ended = timezone.now() if child == "completed" else None
        Execution.objects.filter(pk=run.pk).update(
            parent=above, parent_node="sub", parent_scope="", status=child, ended_at=ended
        )

        cancel_orphans()

        assert reread(run).status == after


class TestContainers:
    @pytest.fixture
    def waiting(self, messages: Messages) -> Execution:
        """A run whose body is under way: its containers run with nobody behind them."""
        run = begin("start -> loop -> z, loop:body -> par, par:body -> a", default="test.script")
        driver.drive(run.pk)
        messages.lose_all()
        return run

    def test_container_without_an_owner_is_not_lost(self, waiting: Execution, messages: Messages) -> None:
        before = recover_lost_nodes(timezone.now())
        process_dies()

        assert (before, recover_lost_nodes(timezone.now())) == (0, 0)

        assert visited(waiting)["loop"] == visited(waiting)["loop[0]/par"] == "running"
        assert (row(waiting, "loop").attempt, row(waiting, "loop").lost) == (1, 0)

    def test_container_at_work_needs_no_drive(self, waiting: Execution) -> None:
        NodeRun.objects.filter(execution=waiting).update(ready_at=ago(60), started_at=ago(60))

        assert undriven(timezone.now()) == set()

    def test_sweep_alone_carries_a_run_through_its_bodies(self, messages: Messages) -> None:
        drawing = "start -> loop -> z, loop:body -> a -> par -> c, par:body -> b"
        run = begin(drawing, default="test.script", nodes={"par": {"config": {"count": 3}}})
        sweep_alone(messages, run)

        assert reread(run).status == RunStatus.COMPLETED
        branch = {"b": {"result": None}}
        a, c = {"result": None}, {"result": None}
        result = {"a": a, "par": {"branches": 3, "results": [branch] * 3}, "c": c}
        assert visit(run, "loop").output["results"] == [result] * 2


@pytest.mark.parametrize("drawing", ["start -> a -> b", "start -> loop -> z, loop:body -> a -> b"])
def test_run_that_was_let_go_is_found_whose_message_was_lost(
    messages: Messages, settings: Settings, drawing: str
) -> None:
    """Also in a body: its container has a row that is open, and leads nowhere."""
    settings.FLOWMAESTRO_LANES = ["drive"]
    run = begin(drawing, default="test.script")
    messages.deliver(messages.waiting.pop(0))
    pause_execution(run.pk)
    messages.deliver_all()
    unpause_execution(run.pk)
    messages.lose_all()
    ExecutionState.objects.update(folded_at=ago(60))

    recover(messages, run)

    assert reread(run).status == RunStatus.COMPLETED


def sweep_alone(messages: Messages, run: Execution) -> None:
    """No message arrives but those that the sweep sends."""
    for _ in range(60):
        messages.lose_all()
        let_time_pass()
        Sweeper().sweep()
        sent, messages.waiting = list(messages.waiting), []
        for message in sent:
            messages.deliver(message)
        if RunStatus(reread(run).status).is_final:
            return
    raise AssertionError(f"the run is {reread(run).status}: {visited(run)}")


def test_sweep_alone_carries_a_run_through_its_attempts(messages: Messages, scripts: dict[str, Script]) -> None:
    not_yet = raises(HandlerError("not yet", retryable=True))
    scripts["a"] = in_turn(not_yet, not_yet, answers("done"))
    run = begin("start -> a -> b", default="test.script")

    recover(messages, run)

    assert (row(run, "a").attempt, row(run, "a").output, reread(run).status) == (3, "done", RunStatus.COMPLETED)


def test_sweep_alone_carries_a_run_through_its_children(messages: Messages) -> None:
    child = publish("start -> a", default="test.script")
    nodes = {"sub": {"config": {"workflow": str(child.workflow_id)}}}
    run = begin(
        "start -> sub -> z",
        types={"start": "trigger", "sub": "subWorkflow"},
        nodes=nodes,
        workspace=child.workflow.workspace,
    )
    sweep_alone(messages, run)

    assert reread(run).outputs == {"z": {"result": "z"}}


def test_due_attempt_above_the_cap_is_asked_for_ever_more_slowly(
    messages: Messages, scripts: dict[str, Script], settings: Settings
) -> None:
    """There is nothing to do for it before a place is free."""
    settings.FLOWMAESTRO_LANES = ["drive"]
    scripts["a"] = raises(HandlerError("not yet", retryable=True))
    run = begin("start -> a, start -> b", default="test.script", settings={"maxConcurrentNodes": 1})
    driver.drive(run.pk)
    messages.deliver(messages.waiting.pop())
    assert row(run, "b").status == "ready"
    NodeRun.objects.filter(execution=run, node_id="a").update(due_at=ago(60))
    driver.drive(run.pk)
    messages.lose_all()

    sweeper, now = Sweeper(), timezone.now()
    sent = []
    for second in range(10):
        sweeper._drive_undriven(now + timedelta(seconds=second))
        sent.append(len(messages.waiting))

    assert sent[0] == 1
    assert sent[-1] == 4
    assert {message.task for message in messages.waiting} == {dispatch.DRIVE}
