"""Runs that take over from others, on the real engine: what runs again, and what the new run has of the old one."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction

from executions import driver
from executions.core import BadStart, BadVersion, NothingFailed, NotOverYet, RunStatus
from executions.models import Execution, ExecutionState, NodeRun
from executions.rerunning import rerun_execution, retry_execution
from executions.services import cancel_execution
from executions.starting import BadUntil
from tests.executions.families import calling, children_of
from tests.executions.reruns import ended, newer, ran
from tests.executions.runs import begin, outputs, reread, row, statuses, story, visited
from tests.factories import UserFactory
from tests.fakes import Messages
from tests.nodes import counted
from tests.told import read_back
from workflows.ids import uuid7
from workflows.models import WorkflowVersion

pytestmark = pytest.mark.django_db(transaction=True)

JOIN = "start -> a -> j, start -> b -> j"
READS: dict[str, Any] = {
    "a": {"config": {"value": "a{{inputs.x}}"}},
    "b": {"config": {"value": "b{{inputs.x}}"}},
    "j": {"config": {"value": "{{a.result}}{{b.result}}"}},
}


class TestRerun:
    def test_one_side_of_a_join_runs_and_the_other_is_as_it_was(self, messages: Messages) -> None:
        """The inputs that are edited count for what runs; the others stay."""
        before = ended(messages, JOIN, nodes=READS, inputs={"x": 1, "y": 1})

        run = rerun_execution(before.pk, from_node="a", inputs={"x": 2})
        messages.deliver_all()

        assert (reread(run).status, ran(run)) == ("completed", {"a", "j"})
        assert (outputs(run)["j"], reread(run).inputs) == ({"result": "a2b1"}, {"x": 2, "y": 1})
        assert statuses(run) == dict.fromkeys(["start", "a", "b", "j"], "completed")

    def test_container_runs_as_a_whole(self, messages: Messages) -> None:
        before = ended(messages, "start -> a -> loop -> z, loop:body -> x")

        run = rerun_execution(before.pk, from_node="loop")
        messages.deliver_all()

        assert ran(run) == {"loop", "loop[0]/x", "loop[1]/x", "z"}

    def test_container_that_is_kept_has_its_results_and_no_body(self, messages: Messages) -> None:
        """What is in its body counts as through from the beginning."""
        nodes = {"z": {"config": {"value": "{{loop.results}}"}}}
        before = ended(messages, "start -> loop -> z, loop:body -> x", nodes=nodes)

        run = rerun_execution(before.pk, from_node="z")
        shown = statuses(run)
        messages.deliver_all()

        assert shown == {"start": "completed", "loop": "completed", "x": "skipped", "z": "pending"}
        assert (ran(run), outputs(run)["z"]) == ({"z"}, {"result": [{"x": {"result": "x"}}] * 2})

    def test_container_that_failed_and_is_kept_leaves_nothing_to_do_in_its_body(self, messages: Messages) -> None:
        drawing = "start -> loop -> z, loop:body -> bad -> x, loop:error -> h"
        before = ended(messages, drawing, types={"start": "trigger", "loop": "loop", "bad": "test.fail"})

        run = rerun_execution(before.pk, from_node="h")

        expected = {
            "start": "completed",
            "loop": "failed",
            "bad": "skipped",
            "x": "skipped",
            "h": "pending",
            "z": "pending",
        }
        assert statuses(run) == expected

    def test_dead_paths_stay_dead(self, messages: Messages) -> None:
        nodes = {"if": {"config": {"expression": "1 == 2"}}}
        before = ended(messages, "start -> if, if:true -> x -> j, if:false -> y -> j, j -> z", nodes=nodes)

        run = rerun_execution(before.pk, from_node="j")
        messages.deliver_all()

        assert (ran(run), statuses(run)) == ({"j", "z"}, statuses(before))
        assert (outputs(run)["y"], statuses(run)["x"]) == ({"result": "y"}, "skipped")

    def test_effects_that_are_kept_do_not_happen_again(self, messages: Messages) -> None:
        before = ended(messages, "start -> a -> b -> c", default="test.count", types={"start": "trigger"})

        run = rerun_execution(before.pk, from_node="c")
        messages.deliver_all()

        assert (counted(before.pk), counted(run.pk)) == ({"a": 1, "b": 1, "c": 1}, {"c": 1})

    def test_without_a_node_everything_runs(self, messages: Messages) -> None:
        before = ended(messages, JOIN, nodes=READS, inputs={"x": 1})

        run = rerun_execution(before.pk, inputs={"x": 2})
        messages.deliver_all()

        assert (ran(run), outputs(run)["j"]) == ({"start", "a", "b", "j"}, {"result": "a2b2"})
        assert (reread(run).rerun_of_id, reread(run).rerun_from) == (before.pk, None)

    def test_run_is_linked_to_the_one_before_and_told_so(self, messages: Messages) -> None:
        before = ended(messages, "start -> a -> b", entryPoint="start")
        Execution.objects.filter(pk=before.pk).update(tags=["x"])
        user = UserFactory()

        run = reread(rerun_execution(before.pk, from_node="a", started_by=user))

        assert (run.rerun_of_id, run.rerun_from, run.trigger, run.parent_id) == (before.pk, "a", "rerun", None)
        assert (run.started_by, run.tags, run.entry, run.version_id) == (user, ["x"], "start", before.version_id)
        assert read_back(run.pk)[0]["data"]["rerun_of"] == str(before.pk)
        assert messages.names()["executions.drive"] == 2

    def test_nothing_is_told_of_what_is_kept(self, messages: Messages) -> None:
        """It happened in the run before. Who follows this one sees it in the snapshot."""
        before = ended(messages, "start -> a -> b")

        run = rerun_execution(before.pk, from_node="b")
        messages.deliver_all()

        assert story(run) == ["execution:started", "started b", "completed b", "execution:completed"]

    def test_row_that_is_kept_is_as_it_was(self, messages: Messages) -> None:
        """What people ask for: what it was given and gave back, and when. Its tokens were used once."""
        nodes = {"a": {"config": {"message": "{{inputs.why}}"}}}
        before = ended(
            messages, "start -> a, a:error -> b", types={"a": "test.fail"}, nodes=nodes, inputs={"why": "boom"}
        )
        NodeRun.objects.filter(execution=before).update(usage={"total_tokens": 1}, logs=[["now", "info", "hello"]])

        run = rerun_execution(before.pk, from_node="b")

        old, new = row(before, "a"), row(run, "a")
        same = (
            "status",
            "handled",
            "attempt",
            "input",
            "output",
            "error",
            "port",
            "ready_at",
            "started_at",
            "ended_at",
        )
        assert {name: getattr(new, name) for name in same} == {name: getattr(old, name) for name in same}
        assert (old.status, old.handled, old.error["message"]) == ("failed", True, "boom")
        assert (new.kept, new.folded, new.usage, new.logs, new.history) == (True, True, None, None, None)
        assert (old.kept, old.pk == new.pk) == (False, False)

    def test_outputs_of_the_run_are_those_of_what_it_kept_as_well(self, messages: Messages) -> None:
        nodes = {node: {"config": {"outputName": node, "value": "{{inputs.x}}"}} for node in ("out", "out2")}
        before = ended(messages, "start -> out, start -> out2", nodes=nodes, inputs={"x": "old"})

        run = rerun_execution(before.pk, from_node="out2", inputs={"x": "new"})
        messages.deliver_all()

        assert reread(run).outputs == {"out": "old", "out2": "new"}

    def test_worker_that_holds_no_run_reads_what_is_kept(self, messages: Messages, settings: Any) -> None:
        settings.FLOWMAESTRO_LANES = ["drive"]  # every effect is a message
        nodes = {"c": {"config": {"value": "{{a.result}}{{b.result}}"}}}
        types = {"start": "trigger", "a": "test.echo"}
        before = ended(messages, "start -> a -> b -> c", default="test.count", types=types, nodes=nodes)

        run = rerun_execution(before.pk, from_node="c")
        messages.deliver_all()

        assert outputs(run)["c"] == {"result": "ab"}

    def test_run_goes_on_where_the_one_before_was_to_stop(self, messages: Messages) -> None:
        """And stops itself where it is told to."""
        before = ended(messages, "start -> a -> b -> c")

        first = rerun_execution(before.pk, from_node="a", until="b")
        messages.deliver_all()
        second = rerun_execution(first.pk, from_node="b")
        messages.deliver_all()

        assert (ran(first), reread(first).outputs) == ({"a", "b"}, {"b": {"result": "b"}})
        assert (ran(second), reread(second).outputs) == ({"b", "c"}, {"c": {"result": "c"}})

    def test_child_of_a_node_that_is_kept_stays_with_the_run_before(
        self, messages: Messages, child: WorkflowVersion
    ) -> None:
        before = calling(child, "start -> sub -> z")
        messages.deliver_all()

        kept = rerun_execution(before.pk, from_node="z")
        again = rerun_execution(before.pk, from_node="sub")
        messages.deliver_all()

        assert [len(children_of(run)) for run in (before, kept, again)] == [1, 0, 1]
        assert outputs(before)["sub"] == outputs(kept)["sub"] == outputs(again)["sub"] == {"answer": 7}

    def test_child_is_rerun_as_a_run_of_its_own(self, messages: Messages, child: WorkflowVersion) -> None:
        """Its parent has had its end, and gets no other."""
        before = calling(child)
        messages.deliver_all()

        run = rerun_execution(children_of(before)[0].pk, from_node="out", inputs={"given": 8})
        messages.deliver_all()

        assert (reread(run).parent_id, reread(run).outputs) == (None, {"answer": 7})  # work is kept

    def test_run_cancelled_before_it_was_driven_has_the_outputs_that_it_kept(self, messages: Messages) -> None:
        before = ended(messages, "start -> a, start -> b")

        run = rerun_execution(before.pk, from_node="a")
        cancel_execution(run.pk)

        assert reread(run).outputs == {"b": {"result": "b"}}
        assert statuses(run) == {"start": "completed", "b": "completed", "a": "cancelled"}


class TestVersions:
    def test_run_is_on_the_original_version_unless_told_another(self, messages: Messages) -> None:
        before = ended(messages, "start -> a -> b", nodes={"b": {"config": {"value": 1}}})
        second = newer(before.version, "start -> a -> b -> c", nodes={"b": {"config": {"value": 2}}})

        same = rerun_execution(before.pk, from_node="b")
        other = rerun_execution(before.pk, from_node="b", version=second)
        messages.deliver_all()

        assert (outputs(same)["b"], statuses(same).keys()) == ({"result": 1}, {"start", "a", "b"})
        assert (outputs(other)["b"], ran(other)) == ({"result": 2}, {"b", "c"})
        assert (reread(same).version_id, reread(other).version_id) == (before.version_id, second.pk)

    def test_node_drawn_in_between_runs_with_what_follows_it(self, messages: Messages) -> None:
        """It has no row that says otherwise, neither now nor before it is its turn."""
        before = ended(messages, "start -> a -> b -> c, start -> z")
        second = newer(before.version, "start -> a -> new -> b -> c, start -> z")

        run = rerun_execution(before.pk, from_node="z", version=second)
        kept = visited(run)
        messages.deliver_all()

        assert (kept, ran(run)) == ({"start": "completed", "a": "completed"}, {"new", "b", "c", "z"})
        assert reread(run).status == "completed"

    def test_version_without_the_root_it_began_at_is_refused(self, messages: Messages) -> None:
        before = ended(messages, "start -> a")
        second = newer(before.version, "other -> a", types={"other": "trigger"})

        with pytest.raises(BadVersion, match="'start' is not a node a run can start from in that version"):
            rerun_execution(before.pk, from_node="a", version=second)

    def test_version_without_the_node_it_was_to_stop_after_is_refused(self, messages: Messages) -> None:
        before = ended(messages, "start -> bad -> b", types={"bad": "test.fail"})
        Execution.objects.filter(pk=before.pk).update(until_node="b")
        second = newer(before.version, "start -> bad")

        with pytest.raises(BadVersion, match="'b' is not a node a run can stop after in that version"):
            retry_execution(before.pk, version=second)


class TestRefused:
    @pytest.mark.parametrize(
        ("status", "verb"),
        [
            ("pending", retry_execution),
            ("pending", rerun_execution),
            ("running", retry_execution),
            ("running", rerun_execution),
        ],
    )
    def test_run_that_is_not_over_is_left_alone(self, messages: Messages, status: str, verb: Any) -> None:
        """What it will have come to is not known yet."""
        before = begin(JOIN, default="test.count", types={"start": "trigger"})
        if status == "running":
            messages.deliver(messages.waiting.pop(0))

        with pytest.raises(NotOverYet) as refused:
            verb(before.pk)

        assert refused.value.status == status
        assert str(refused.value) == f"The execution is {status}; it can be retried or rerun when it is over."
        assert Execution.objects.count() == 1

    def test_run_that_completed_has_nothing_to_retry(self, messages: Messages) -> None:
        """Also where a failure was handled."""
        before = ended(messages, "start -> bad, bad:error -> h", types={"bad": "test.fail"})

        with pytest.raises(NothingFailed, match="completed"):
            retry_execution(before.pk)

    @pytest.mark.parametrize(
        ("more", "error"),
        [
            ({"from_node": "x"}, BadStart),  # in a body
            ({"from_node": "dead"}, BadStart),
            ({"from_node": "ghost"}, BadStart),
            ({"from_node": "z", "until": "x"}, BadUntil),
        ],
    )
    def test_nothing_is_stored_of_what_is_refused(
        self, messages: Messages, more: dict[str, str], error: type[Exception]
    ) -> None:
        nodes = {"if": {"config": {"expression": "1 == 2"}}}
        before = ended(messages, "start -> loop -> if, if:true -> dead, if -> z, loop:body -> x", nodes=nodes)

        with pytest.raises(error):
            rerun_execution(before.pk, **more)

        assert (Execution.objects.count(), messages.waiting) == (1, [])

    def test_run_that_is_not_there_is_told(self) -> None:
        with pytest.raises(Execution.DoesNotExist):
            retry_execution(uuid7())


class TestStored:
    def test_rerun_is_stored_whole_or_not_at_all(self, messages: Messages) -> None:
        """Rows of what it keeps, and the message that asks for it, come with it."""
        before = ended(messages, "start -> a -> b")

        with transaction.atomic():
            rerun_execution(before.pk, from_node="b")
            transaction.set_rollback(True)

        assert (Execution.objects.count(), NodeRun.objects.exclude(execution=before).exists()) == (1, False)
        assert messages.waiting == []

    def test_row_that_should_be_there_and_is_not_is_our_bug(self, messages: Messages) -> None:
        """A run that would wait for ever for an output is not begun."""
        before = ended(messages, "start -> a -> b")
        row(before, "a").delete()

        with pytest.raises(AssertionError, match=r"\['a'\] of run .* ran and have no rows"):
            rerun_execution(before.pk, from_node="b")

        assert Execution.objects.count() == 1

    def test_run_before_is_not_touched(self, messages: Messages) -> None:
        before = ended(messages, JOIN, nodes=READS)
        seen = everything(before)

        rerun_execution(before.pk, from_node="a", inputs={"x": 2})
        messages.deliver_all()

        assert everything(before) == seen

    def test_rerun_outlives_the_run_before(self, messages: Messages) -> None:
        before = ended(messages, JOIN, nodes=READS)
        run = rerun_execution(before.pk, from_node="a", inputs={"x": 2})

        before.delete()
        driver.drive(run.pk)

        assert (reread(run).rerun_of_id, reread(run).status, ran(run)) == (None, RunStatus.COMPLETED, {"a", "j"})


def everything(run: Execution) -> list[Any]:
    rows = NodeRun.objects.filter(execution=run).order_by("id")
    states = ExecutionState.objects.filter(execution=run)
    return [*Execution.objects.filter(pk=run.pk).values(), *states.values(), *rows.values(), *read_back(run.pk)]
