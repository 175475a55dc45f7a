"""Runs that start runs: the border between them, and what crosses it."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from executions import driver, quarantine
from executions.core import RunStatus
from executions.models import Execution
from executions.services import cancel_execution
from executions.sweep import Sweeper, cancel_orphans
from handlers import HandlerError, NodeOutput
from tests.executions.accidents import let_time_pass, make_late, recover
from tests.executions.families import calling, children_of
from tests.executions.runs import outputs, publish, reread, row, statuses, story
from tests.executions.scripted import Script, raises
from tests.factories import WorkflowFactory, WorkflowVersionFactory, WorkspaceFactory
from tests.fakes import Messages
from workflows.models import WorkflowVersion
from workflows.services import delete_workflow

pytestmark = pytest.mark.django_db(transaction=True)


class TestFailure:
    @pytest.fixture
    def fails(self, scripts: dict[str, Script]) -> None:
        scripts["work"] = raises(HandlerError("no luck", code="unlucky"))

    def test_failure_of_the_child_is_the_nodes(self, child: WorkflowVersion, messages: Messages, fails: None) -> None:
        run = calling(child)

        messages.deliver_all()

        [found], error = children_of(run), reread(run).error
        assert (found.status, reread(run).status) == ("failed", "failed")
        assert (error["code"], error["message"], error["node_id"]) == ("unlucky", "no luck", "sub")
        assert error["details"] == {"child": {"execution_id": str(found.pk), "error": found.error}}
        assert story(run)[-2:] == ["failed sub", "execution:failed"]

    def test_error_edge_takes_it(self, child: WorkflowVersion, messages: Messages, fails: None) -> None:
        nodes = {"h": {"config": {"value": "{{sub.error.details.child.error.node_id}}"}}}
        run = calling(child, "start -> sub -> z, sub:error -> h", nodes=nodes)

        messages.deliver_all()

        assert outputs(run)["h"] == {"result": "work"}
        assert (statuses(run)["z"], reread(run).status) == ("skipped", "completed")

    @pytest.mark.parametrize("strategy", ["continue", "fallback"])
    def test_on_error_applies(self, child: WorkflowVersion, messages: Messages, fails: None, strategy: str) -> None:
        on_error = {"strategy": strategy, "fallbackValue": 1}
        run = calling(child, nodes={"sub": {"onError": on_error}})

        messages.deliver_all()

        assert (statuses(run)["sub"], statuses(run)["z"]) == ("completed", "completed")

    def test_node_is_never_tried_again(self, child: WorkflowVersion, messages: Messages, fails: None) -> None:
        run = calling(child, nodes={"sub": {"retry": {"attempts": 3}}})

        messages.deliver_all()

        assert (len(children_of(run)), row(run, "sub").attempt) == (1, 1)

    def test_cancelled_child_fails_the_node(self, child: WorkflowVersion, messages: Messages) -> None:
        run = calling(child)
        driver.drive(run.pk)

        cancel_execution(children_of(run)[0].pk)
        messages.deliver_all()

        assert (reread(run).status, reread(run).error["code"]) == ("failed", "cancelled")
        assert reread(run).error["message"] == "the sub-workflow was cancelled"

    def test_quarantined_child_fails_the_node(self, child: WorkflowVersion, messages: Messages) -> None:
        run = calling(child)
        driver.drive(run.pk)
        for _ in range(3):
            quarantine.note_failure(children_of(run)[0].pk)

        recover(messages, run)

        assert (reread(run).status, reread(run).error["code"]) == ("failed", "internal_error")

    def test_outputs_that_are_too_large_fail_the_node(
        self, messages: Messages, scripts: dict[str, Script], settings: Settings
    ) -> None:
        """Each is within the limit of an output, together they are not."""
        settings.FLOWMAESTRO_MAX_OUTPUT_BYTES, settings.FLOWMAESTRO_MAX_INLINE_BYTES = 1_000, 500
        for node in "ab":
            scripts[node] = lambda node, lent: NodeOutput(data="x" * 600)
        run = calling(publish("start -> a, start -> b", default="test.script"))

        messages.deliver_all()

        assert (reread(run).status, reread(run).error["code"]) == ("failed", "output_too_large")

    def test_failure_in_the_parent_lets_the_child_finish(
        self, child: WorkflowVersion, messages: Messages, scripts: dict[str, Script], settings: Settings
    ) -> None:
        """It is in flight. Nothing new starts after it."""
        settings.FLOWMAESTRO_LANES = ["drive"]
        scripts["x"] = raises(HandlerError("no luck"))
        run = calling(child, "start -> sub -> z, start -> x", types={"x": "test.script"})

        messages.deliver_all(order=Random(0))

        assert children_of(run)[0].status == "completed"
        assert statuses(run) == {"start": "completed", "sub": "completed", "x": "failed", "z": "cancelled"}


class TestNotStarted:
    @pytest.mark.parametrize(
        "workflow", ["0190a0b1-c2d3-7e4f-8a9b-0c1d2e3f4a5b", "no id at all", "deleted", "elsewhere", "draft"]
    )
    def test_workflow_that_is_not_there_is_told(
        self, child: WorkflowVersion, messages: Messages, workflow: str
    ) -> None:
        workspace = child.workflow.workspace
        match workflow:
            case "deleted":
                workflow = str(child.workflow_id)
                delete_workflow(child.workflow_id)
            case "elsewhere":
                workflow, workspace = str(child.workflow_id), WorkspaceFactory()
            case "draft":
                workflow = str(WorkflowFactory(workspace=workspace).pk)
        nodes = {"h": {"config": {"value": "{{sub.error.code}}: {{sub.error.message}}"}}}
        drawing = "start -> sub, sub:error -> h"
        run = calling(child, drawing, nodes=nodes, config={"workflow": workflow}, workspace=workspace)

        messages.deliver_all()

        told = outputs(run)["h"]["result"]
        starts = (f"not_found: there is no workflow '{workflow}' in", f"not_found: workflow {workflow}: ")
        assert told.startswith(starts)
        assert (children_of(run), row(run, "sub").status) == ([], "failed")
        assert story(run).count("started sub") == story(run).count("failed sub") == 1

    def test_version_that_is_not_there_is_told(self, child: WorkflowVersion, messages: Messages) -> None:
        run = calling(child, config={"version": 9})

        messages.deliver_all()

        error = reread(run).error
        assert (error["code"], error["message"].startswith(f"workflow {child.workflow_id}: ")) == ("not_found", True)

    def test_workflow_that_calls_itself_ends(self, messages: Messages) -> None:
        version = publish("start -> sub", types={"start": "trigger", "sub": "test.echo"})
        payload = dict(version.definition)
        payload["nodes"]["sub"] = {
            "type": "subWorkflow",
            "name": "sub",
            "config": {"workflow": str(version.workflow_id)},
        }
        recursive = replanned(version, payload)
        run = calling(recursive)

        messages.deliver_all()

        assert Execution.objects.count() == 26
        assert Execution.objects.order_by("-depth")[0].depth == 25
        deepest = Execution.objects.get(depth=25)
        assert (deepest.error["code"], reread(run).error["code"]) == ("too_deep", "too_deep")
        assert deepest.error["message"] == "more than 25 workflows started within each other"
        assert not Execution.objects.exclude(status="failed").exists()


def replanned(version: WorkflowVersion, payload: Any) -> WorkflowVersion:
    """The next version of its workflow, which is published."""
    return WorkflowVersionFactory(workflow=version.workflow, definition=payload, number=2)


class TestCancel:
    @pytest.fixture
    def deep(self, child: WorkflowVersion, messages: Messages) -> list[Execution]:
        """A run, its child and its grandchild, all of them under way."""
        middle = publish(
            "start -> sub",
            workspace=child.workflow.workspace,
            types={"start": "trigger", "sub": "subWorkflow"},
            nodes={"sub": {"config": {"workflow": str(child.workflow_id)}}},
        )
        run = calling(middle)
        driver.drive(run.pk)
        [second] = children_of(run)
        driver.drive(second.pk)
        [third] = children_of(second)
        return [run, second, third]

    def test_cancel_reaches_all_below(self, deep: list[Execution]) -> None:
        cancel_execution(deep[0].pk, reason="enough")

        assert [reread(run).status for run in deep] == ["cancelled"] * 3
        assert [story(run)[-1] for run in deep] == ["execution:cancelled"] * 3

    def test_cancelled_rows_wait_for_nobody(self, deep: list[Execution], messages: Messages) -> None:
        cancel_execution(deep[0].pk)
        before = [story(run) for run in deep]

        messages.deliver_all()
        for run in deep:
            driver.drive(run.pk)

        assert [story(run) for run in deep] == before
        assert row(deep[0], "sub").status == "cancelled"

    def test_late_parent_takes_its_child_along(self, child: WorkflowVersion, messages: Messages) -> None:
        run = calling(child, settings={"timeout": 60_000})
        driver.drive(run.pk)
        make_late(run)

        driver.drive(run.pk)

        assert (reread(run).error["code"], children_of(run)[0].status) == ("timeout", "cancelled")

    @pytest.mark.parametrize("status", [RunStatus.FAILED, RunStatus.CANCELLED])
    def test_sweep_cancels_what_a_dead_process_left_behind(self, deep: list[Execution], status: RunStatus) -> None:
        """It had ended the run, and came no further."""
        Execution.objects.filter(pk=deep[0].pk).update(status=status, ended_at=deep[0].created_at)

        cancel_orphans()

        assert [reread(run).status for run in deep[1:]] == ["cancelled"] * 2

    def test_sweep_leaves_children_of_the_living_alone(self, deep: list[Execution]) -> None:
        let_time_pass()
        Sweeper().sweep()

        assert {reread(run).status for run in deep} <= {"running", "pending"}
