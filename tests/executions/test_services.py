from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction

from executions import decide, signals, worker
from executions.core import NotCancellable, RunStatus
from executions.dispatch import Fold
from executions.models import Event, Execution, ExecutionState, NodeRun
from executions.services import BadEntry, cancel_execution, start_execution
from tests.executions.runs import begin, outputs, publish, reread, row, statuses, story
from tests.factories import UserFactory
from tests.fakes import Messages
from tests.nodes import counted
from tests.told import read_back
from workflows.ids import uuid7

pytestmark = pytest.mark.django_db(transaction=True)


class TestStart:
    def test_run_is_stored_with_all_that_it_was_started_with(self, messages: Messages) -> None:
        version, user = publish("start -> a"), UserFactory()

        run = start_execution(
            version, inputs={"b": 1, "a": [None]}, trigger="webhook", tags=["x", "y"], started_by=user
        )

        stored = reread(run)
        assert (stored.workflow_id, stored.workspace_id) == (version.workflow_id, version.workflow.workspace_id)
        assert (stored.version_id, stored.started_by_id, stored.trigger) == (version.pk, user.pk, "webhook")
        assert (list(stored.inputs.items()), stored.tags, stored.entry) == (
            [("b", 1), ("a", [None])],
            ["x", "y"],
            "start",
        )
        assert (stored.status, stored.created_at, stored.started_at) == ("pending", run.created_at, None)
        assert ExecutionState.objects.values("ver", "seq", "state").get(pk=run.pk) == {
            "ver": 0,
            "seq": 1,
            "state": None,
        }

    def test_run_is_asked_for_and_told(self, messages: Messages) -> None:
        version = publish("start -> a -> b")
        heard: list[Any] = []

        def receive(*, frames: Any, workspace_id: Any, **_: Any) -> None:
            heard.append((workspace_id, [frame.value() for frame in frames]))

        signals.events_recorded.connect(receive)
        run = start_execution(version, inputs={})
        signals.events_recorded.disconnect(receive)

        [first] = read_back(run.pk)
        assert messages.names() == {"executions.drive": 1}
        assert heard == [(run.workspace_id, [first])]
        assert first["data"] == {
            "workflow_id": str(version.workflow_id),
            "workflow_name": version.workflow.name,
            "total_nodes": 3,
            "rerun_of": None,
        }

    def test_run_that_is_rolled_back_was_never_asked_for(self, messages: Messages) -> None:
        version = publish("start -> a")

        with transaction.atomic():
            start_execution(version, inputs={})
            transaction.set_rollback(True)

        assert (Execution.objects.count(), Event.objects.count(), messages.waiting) == (0, 0, [])

    def test_run_starts_at_the_root_that_fired(self, messages: Messages) -> None:
        version = publish("start -> a, start2 -> b, in -> b", entryPoint="start")

        run = start_execution(version, inputs={}, entry="start2")
        messages.deliver_all()

        assert statuses(run) == {"in": "completed", "start2": "completed", "b": "completed"}
        assert read_back(run.pk)[0]["data"]["total_nodes"] == 3

    @pytest.mark.parametrize("entry", ["a", "ghost", ""])
    def test_run_cannot_start_in_the_middle(self, messages: Messages, entry: str) -> None:
        version = publish("start -> a, start2 -> b", entryPoint="start")

        with pytest.raises(BadEntry) as refused:
            start_execution(version, inputs={}, entry=entry)

        assert (refused.value.entry, refused.value.roots) == (entry, ("start", "start2"))
        assert (Execution.objects.count(), messages.waiting) == (0, [])

    def test_run_keeps_the_plan_it_was_started_with(self, messages: Messages) -> None:
        """Whatever is published meanwhile."""
        version = publish("start -> a")
        run = start_execution(version, inputs={})
        newer = publish("start -> z")
        version.workflow.published = newer
        version.workflow.save()

        messages.deliver_all()

        assert list(statuses(run)) == ["start", "a"]


