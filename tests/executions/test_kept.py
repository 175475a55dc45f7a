"""What a run takes over from another: variables as they were left, and outputs that are its own."""

from __future__ import annotations

from datetime import timedelta
from random import Random
from typing import Any

import pytest
from django.core.files.storage import storages
from django.db.models import F
from pytest_django.fixtures import Settings

from executions import blobs
from executions.core import BlobsAway
from executions.models import Execution, ExecutionState, NodeRun
from executions.rerunning import rerun_execution, retry_execution
from executions.services import cancel_execution
from handlers import NodeOutput, VariableWrite
from tests.executions.drawings import random_drawing
from tests.executions.reruns import ended
from tests.executions.runs import begin, outputs, reread, returned, statuses
from tests.executions.scripted import Script, answers
from tests.executions.storages import with_outputs_in
from tests.fakes import Messages

pytestmark = pytest.mark.django_db(transaction=True)


def variables(run: Execution) -> Any:
    return ExecutionState.objects.values_list("state", flat=True).get(pk=run.pk)["variables"]


def again(messages: Messages, run: Execution, from_node: str) -> Execution:
    """A rerun that is over."""
    rerun = rerun_execution(run.pk, from_node=from_node)
    messages.deliver_all()
    return reread(rerun)


def appends(*nodes: str) -> dict[str, Any]:
    """Nodes that append their name to the variable `log`."""
    return {node: {"config": {"name": "log", "append": node}} for node in nodes}


class TestVariables:
    def test_writes_of_what_is_kept_are_there_and_the_others_are_made_again(self, messages: Messages) -> None:
        """One by one, so that what runs again does not count twice."""
        nodes = appends("set1", "set2", "set3") | {"z": {"config": {"value": "{{log}}"}}}
        before = ended(messages, "start -> set1 -> set2 -> set3 -> z", nodes=nodes, variables={"log": []})

        run = again(messages, before, "set2")

        assert outputs(run)["z"] == outputs(before)["z"] == {"result": ["set1", "set2", "set3"]}
        assert variables(run) == variables(before) == {"log": ["set1", "set2", "set3"]}

    def test_writes_in_bodies_of_what_is_kept_are_there(self, messages: Messages) -> None:
        """Also of a loop in a parallel."""
        nodes = {"set": {"config": {"name": "n", "increment": 1}}, "z": {"config": {"value": "{{n}}"}}}
        drawing = "start -> par -> z, par:body -> loop, loop:body -> set"
        before = ended(messages, drawing, nodes=nodes, variables={"n": 10})

        run = again(messages, before, "z")

        assert (outputs(before)["z"], outputs(run)["z"]) == ({"result": 14}, {"result": 14})

    def test_rerun_of_a_rerun_has_the_writes_of_both(self, messages: Messages) -> None:
        """However long ago they were made; the rows of the first run may be gone."""
        nodes = appends("set1", "set2", "set3") | {"set": {"config": {"name": "log", "append": "body"}}}
        drawing = "start -> loop -> set1 -> set2 -> set3, loop:body -> set"
        first = ended(messages, drawing, nodes=nodes, variables={"log": []})
        second = again(messages, first, "set2")
        first.delete()

        third = again(messages, second, "set3")
        fourth = again(messages, third, "set1")

        log = ["body", "body", "set1", "set2", "set3"]
        assert [variables(run)["log"] for run in (second, third, fourth)] == [log] * 3

    def test_writes_are_in_the_order_in_which_they_were_folded(self, messages: Messages) -> None:
        """Clocks of several machines say nothing of who waited for whom."""
        nodes = {node: {"config": {"name": "v", "value": node}} for node in ("set1", "set2")}
        before = ended(messages, "start -> set1 -> set2 -> z", nodes=nodes, variables={"v": None})
        hour = timedelta(hours=1)
        NodeRun.objects.filter(execution=before, node_id="set2").update(ended_at=F("ended_at") - hour)

        assert variables(again(messages, before, "z")) == {"v": "set2"}

    def test_writes_that_were_not_folded_are_no_part_of_the_run(
        self, messages: Messages, scripts: dict[str, Script]
    ) -> None:
        """Its end came first. The node runs again, and writes again."""
        increment = VariableWrite(name="n", how="increment", value=1)

        def script(node: Any, lent: Any) -> NodeOutput:
            if reread(node.execution_id).rerun_of_id is None:
                cancel_execution(node.execution_id)
            return NodeOutput(data="done", writes=(increment,))

        scripts["a"] = script
        before = ended(messages, "start -> set -> a", types={"a": "test.script"}, variables={"set": 0, "n": 0})

        run = retry_execution(before.pk)
        messages.deliver_all()

        assert (variables(before), variables(run)) == ({"set": 1, "n": 0}, {"set": 1, "n": 1})

    @pytest.mark.parametrize("seed", range(12))
    def test_random_plan_rerun_from_anywhere_ends_as_it_did(self, messages: Messages, seed: int) -> None:
        """Statuses, outputs and variables, whichever of its nodes are kept."""
        before = begin(**random_drawing(seed))
        messages.deliver_all(order=Random(seed))
        ran = [node for node, status in statuses(before).items() if status in ("completed", "failed")]
        from_node = Random(seed).choice(ran)

        run = again(messages, before, from_node)

        assert statuses(run) == statuses(before)
        assert comparable(outputs(run)) == comparable(outputs(before))
        assert variables(run) == variables(before)


