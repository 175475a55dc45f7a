"""A run whose state, rows or plan were changed by hand is found, with the node and what does not agree."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from executions import driver, plans, quarantine
from executions.invariants import check_runs, seen
from executions.models import Execution, ExecutionState, NodeRun, Waitpoint
from tests.executions.families import calling
from tests.executions.invariants.looks import Check, told
from tests.executions.runs import begin, row
from tests.fakes import Messages
from workflows.models import WorkflowVersion

pytestmark = pytest.mark.django_db(transaction=True)

JOIN = "start -> if, if:true -> a -> j, if:false -> b -> j"  # in plan order: start if a b j; b is skipped
BODY = "start -> loop -> z, loop:body -> if, if:true -> a -> j, if:false -> b -> j"


def change_state(run: Execution, change: Callable[[dict[str, Any]], Any]) -> None:
    state = ExecutionState.objects.get(pk=run.pk)
    change(state.state)
    state.save(update_fields=["state"])


def set_marks(run: Execution, marks: str) -> None:
    def change(state: dict[str, Any]) -> None:
        state["scopes"][""][0] = marks

    change_state(run, change)


def add_row(run: Execution, node: str, scope: str = "", **says: Any) -> None:
    now = timezone.now()
    told = {"status": "completed", "folded": True, "started_at": now, "ended_at": now, **says}
    NodeRun.objects.create(
        execution=run, node_id=node, scope=scope, node_type="test.echo", lane="drive", ready_at=now, **told
    )


@pytest.fixture
def over(messages: Messages) -> Execution:
    """A run that has completed by way of a."""
    run = begin(JOIN)
    driver.drive(run.pk)
    return run


@pytest.fixture
def looped(messages: Messages) -> Execution:
    """The same twice, in a loop."""
    run = begin(BODY)
    driver.drive(run.pk)
    return run


class TestOver:
    def test_node_behind_taken_edges_without_a_row_is_found(self, over: Execution) -> None:
        """A join that has not fired."""
        NodeRun.objects.filter(execution=over, node_id="j").delete()

        assert [(each.code, each.where, each.wrong) for each in told(over)] == [
            ("wrong_node", "j", "The run knows it as completed, and it has no row.")
        ]

    def test_node_behind_dead_edges_with_a_row_is_found(self, over: Execution) -> None:
        add_row(over, "b")

        assert [(each.code, each.where, each.wrong) for each in told(over)] == [
            ("wrong_node", "b", "The run knows it as skipped, and its row is completed.")
        ]

    @pytest.mark.parametrize(
        ("marks", "wrong"),
        [
            ("ccscc", {"a", "b"}),  # the rows say that it went the other way; so do the edges
            ("cccs.", {"j"}),
            ("ccccc", {"b"}),
            ("c.cc.", {"if", "a", "b", "j"}),
            ("oocsc", {"start", "if", "b"}),
        ],
    )
    def test_state_that_does_not_follow_from_the_plan_is_found(
        self, over: Execution, check: Check, marks: str, wrong: set[str]
    ) -> None:
        set_marks(over, marks)

        assert {where for code, where in check() if code == "wrong_node"} == wrong

    def test_row_that_says_something_else_is_found(self, over: Execution, check: Check) -> None:
        NodeRun.objects.filter(execution=over, node_id="a").update(status="failed")

        assert check() == [("wrong_node", "a")]

    def test_row_that_is_folded_and_has_not_ended_is_found(self, over: Execution, check: Check) -> None:
        NodeRun.objects.filter(execution=over, node_id="a").update(status="running")

        assert ("wrong_node", "a") in check()

    def test_row_of_a_node_that_is_not_drawn_is_found(self, over: Execution, check: Check) -> None:
        add_row(over, "stranger")
        add_row(over, "a", scope="loop[0]")

        assert check() == [("wrong_node", "loop[0]/a"), ("wrong_node", "stranger")]


class TestBodies:
    """Their letters are forgotten: the rows are all there is."""

    def test_node_behind_taken_edges_without_a_row_is_found(self, looped: Execution) -> None:
        NodeRun.objects.filter(execution=looped, node_id="j", scope="loop[1]").delete()

        assert [(each.code, each.where, each.wrong) for each in told(looped)] == [
            ("wrong_node", "loop[1]/j", "All its edges are known, and it was not started.")
        ]

    def test_node_behind_dead_edges_with_a_row_is_found(self, looped: Execution) -> None:
        add_row(looped, "b", scope="loop[0]")

        assert [(each.code, each.where, each.wrong) for each in told(looped)] == [
            ("wrong_node", "loop[0]/b", "It was started behind edges that are all dead.")
        ]

    def test_iteration_that_failed_may_have_left_nodes_out(self, messages: Messages, check: Check) -> None:
        """And so may what is in a container that was stopped with it."""
        types = {"start": "trigger", "loop": "loop", "par": "parallel", "bad": "test.fail"}
        drawing = "start -> loop -> z, loop:error -> z, loop:body -> par -> c, par:body -> bad -> a, par:body -> b -> d"
        run = begin(drawing, default="test.count", types=types)
        messages.deliver_all()
        assert Execution.objects.get(pk=run.pk).status == "completed"

        assert check() == []

    def test_bodies_of_a_run_with_very_many_rows_are_left_out(
        self, looped: Execution, check: Check, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A look is to end."""
        add_row(looped, "b", scope="loop[0]")
        NodeRun.objects.filter(execution=looped, node_id="z").delete()
        monkeypatch.setattr(seen, "MOST_ROWS", 4)

        assert check() == [("wrong_node", "z")]


