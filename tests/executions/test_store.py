from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from executions import driver, hotpath, store, worker
from executions.changes import Changes
from executions.core import Failed, NodeStatus, RunStatus, Succeeded, advance
from executions.dispatch import Fold
from executions.leases import lease
from executions.models import Execution, NodeRun
from handlers import HandlerError, NodeOutput, VariableWrite
from tests.executions.runs import begin, outputs, reread, row
from tests.executions.scripted import Script, raises
from tests.fakes import Messages
from workflows.ids import uuid7

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def run(messages: Messages) -> Execution:
    """A run with a and b out."""
    run = begin("start -> a -> j, start -> b -> j", default="test.script", inputs={"x": 1})
    driver.drive(run.pk)
    return run


def take(run: Execution) -> store.Run:
    with transaction.atomic():
        taken = store.take(run.pk, wait=True)
    assert taken is not None
    return taken


class TestTake:
    def test_run_is_taken_as_it_was_last_written(self, run: Execution) -> None:
        taken = take(run)

        assert (taken.id, taken.workspace_id, taken.entry, taken.inputs) == (
            run.pk,
            run.workspace_id,
            "start",
            '{"x":1}',
        )
        assert (taken.ver, taken.seq, taken.state.in_flight()) == (1, 3, 2)

    def test_new_run_has_no_state(self, messages: Messages) -> None:
        assert take(begin("start -> a")).state is None

    def test_run_that_is_not_there_is_not_taken(self) -> None:
        with transaction.atomic():
            assert store.take(uuid7(), wait=True) is None


class TestInbox:
    def test_outcomes_come_back_as_they_were_reported(self, run: Execution, scripts: dict[str, Script]) -> None:
        """From their rows, in the order in which the nodes ended."""
        write = VariableWrite(name="v", how="append", value=[1])
        scripts["a"] = lambda node, lent: NodeOutput(data="done", writes=(write,))
        scripts["b"] = raises(HandlerError("no luck"))
        worker.run_nodes([row(run, "a").pk, row(run, "b").pk], fold=Fold.LEAVE)
        a, b = row(run, "a"), row(run, "b")
        taken = take(run)

        outcomes, rows = store.read_inbox(taken, now=timezone.now())

        told: dict[str, Any] = {"scope": "", "attempt": 1, "announced": False}
        assert outcomes == [
            Succeeded(node_id="a", started_at=a.started_at, ended_at=a.ended_at, writes=(write,), **told),
            Failed(node_id="b", started_at=b.started_at, ended_at=b.ended_at, error=b.error, handled=False, **told),
        ]
        assert (rows, taken.outputs) == ([a.pk, b.pk], {("", "a"): '"done"'})

    def test_wide_output_is_known_by_its_width(self, run: Execution, scripts: dict[str, Script]) -> None:
        scripts["a"] = lambda node, lent: NodeOutput(data="w" * 70_000)
        worker.run_nodes([row(run, "a").pk], fold=Fold.LEAVE)
        taken = take(run)

        store.read_inbox(taken, now=timezone.now())

        assert (taken.outputs, taken.widths) == ({}, {("", "a"): 70_002})


class TestWrite:
    def test_run_in_hand_is_what_was_written(self, run: Execution) -> None:
        worker.run_nodes([row(run, "a").pk], fold=Fold.LEAVE)
        taken = take(run)
        outcomes, rows = store.read_inbox(taken, now=timezone.now())
        step = advance(taken.prepared.graph, taken.state, outcomes, now=timezone.now())

        recorded, sent = store.write(taken, step, Changes(events=[*step.events]), now=timezone.now(), folded=rows)

        again = take(run)
        assert (recorded, sent.told.after, len(sent.told)) == (True, 3, 2)
        assert (taken.state, taken.ver, taken.seq) == (again.state, again.ver, again.seq) == (step.state, 2, 5)

    def test_step_over_an_older_version_leaves_the_run_in_hand_as_it_is(self, run: Execution) -> None:
        worker.run_nodes([row(run, "a").pk], fold=Fold.LEAVE)
        taken, stale = take(run), take(run)
        outcomes, rows = store.read_inbox(taken, now=timezone.now())
        step = advance(taken.prepared.graph, taken.state, outcomes, now=timezone.now())
        store.write(taken, step, Changes(), now=timezone.now(), folded=rows)
        before = stale.state, stale.ver, stale.seq

        written = store.write(stale, step, Changes(), now=timezone.now())

        assert (written, (stale.state, stale.ver, stale.seq)) == ((True, None), before)

    def test_what_begins_to_wait_in_the_step_that_fails_the_run_is_withdrawn(
        self, messages: Messages, scripts: dict[str, Script]
    ) -> None:
        """The run did not wait before: nobody would have looked for it."""
        scripts["bad"] = raises(HandlerError("boom"))
        types = {"start": "trigger", "h": "test.ask", "bad": "test.pureScript"}
        failing = begin("start -> h, start -> bad", types=types)

        driver.drive(failing.pk)

        assert (reread(failing).status, row(failing, "h").status) == (RunStatus.FAILED, "cancelled")
        assert failing.waitpoints.get().status == "withdrawn"

    def test_drive_that_goes_well_begins_the_count_of_failures_anew(self, run: Execution) -> None:
        Execution.objects.filter(pk=run.pk).update(drive_failures=2)
        worker.run_nodes([row(run, "a").pk], fold=Fold.DRIVE)

        assert reread(run).drive_failures == 0