def comparable(value: Any) -> Any:
    """Without the moments in errors."""
    if isinstance(value, dict):
        return {key: comparable(item) for key, item in value.items() if key != "at"}
    return value


class TestLargeOutputs:
    @pytest.fixture
    def large(self, messages: Messages, scripts: dict[str, Script]) -> Execution:
        """A run with an output in blob storage, whose length its next node gives back."""
        scripts["a"] = answers("ä" * 300_000)
        nodes = {"z": {"config": {"value": "{{a.length}}"}}}
        return ended(messages, "start -> a -> z", types={"start": "trigger", "a": "test.script"}, nodes=nodes)

    def test_output_is_kept_where_it_goes_with_the_run_that_kept_it(self, messages: Messages, large: Execution) -> None:
        run = rerun_execution(large.pk, from_node="z")
        workspace_id, first = large.workspace_id, large.pk

        large.delete()
        messages.deliver_all()

        assert (outputs(run)["z"], outputs(run)["a"]) == ({"result": 300_000}, "ä" * 300_000)
        assert blobs.keys_of(workspace_id, first) == []
        run.delete()
        assert blobs.keys_of(workspace_id, run.pk) == []

    def test_output_of_the_run_is_read_from_what_it_kept(self, messages: Messages, scripts: dict[str, Script]) -> None:
        scripts["a"] = answers("a" * 300_000)
        types = {"start": "trigger", "a": "test.script"}
        before = ended(messages, "start -> a, start -> b", types=types)

        run = again(messages, before, "b")

        assert returned(run) == {"a": "a" * 300_000, "b": {"result": "b"}}

    @pytest.mark.parametrize("kind", ["open", "save"])
    def test_run_is_not_begun_while_the_storage_is_away(
        self, messages: Messages, scripts: dict[str, Script], settings: Settings, kind: str
    ) -> None:
        """Whoever asks is told, and may ask again."""
        settings.STORAGES = with_outputs_in("tests.executions.storages.Shaky")
        scripts["a"] = answers("a" * 300_000)
        before = ended(messages, "start -> a -> z", types={"start": "trigger", "a": "test.script"})
        storages["outputs"].away[kind] = 1

        with pytest.raises(BlobsAway):
            rerun_execution(before.pk, from_node="z")

        assert Execution.objects.count() == 1
        assert outputs(again(messages, before, "z"))["z"] == {"result": "z"}