class TestLive:
    def test_scope_that_is_open_is_looked_at(self, messages: Messages, settings: Any, check: Check) -> None:
        settings.FLOWMAESTRO_LANES = ["drive"]
        run = begin(
            "start -> loop -> z, loop:body -> a -> b", types={"start": "trigger", "loop": "loop", "a": "test.count"}
        )
        driver.drive(run.pk)
        add_row(run, "b", scope="loop[0]")
        add_row(run, "a", scope="loop[1]", status="ready", folded=False)

        assert check() == [("wrong_node", "loop[0]/b"), ("wrong_node", "loop[1]/a")]

    def test_node_that_is_out_without_a_row_is_found(self, run: Execution, check: Check) -> None:
        NodeRun.objects.filter(node_id="a").delete()

        assert check() == [("wrong_node", "a")]

    def test_outcome_that_is_folded_and_unknown_to_the_run_is_found(self, run: Execution, check: Check) -> None:
        NodeRun.objects.filter(node_id="a").update(status="completed", folded=True)

        assert check() == [("wrong_node", "a")]


class TestWaits:
    def test_node_that_nobody_can_answer_is_found(self, messages: Messages, check: Check) -> None:
        run = begin("start -> h", types={"start": "trigger", "h": "test.ask"})
        driver.drive(run.pk)
        Waitpoint.objects.all().delete()

        assert check() == [("no_way_forward", "h")]

    def test_node_whose_child_is_not_there_is_found(
        self, messages: Messages, child: WorkflowVersion, check: Check
    ) -> None:
        run = calling(child)
        driver.drive(run.pk)
        Execution.objects.filter(parent=run).delete()

        assert ("no_way_forward", "sub") in check()

    def test_pause_that_nobody_asked_for_is_found(self, messages: Messages, check: Check) -> None:
        run = begin("start -> a -> b", default="test.count")
        driver.drive(run.pk)
        Execution.objects.filter(pk=run.pk).update(status="paused", ended_at=None)
        change_state(run, lambda state: state.update(status="paused"))

        assert check() == [("no_way_forward", None)]


class TestStatus:
    @pytest.mark.parametrize(("status", "told"), [("running", "completed"), ("failed", "completed")])
    def test_run_that_disagrees_with_its_state_is_found(self, over: Execution, status: str, told: str) -> None:
        Execution.objects.filter(pk=over.pk).update(status=status)

        [finding] = check_runs(limit=1, execution_ids=[over.pk]).findings

        assert (finding.code, finding.wrong) == ("wrong_status", f"It is {status}, and its state says {told}.")

    def test_run_that_goes_on_without_a_state_is_found(self, messages: Messages, check: Check) -> None:
        run = begin("start -> a")
        Execution.objects.filter(pk=run.pk).update(status="running")

        assert ("wrong_status", None) in check(execution_ids=[run.pk])

    def test_run_that_is_quarantined_keeps_the_state_it_had(self, run: Execution, check: Check) -> None:
        for _ in range(quarantine.MOST_FAILURES):
            quarantine.note_failure(run.pk)

        assert check() == []


class TestReadable:
    def test_state_of_a_newer_release_is_found(self, over: Execution, check: Check) -> None:
        change_state(over, lambda state: state.update(format=99))

        assert check() == [("unreadable", None)]

    def test_plan_of_a_newer_release_is_found_and_others_are_looked_at(
        self, over: Execution, messages: Messages, check: Check
    ) -> None:
        version = WorkflowVersion.objects.get(pk=over.version_id)
        version.plan["format"] = 99
        version.save()
        plans.prepared.cache_clear()
        other = begin(JOIN)
        driver.drive(other.pk)
        NodeRun.objects.filter(pk=row(other, "j").pk).delete()

        assert check() == [("unreadable", None), ("wrong_node", "j")]