class TestMemory:
    """Outputs in hand save reading them; what is let go is read from its row again."""

    def test_few_outputs_are_kept(self, run: Execution) -> None:
        taken = take(run)
        taken.keep("", "a", '"x"')
        taken.keep("", "b", None)

        taken.let_go()

        assert taken.outputs == {("", "a"): '"x"'}

    def test_many_outputs_are_let_go(self, run: Execution) -> None:
        taken = take(run)
        taken.keep("", "a", "x" * 4 * 1024 * 1024)
        taken.keep("", "b", "x")

        taken.let_go()

        assert taken.outputs == {}

    def test_outputs_are_let_go_with_the_write_that_stored_them(
        self, run: Execution, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(store, "_KEPT", 10)
        worker.run_nodes([row(run, "a").pk], fold=Fold.LEAVE)
        taken = take(run)
        outcomes, rows = store.read_inbox(taken, now=timezone.now())
        step = advance(taken.prepared.graph, taken.state, outcomes, now=timezone.now())
        before = dict(taken.outputs)

        store.write(taken, step, Changes(), now=timezone.now(), folded=rows)

        assert (before, taken.outputs) == ({("", "a"): '{"result":null}'}, {})

    def test_run_of_many_wide_outputs_comes_to_the_same(
        self, messages: Messages, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(store, "_KEPT", 10)
        value = {"a": "w" * 30, "b": "{{a.result}}", "c": "{{a.result}}{{b.result}}", "d": "{{c.result}}{{a.result}}"}
        run = begin(
            "start -> a -> b -> c -> d",
            types={"start": "trigger", "b": "test.count", "d": "test.count"},
            nodes={node: {"config": {"value": text}} for node, text in value.items()},
        )

        messages.deliver_all()

        assert reread(run).outputs == {"d": {"result": "w" * 90}}


class TestCancelNodes:
    @pytest.mark.parametrize(
        ("status", "folded", "after"),
        [
            ("ready", False, ("cancelled", True)),
            ("running", False, ("cancelled", True)),
            ("completed", False, ("completed", True)),  # it came in after the last fold: part of the record
            ("completed", True, ("completed", True)),
            ("failed", True, ("failed", True)),
        ],
    )
    def test_what_is_alive_is_called_off_and_the_rest_kept(
        self, run: Execution, status: str, folded: bool, after: tuple[str, bool]
    ) -> None:
        NodeRun.objects.filter(execution=run, node_id="a").update(status=status, folded=folded)

        store.cancel_nodes(run.pk, now=timezone.now())

        a = row(run, "a")
        assert (a.status, a.folded, a.ended_at is not None) == (*after, after[0] == "cancelled")

    def test_nodes_of_other_runs_go_on(self, run: Execution, messages: Messages) -> None:
        other = begin("start -> a, start -> b", default="test.script")
        driver.drive(other.pk)

        store.cancel_nodes(other.pk, now=timezone.now())

        assert [row(run, node).status for node in "ab"] == ["ready", "ready"]


def test_outcome_after_a_cancel_finds_no_row(run: Execution) -> None:
    claimed = hotpath.claim(row(run, "a").pk, owner=lease.id())
    store.cancel_nodes(run.pk, now=timezone.now())
    now = timezone.now()
    late = hotpath.Recorded(
        id=claimed.id, attempt=1, status=NodeStatus.COMPLETED, handled=False, started_at=now, ended_at=now, output="1"
    )

    assert hotpath.record(late, owner=lease.id()) == (False, False)
    assert (outputs(run)["a"], reread(run).status) == (None, RunStatus.RUNNING)