class TestCancel:
    def test_run_that_nobody_has_driven_ends_at_once(self, messages: Messages) -> None:
        run = begin("start -> a", default="test.count")

        cancel_execution(run.pk, reason="not needed")
        messages.deliver_all()

        over = reread(run)
        assert (over.status, over.outputs, over.error) == ("cancelled", {}, None)
        assert over.started_at == over.ended_at
        assert story(run) == ["execution:started", "execution:cancelled"]
        assert Event.objects.get(execution=run, seq=2).data["reason"] == "not needed"
        assert counted(run.pk) == {}

    def test_outputs_so_far_are_kept(self, messages: Messages) -> None:
        run = begin("start -> a, start -> b -> c", default="test.count", nodes={"a": {"config": {"value": 1}}})
        messages.deliver(messages.waiting.pop(0))
        messages.deliver(next(m for m in messages.waiting if str(row(run, "a").pk) in m.args[0]))

        cancel_execution(run.pk)

        assert reread(run).outputs == {"a": {"result": 1}}
        assert statuses(run) == {"start": "completed", "a": "completed", "b": "cancelled", "c": "cancelled"}

    def test_outcome_that_is_recorded_already_counts(self, messages: Messages) -> None:
        """It is told, and its output is the run's: the record and the run agree."""
        run = begin("start -> a -> j, start -> b -> j", default="test.count")
        messages.deliver(messages.waiting.pop(0))
        messages.deliver(messages.waiting.pop(0))
        [done] = NodeRun.objects.filter(execution=run, status="completed", folded=False)

        cancel_execution(run.pk)

        assert story(run)[-3:] == [f"started {done.node_id}", f"completed {done.node_id}", "execution:cancelled"]
        assert not NodeRun.objects.filter(execution=run, folded=False).exists()

    def test_response_that_is_recorded_already_answers(
        self, messages: Messages, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Whoever waits for it has waited for this very outcome."""
        monkeypatch.setattr(decide, "BURST_FOR", -1)  # every node is run apart from the drive
        config = {"statusCode": 201, "body": "taken"}
        types = {"start": "trigger", "r": "response", "e": "test.count"}
        run = begin("start -> r, start -> e", types=types, nodes={"r": {"config": config}})
        messages.deliver(messages.waiting.pop(0))
        worker.run_nodes([row(run, "r").pk], fold=Fold.LEAVE)

        cancel_execution(run.pk)

        assert reread(run).response == {"status": 201, "body": "taken"}

    def test_what_was_sent_is_not_run(self, messages: Messages) -> None:
        run = begin("start -> a -> j, start -> b -> j", default="test.count")
        messages.deliver(messages.waiting.pop(0))

        cancel_execution(run.pk)
        messages.deliver_all()

        assert (counted(run.pk), reread(run).status) == ({}, RunStatus.CANCELLED)

    @pytest.mark.parametrize("status", ["completed", "cancelled", "failed"])
    def test_run_that_is_over_is_refused_and_unchanged(self, messages: Messages, status: str) -> None:
        run = begin("start -> a", default="test.fail" if status == "failed" else "test.echo")
        if status == "cancelled":
            cancel_execution(run.pk)
        messages.deliver_all()
        before = Execution.objects.filter(pk=run.pk).values().get(), story(run)

        with pytest.raises(NotCancellable) as refused:
            cancel_execution(run.pk)

        assert str(refused.value) == f"Execution cannot be cancelled. Current status: {status}"
        assert (Execution.objects.filter(pk=run.pk).values().get(), story(run)) == before

    def test_run_that_is_not_there_is_told(self) -> None:
        with pytest.raises(Execution.DoesNotExist):
            cancel_execution(uuid7())

    def test_late_outcome_of_the_node_in_hand_changes_nothing(
        self, messages: Messages, scripts: dict[str, Any]
    ) -> None:
        """Cancel wins over whatever comes after it."""
        scripts["a"] = lambda node, lent: cancel_execution(node.execution_id) or worker.runner.NodeOutput(data="late")
        run = begin("start -> a -> b", default="test.script")

        messages.deliver_all()

        assert (reread(run).status, statuses(run)["a"], outputs(run)["a"]) == ("cancelled", "cancelled", None)
        assert story(run)[-1] == "execution:cancelled"
