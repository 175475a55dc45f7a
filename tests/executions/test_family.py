"""Runs that start runs: the border between them, and what crosses it."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

import pytest
from django.db import DatabaseError
from django.db.models.signals import post_init
from pytest_django.fixtures import Settings

from executions import family, quarantine, worker
from executions.core import RunStatus
from executions.models import Execution
from executions.services import cancel_execution
from executions.sweep import Sweeper, cancel_orphans
from handlers import HandlerError, NodeOutput
from tests.executions.accidents import let_time_pass, make_late, process_dies, recover
from tests.executions.runs import begin, outputs, publish, reread, row, saves, statuses, story, visit
from tests.executions.scripted import Script, raises
from tests.factories import WorkflowFactory, WorkflowVersionFactory, WorkspaceFactory
from tests.fakes import Messages
from workflows.models import Workflow, WorkflowVersion
from workflows.services import delete_workflow

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def child() -> WorkflowVersion:
    """A workflow that gives back what it was given; its node `work` is an effect."""
    return publish(
        "start -> work -> out",
        types={"start": "trigger", "work": "test.script", "out": "output"},
        nodes={
            "work": {"config": {"value": "{{start.given}}"}, "retry": {"attempts": 1}},
            "out": {"config": {"outputName": "answer", "value": "{{work.result}}", "format": "json"}},
        },
    )


def calling(
    version: WorkflowVersion,
    drawing: str = "start -> sub -> z",
    *,
    config: Any = None,
    inputs: Any = None,
    **more: Any,
) -> Execution:
    """A run whose node `sub` starts *version*; nobody has looked at it yet."""
    nodes = {**more.pop("nodes", {})}
    told = {"workflow": str(version.workflow_id), "inputs": {"given": "{{start.x}}"}, **(config or {})}
    nodes["sub"] = {**nodes.get("sub", {}), "config": told}
    types = {"start": "trigger", "sub": "subWorkflow", "loop": "loop", "par": "parallel", **more.pop("types", {})}
    workspace = more.pop("workspace", version.workflow.workspace)
    return begin(drawing, workspace=workspace, types=types, nodes=nodes, inputs=inputs or {"x": 7}, **more)


def children_of(run: Execution) -> list[Execution]:
    return list(Execution.objects.filter(parent=run).order_by("created_at"))


class TestStart:
    def test_child_is_a_run_of_its_own(self, child: WorkflowVersion, messages: Messages) -> None:
        run = calling(child)

        worker.drive(run.pk)

        [found] = children_of(run)
        assert (found.version_id, found.workspace_id, found.status) == (child.pk, run.workspace_id, "pending")
        assert (found.parent_node, found.parent_scope, found.depth, found.trigger) == ("sub", "", 1, "workflow")
        assert found.inputs == {"given": 7}
        assert (statuses(run)["sub"], row(run, "sub").owner, row(run, "sub").folded) == ("running", None, False)
        assert story(run)[-1] == "started sub"

    @pytest.mark.parametrize("before", ["", "e -> "])
    def test_child_is_stored_with_the_step_that_asked_for_it_or_not_at_all(
        self, child: WorkflowVersion, messages: Messages, monkeypatch: pytest.MonkeyPatch, before: str
    ) -> None:
        """Whether that step was a turn or the write of an effect."""
        run = calling(child, f"start -> {before}sub -> z", types={"e": "test.script"})

        def fail(*args: Any, **named: Any) -> None:
            raise DatabaseError("no room")

        with monkeypatch.context() as patched:
            patched.setattr(family, "create", fail)
            worker.drive(run.pk)
        assert (children_of(run), statuses(run)["sub"]) == ([], "pending")
        process_dies()

        recover(messages, run)
        assert (len(children_of(run)), outputs(run)["z"]) == (1, {"result": "z"})

    @pytest.mark.parametrize("twice", [False, True])
    @pytest.mark.parametrize("seed", range(3))
    def test_each_visit_starts_one_child(
        self, child: WorkflowVersion, messages: Messages, seed: int, twice: bool
    ) -> None:
        nodes = {"par": {"config": {"count": 4}}}
        config = {"inputs": {"given": "{{parallel.index}}"}}
        run = calling(child, "start -> par -> z, par:body -> sub", nodes=nodes, config=config)

        messages.deliver_all(order=Random(seed), twice=twice)

        assert sorted(found.parent_scope for found in children_of(run)) == [f"par[{index}]" for index in range(4)]
        assert visit(run, "par").output["results"] == [{"sub": {"answer": index}} for index in range(4)]
        assert reread(run).status == RunStatus.COMPLETED

    def test_loop_starts_one_after_the_other(self, child: WorkflowVersion, messages: Messages) -> None:
        config = {"inputs": {"given": "{{loop.index}}"}}
        run = calling(child, "start -> loop -> z, loop:body -> sub", config=config)

        messages.deliver_all()

        first, second = children_of(run)
        assert first.ended_at <= second.created_at
        assert visit(run, "loop").output["results"] == [{"sub": {"answer": 0}}, {"sub": {"answer": 1}}]

    def test_version_that_is_named_is_run(self, child: WorkflowVersion, messages: Messages) -> None:
        newer = WorkflowVersion.objects.get(pk=child.pk)
        newer.pk, newer.number = None, 2
        newer.save(force_insert=True)
        Workflow.objects.filter(pk=child.workflow_id).update(published=newer)

        older, newest = calling(child, config={"version": 1}), calling(child)
        messages.deliver_all()

        assert [children_of(run)[0].version_id for run in (older, newest)] == [child.pk, newer.pk]


class TestEnd:
    def test_outputs_of_the_child_are_the_nodes(self, child: WorkflowVersion, messages: Messages) -> None:
        run = calling(child, nodes={"z": {"config": {"value": "{{sub.answer}}"}}})

        messages.deliver_all()

        sub = row(run, "sub")
        assert (sub.status, sub.output, sub.folded) == ("completed", {"answer": 7}, True)
        assert outputs(run)["z"] == {"result": 7}
        assert sub.ended_at >= children_of(run)[0].ended_at

    def test_parent_holds_nothing_while_it_waits(
        self, child: WorkflowVersion, messages: Messages, settings: Settings
    ) -> None:
        settings.FLOWMAESTRO_LANES = ["drive"]
        run = calling(child)
        messages.deliver(messages.waiting.pop(0))
        messages.deliver(messages.waiting.pop(0))

        [work] = messages.waiting
        assert (work.task, reread(run).status) == ("executions.run_nodes", RunStatus.RUNNING)

    def test_look_in_between_changes_nothing(self, child: WorkflowVersion, messages: Messages) -> None:
        run = calling(child)
        worker.drive(run.pk)
        before = saves(run), story(run)

        worker.drive(run.pk)

        assert (saves(run), story(run)) == before

    def test_end_is_folded_once(self, child: WorkflowVersion, messages: Messages) -> None:
        run = calling(
            child, "start -> sub -> z, start -> sub2 -> z", types={"sub2": "subWorkflow"}, nodes=second(child)
        )
        messages.deliver(messages.waiting.pop(0))
        first, _ = children_of(run)
        worker.drive(first.pk)

        for _ in range(3):
            worker.drive(run.pk)

        assert story(run).count(f"completed {first.parent_node}") == 1
        assert reread(run).status == RunStatus.RUNNING

    def test_only_ends_that_are_news_are_read(self, child: WorkflowVersion, messages: Messages) -> None:
        """Of five thousand branches, each look would read the outputs of all that have ended before."""
        nodes = {"par": {"config": {"count": 6, "maxConcurrency": 1}}}
        calling(child, "start -> par -> z, par:body -> sub", nodes=nodes)
        read: Counter[str] = Counter()

        def receive(instance: Execution, **_: Any) -> None:
            loaded = vars(instance)
            if loaded.get("status") == "completed" and "parent_scope" in loaded:
                read[loaded["parent_scope"]] += 1

        post_init.connect(receive, sender=Execution)
        messages.deliver_all()
        post_init.disconnect(receive, sender=Execution)

        assert read == {f"par[{index}]": 1 for index in range(6)}

    def test_child_without_outputs_gives_an_empty_object(self, messages: Messages) -> None:
        version = publish(
            "start -> if, if:true -> out",
            nodes={"if": no()},
            types={"start": "trigger", "out": "output", "if": "conditional"},
        )
        run = calling(version)

        messages.deliver_all()

        assert outputs(run)["sub"] == {}

    def test_lost_message_of_the_end_is_found_by_the_sweep(self, child: WorkflowVersion, messages: Messages) -> None:
        run = calling(child)
        worker.drive(run.pk)
        worker.drive(children_of(run)[0].pk)
        messages.lose_all()

        recover(messages, run)

        assert outputs(run)["sub"] == {"answer": 7}


def second(child: WorkflowVersion) -> dict[str, Any]:
    return {"sub2": {"config": {"workflow": str(child.workflow_id), "inputs": {"given": 2}}}}


def no() -> dict[str, Any]:
    return {"config": {"conditionType": "expression", "expression": "false"}}


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
        worker.drive(run.pk)

        cancel_execution(children_of(run)[0].pk)
        messages.deliver_all()

        assert (reread(run).status, reread(run).error["code"]) == ("failed", "cancelled")
        assert reread(run).error["message"] == "the sub-workflow was cancelled"

    def test_quarantined_child_fails_the_node(self, child: WorkflowVersion, messages: Messages) -> None:
        run = calling(child)
        worker.drive(run.pk)
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
        worker.drive(run.pk)
        [second] = children_of(run)
        worker.drive(second.pk)
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
            worker.drive(run.pk)

        assert [story(run) for run in deep] == before
        assert row(deep[0], "sub").status == "cancelled"

    def test_late_parent_takes_its_child_along(self, child: WorkflowVersion, messages: Messages) -> None:
        run = calling(child, settings={"timeout": 60_000})
        worker.drive(run.pk)
        make_late(run)

        worker.drive(run.pk)

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
