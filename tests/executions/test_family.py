"""Runs that start runs: the border between them, and what crosses it."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

import pytest
from django.db import DatabaseError
from django.db.models.signals import post_init
from pytest_django.fixtures import Settings

from executions import driver, family
from executions.core import RunStatus
from executions.models import Execution
from tests.executions.accidents import process_dies, recover
from tests.executions.families import calling, children_of, no, second
from tests.executions.runs import outputs, publish, reread, row, saves, statuses, story, visit
from tests.fakes import Messages
from workflows.models import Workflow, WorkflowVersion

pytestmark = pytest.mark.django_db(transaction=True)


class TestStart:
    def test_child_is_a_run_of_its_own(self, child: WorkflowVersion, messages: Messages) -> None:
        run = calling(child)

        driver.drive(run.pk)

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
            driver.drive(run.pk)
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
        driver.drive(run.pk)
        before = saves(run), story(run)

        driver.drive(run.pk)

        assert (saves(run), story(run)) == before

    def test_end_is_folded_once(self, child: WorkflowVersion, messages: Messages) -> None:
        run = calling(
            child, "start -> sub -> z, start -> sub2 -> z", types={"sub2": "subWorkflow"}, nodes=second(child)
        )
        messages.deliver(messages.waiting.pop(0))
        first, _ = children_of(run)
        driver.drive(first.pk)

        for _ in range(3):
            driver.drive(run.pk)

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
        driver.drive(run.pk)
        driver.drive(children_of(run)[0].pk)
        messages.lose_all()

        recover(messages, run)

        assert outputs(run)["sub"] == {"answer": 7}
