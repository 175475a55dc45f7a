"""Runs that wait, on the real engine: what a pause leaves behind, and what an answer, a moment or an end make of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from executions import driver
from executions.core import NodeStatus, RunStatus
from executions.core.statuses import WaitpointStatus
from executions.models import Execution, ExecutionState, NodeRun, Snapshot, Waitpoint
from executions.services import NotHeld, NotPausable, cancel_execution, pause_execution, unpause_execution
from executions.sweep import Sweeper
from executions.waitpoints import services
from executions.waitpoints.errors import NotOpen, WrongKind
from handlers import NodeOutput, PauseKind
from tests.executions.accidents import let_time_pass, recover
from tests.executions.families import children_of
from tests.executions.runs import begin, numbers, outputs, publish, reread, row, statuses, story
from tests.executions.scripted import Script, raises
from tests.fakes import Messages
from tests.nodes import counted

pytestmark = pytest.mark.django_db(transaction=True)

HUMAN = [PauseKind.HUMAN]


def asking(drawing: str = "start -> h -> b", *, default: str = "test.count", **more: Any) -> Execution:
    types = {"start": "trigger", "h": "test.ask", "h1": "test.ask", "h2": "test.ask", **more.pop("types", {})}
    return begin(drawing, default=default, types=types, **more)


def waitpoint(run: Execution, node: str, scope: str = "") -> Waitpoint:
    return Waitpoint.objects.filter(execution=run, node_id=node, scope=scope).latest("created_at")


def answer(messages: Messages, run: Execution, node: str, value: Any = None, *, scope: str = "") -> None:
    services.answer(waitpoint(run, node, scope).pk, value, by="somebody", kinds=HUMAN)
    messages.deliver_all()


class TestPause:
    def test_run_waits_in_rows_only(self, messages: Messages) -> None:
        run = asking()

        messages.deliver_all()

        assert (reread(run).status, messages.waiting) == (RunStatus.PAUSED, [])
        assert story(run)[-2:] == ["waiting h", "execution:paused"]
        assert (row(run, "h").status, row(run, "h").owner, row(run, "h").folded) == ("waiting", None, True)
        found = waitpoint(run, "h")
        assert (found.kind, found.status, found.prompt, found.state) == ("human", "open", "Well?", {"asked": "h"})

    def test_one_snapshot_is_written(self, messages: Messages) -> None:
        run = asking()

        messages.deliver_all()

        snapshot = Snapshot.objects.get(execution=run)
        state = ExecutionState.objects.get(pk=run.pk)
        assert (snapshot.state, snapshot.seq) == (state.state, state.seq)
        assert snapshot.version_id == run.version_id

    def test_other_branches_run_on(self, messages: Messages) -> None:
        run = asking("start -> h -> j, start -> a -> b -> j")

        messages.deliver_all()

        assert statuses(run) == {
            "start": "completed",
            "h": "waiting",
            "a": "completed",
            "b": "completed",
            "j": "pending",
        }
        assert reread(run).status == RunStatus.PAUSED

    def test_nobody_looks_at_it_any_more(self, messages: Messages) -> None:
        run = asking()
        messages.deliver_all()
        let_time_pass()

        Sweeper().sweep()

        assert messages.waiting == []
        assert reread(run).status == RunStatus.PAUSED


class TestAnswer:
    def test_run_goes_on(self, messages: Messages) -> None:
        run = asking(nodes={"b": {"config": {"value": "{{h.answer}}"}}})
        messages.deliver_all()

        answer(messages, run, "h", "yes")

        assert reread(run).status == RunStatus.COMPLETED
        assert outputs(run)["h"] == {"answer": "yes", "asked": "h"}
        assert outputs(run)["b"] == {"result": "yes"}
        assert story(run)[-5:] == [
            "execution:resumed",
            "completed h",
            "started b",
            "completed b",
            "execution:completed",
        ]
        assert numbers(run) == list(range(1, len(numbers(run)) + 1))

    def test_second_answer_is_refused(self, messages: Messages) -> None:
        run = asking()
        messages.deliver_all()
        answer(messages, run, "h", 1)

        with pytest.raises(NotOpen, match="answered already"):
            services.answer(waitpoint(run, "h").pk, 2, by="x", kinds=HUMAN)

        assert outputs(run)["h"]["answer"] == 1

    def test_kinds_have_doors_of_their_own(self, messages: Messages) -> None:
        run = asking(nodes={"h": {"config": {"kind": "timer", "ms": 60_000}}})
        messages.deliver_all()

        with pytest.raises(WrongKind):
            services.answer(waitpoint(run, "h").pk, 2, by="x", kinds=HUMAN)

    def test_answer_that_comes_before_the_run_has_paused_is_applied(
        self, messages: Messages, scripts: dict[str, Script]
    ) -> None:
        run = asking("start -> h -> j, start -> a -> j", types={"a": "test.script"})
        scripts["a"] = lambda node, lent: (
            services.answer(waitpoint(run, "h").pk, "early", by="x", kinds=HUMAN) and NodeOutput(data={})
        )

        messages.deliver_all()

        assert reread(run).status == RunStatus.COMPLETED
        assert outputs(run)["h"]["answer"] == "early"

    def test_two_pauses_are_answered_one_after_the_other(self, messages: Messages) -> None:
        run = asking("start -> h1 -> j, start -> h2 -> j")
        messages.deliver_all()

        answer(messages, run, "h2", "B")
        assert (reread(run).status, statuses(run)["j"]) == (RunStatus.PAUSED, "pending")
        answer(messages, run, "h1", "A")

        assert reread(run).status == RunStatus.COMPLETED

    def test_answer_whose_message_was_lost_is_found(self, messages: Messages) -> None:
        run = asking()
        messages.deliver_all()
        services.answer(waitpoint(run, "h").pk, "yes", by="x", kinds=HUMAN)
        messages.lose_all()
        Waitpoint.objects.update(closed_at=timezone.now() - timedelta(minutes=1))

        recover(messages, run)

        assert reread(run).status == RunStatus.COMPLETED

    def test_each_iteration_asks_anew(self, messages: Messages) -> None:
        nodes = {"loop": {"config": {"count": 2}}}
        run = asking("start -> loop -> z, loop:body -> h -> x", nodes=nodes)
        messages.deliver_all()

        answer(messages, run, "h", "a", scope="loop[0]")
        answer(messages, run, "h", "b", scope="loop[1]")

        assert reread(run).status == RunStatus.COMPLETED
        results = row(run, "loop").output["results"]
        assert [each["h"]["answer"] for each in results] == ["a", "b"]


class TestDue:
    def test_timer_wakes(self, messages: Messages) -> None:
        run = asking(nodes={"h": {"config": {"kind": "timer", "ms": 3_600_000}}})
        messages.deliver_all()
        Waitpoint.objects.update(due_at=timezone.now() - timedelta(seconds=1))

        recover(messages, run)

        assert reread(run).status == RunStatus.COMPLETED
        assert waitpoint(run, "h").status == WaitpointStatus.COMPLETED

    def test_pause_expires_by_its_edge(self, messages: Messages) -> None:
        run = asking("start -> h -> ok, h:timeout -> late", nodes={"h": {"config": {"ms": 3_600_000}}})
        messages.deliver_all()
        Waitpoint.objects.update(due_at=timezone.now() - timedelta(seconds=1))

        recover(messages, run)

        assert statuses(run) == {"start": "completed", "h": "completed", "ok": "skipped", "late": "completed"}
        assert (outputs(run)["h"], row(run, "h").port) == ({"expired": True}, "timeout")
        assert waitpoint(run, "h").status == WaitpointStatus.EXPIRED

    def test_pause_without_that_edge_fails(self, messages: Messages) -> None:
        run = asking(nodes={"h": {"config": {"ms": 3_600_000}}})
        messages.deliver_all()
        Waitpoint.objects.update(due_at=timezone.now() - timedelta(seconds=1))

        recover(messages, run)

        assert (reread(run).status, reread(run).error["code"]) == (RunStatus.FAILED, "waitpoint_expired")

    def test_answer_that_comes_late_is_refused(self, messages: Messages) -> None:
        run = asking(nodes={"h": {"config": {"ms": 3_600_000}}})
        messages.deliver_all()
        Waitpoint.objects.update(due_at=timezone.now() - timedelta(seconds=1))

        with pytest.raises(NotOpen, match="its time was over"):
            services.answer(waitpoint(run, "h").pk, 1, by="x", kinds=HUMAN)

    def test_deadline_stands_still_while_it_is_paused(self, messages: Messages) -> None:
        run = asking(settings={"timeout": 1_000})
        messages.deliver_all()
        state = ExecutionState.objects.get(pk=run.pk)
        for name in ("started_at", "paused_at"):  # an hour ago
            state.state[name] = (timezone.now() - timedelta(hours=1)).isoformat()
        state.save(update_fields=["state"])
        assert reread(run).deadline_at is None

        answer(messages, run, "h")

        assert reread(run).status == RunStatus.COMPLETED


class TestWithdrawn:
    def test_failing_run_withdraws_what_it_waits_for(self, messages: Messages, scripts: dict[str, Script]) -> None:
        scripts["bad"] = raises(ValueError("no"))
        run = asking("start -> h -> j, start -> bad -> j", types={"bad": "test.script"})

        messages.deliver_all()

        assert (reread(run).status, waitpoint(run, "h").status) == (RunStatus.FAILED, WaitpointStatus.WITHDRAWN)
        assert row(run, "h").status == NodeStatus.CANCELLED
        with pytest.raises(NotOpen, match="this run has ended"):
            services.answer(waitpoint(run, "h").pk, 1, by="x", kinds=HUMAN)

    def test_cancelled_run_withdraws_what_it_waits_for(self, messages: Messages) -> None:
        run = asking()
        messages.deliver_all()

        cancel_execution(run.pk)

        assert (reread(run).status, waitpoint(run, "h").status) == (RunStatus.CANCELLED, WaitpointStatus.WITHDRAWN)
        assert row(run, "h").status == NodeStatus.CANCELLED

    def test_branch_that_is_stopped_withdraws_its_own(self, messages: Messages) -> None:
        nodes = {
            "par": {"config": {"count": 2}, "onError": {"strategy": "continue"}},
            "if": {"config": {"expression": "parallel.index == 1"}},
        }
        drawing = "start -> par -> h2, par:body -> if, if:true -> a -> bad, if:false -> h1"
        run = asking(drawing, nodes=nodes, types={"bad": "test.fail"})

        messages.deliver_all()

        assert (reread(run).status, waitpoint(run, "h2").status) == (RunStatus.PAUSED, WaitpointStatus.OPEN)
        withdrawn = waitpoint(run, "h1", "par[0]")
        assert withdrawn.status == WaitpointStatus.WITHDRAWN
        with pytest.raises(NotOpen, match="withdrawn"):
            services.answer(withdrawn.pk, 1, by="x", kinds=HUMAN)


class TestOnRequest:
    def test_nothing_new_starts_until_it_goes_on(self, messages: Messages, scripts: dict[str, Script]) -> None:
        scripts["a"] = lambda node, lent: pause_execution(node.execution_id) or NodeOutput(data={})
        run = asking("start -> a -> b", types={"a": "test.script"})

        messages.deliver_all()

        assert (reread(run).status, counted(run.pk)) == (RunStatus.PAUSED, {})
        assert statuses(run) == {"start": "completed", "a": "completed", "b": "pending"}
        unpause_execution(run.pk)
        messages.deliver_all()
        assert (reread(run).status, counted(run.pk)) == (RunStatus.COMPLETED, {"b": 1})

    def test_run_may_be_paused_before_it_has_begun(self, messages: Messages) -> None:
        run = asking("start -> a")

        pause_execution(run.pk)
        messages.deliver_all()

        assert (reread(run).status, statuses(run)) == (RunStatus.PAUSED, {"start": "pending", "a": "pending"})
        unpause_execution(run.pk)
        messages.deliver_all()
        assert reread(run).status == RunStatus.COMPLETED

    def test_answer_meanwhile_is_kept_and_applied(self, messages: Messages) -> None:
        run = asking()
        messages.deliver_all()
        pause_execution(run.pk)

        answer(messages, run, "h", "yes")

        assert (reread(run).status, statuses(run)["b"]) == (RunStatus.PAUSED, "pending")
        unpause_execution(run.pk)
        messages.deliver_all()
        assert (reread(run).status, outputs(run)["h"]["answer"]) == (RunStatus.COMPLETED, "yes")

    def test_loop_stops_between_two_iterations(self, messages: Messages, scripts: dict[str, Script]) -> None:
        scripts["a"] = lambda node, lent: (
            (pause_execution(node.execution_id) if node.scope == "loop[1]" else None) or NodeOutput(data={})
        )
        nodes = {"loop": {"config": {"count": 3}}}
        run = asking("start -> loop -> z, loop:body -> a", types={"a": "test.script"}, nodes=nodes)

        messages.deliver_all()

        assert (reread(run).status, NodeRun.objects.filter(execution=run, node_id="a").count()) == (RunStatus.PAUSED, 2)
        unpause_execution(run.pk)
        messages.deliver_all()
        assert (reread(run).status, row(run, "loop").output["iterations"]) == (RunStatus.COMPLETED, 3)

    def test_release_whose_message_was_lost_is_found(self, messages: Messages) -> None:
        run = asking("start -> a")
        pause_execution(run.pk)
        messages.deliver_all()
        unpause_execution(run.pk)
        messages.lose_all()
        ExecutionState.objects.update(folded_at=timezone.now() - timedelta(minutes=1))

        recover(messages, run)

        assert reread(run).status == RunStatus.COMPLETED

    def test_only_what_is_paused_on_request_is_let_go(self, messages: Messages) -> None:
        run = asking()
        messages.deliver_all()

        with pytest.raises(NotHeld):
            unpause_execution(run.pk)

    def test_run_that_is_over_is_not_paused(self, messages: Messages) -> None:
        run = asking("start -> a")
        messages.deliver_all()

        with pytest.raises(NotPausable):
            pause_execution(run.pk)


class TestFamily:
    @pytest.fixture
    def run(self, messages: Messages) -> Execution:
        child = publish(
            "start -> h -> out",
            types={"start": "trigger", "h": "test.ask"},
            nodes={"out": {"config": {"value": "{{h.answer}}"}}},
        )
        config = {"call": {"config": {"workflow": str(child.workflow_id)}}}
        run = begin(
            "start -> call -> z",
            types={"start": "trigger", "call": "subWorkflow"},
            nodes=config,
            workspace=child.workflow.workspace,
        )
        messages.deliver_all()
        return run

    def test_child_that_pauses_pauses_its_parent(self, messages: Messages, run: Execution) -> None:
        [child] = children_of(run)
        assert (child.status, reread(run).status) == (RunStatus.PAUSED, RunStatus.PAUSED)

        answer(messages, child, "h", "hi")

        assert (reread(child).status, reread(run).status) == (RunStatus.COMPLETED, RunStatus.COMPLETED)
        assert outputs(run)["call"] == {"out": "hi"}

    def test_pause_on_request_reaches_the_child(self, messages: Messages, run: Execution) -> None:
        [child] = children_of(run)
        pause_execution(run.pk)
        messages.deliver_all()

        answer(messages, child, "h", "hi")
        assert (reread(child).status, reread(run).status) == (RunStatus.PAUSED, RunStatus.PAUSED)
        unpause_execution(run.pk)
        messages.deliver_all()

        assert (reread(child).status, reread(run).status) == (RunStatus.COMPLETED, RunStatus.COMPLETED)

    def test_parent_that_was_not_told_finds_out(self, messages: Messages, run: Execution) -> None:
        [child] = children_of(run)
        services.answer(waitpoint(child, "h").pk, "hi", by="x", kinds=HUMAN)
        driver.drive(child.pk)
        messages.lose_all()

        recover(messages, run)

        assert reread(run).status == RunStatus.COMPLETED
