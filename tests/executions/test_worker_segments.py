"""Lines of effects beside each other: a message each, however long they are."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from executions import driver, hotpath, worker
from executions.core import NotCancellable, RunStatus
from executions.dispatch import Fold
from executions.drain import drain
from executions.models import Execution, ExecutionState, NodeRun
from executions.services import cancel_execution
from handlers import NodeOutput
from tests.executions.accidents import process_dies, recover
from tests.executions.runs import begin, numbers, reread, row, saves, statuses, story
from tests.executions.scripted import Killed, Script, raises
from tests.executions.workers import Workers, in_parallel
from tests.fakes import Messages
from tests.nodes import counted

pytestmark = pytest.mark.django_db(transaction=True)

BESIDE = "start -> a -> b -> c -> j, start -> x -> y -> j"


def begun(messages: Messages, drawing: str = BESIDE, **more: Any) -> Execution:
    """A run whose first nodes wait for workers."""
    run = begin(drawing, **{"default": "test.count", **more})
    messages.deliver(messages.waiting.pop(0))
    messages.lose_all()
    return run


def run_segment(run: Execution, node: str, *, fold: Fold = Fold.LEAVE) -> None:
    worker.run_nodes([row(run, node).pk], fold=fold)


def test_lines_are_a_message_each_and_the_chord_folds_them(messages: Messages, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("executions.hotpath.visits.FOLD_EVERY", timedelta(hours=1))  # nobody watches
    run = begin(BESIDE, default="test.count")

    messages.deliver_all()

    assert reread(run).status == RunStatus.COMPLETED
    assert messages.names() == {"executions.drive": 2, "executions.run_nodes": 2}
    assert saves(run) == 3
    assert counted(run.pk) == dict.fromkeys("abcxyj", 1)
    assert numbers(run) == list(range(1, len(numbers(run)) + 1))


def test_branches_of_a_parallel_are_a_message_each(messages: Messages) -> None:
    nodes = {"par": {"config": {"count": 5}}}
    run = begin("start -> par -> z, par:body -> a -> b", default="test.count", nodes=nodes)

    messages.deliver_all()

    assert reread(run).status == RunStatus.COMPLETED
    assert messages.names() == {"executions.drive": 2, "executions.run_nodes": 5}
    assert counted(run.pk) == {"a": 5, "b": 5, "z": 1}


def test_what_was_gone_on_with_is_in_the_inbox_until_somebody_folds(messages: Messages) -> None:
    run = begun(messages)

    run_segment(run, "a")

    assert [(row(run, node).status, row(run, node).folded) for node in "abc"] == [("completed", False)] * 3
    assert [row(run, node).continued for node in "abc"] == ["b", "c", None]
    driver.drive(run.pk)
    assert story(run)[-6:] == [f"{what} {node}" for node in "abc" for what in ("started", "completed")]
    assert statuses(run)["j"] == "pending"


def test_last_of_those_that_look_drives(messages: Messages) -> None:
    run = begun(messages)

    run_segment(run, "x", fold=Fold.LOOK)
    assert not row(run, "x").folded
    run_segment(run, "a", fold=Fold.LOOK)

    assert reread(run).status == RunStatus.COMPLETED


def test_failure_before_its_end_is_followed_at_once(messages: Messages, scripts: dict[str, Script]) -> None:
    """What was left to the chord is the end that the plan has it come to, and no other."""
    scripts["b"] = raises(ValueError("no"))
    run = begun(messages, types={"start": "trigger", "b": "test.script"}, settings={"onFailure": "stop"})

    run_segment(run, "a", fold=Fold.LEAVE)

    assert (row(run, "b").folded, statuses(run)["c"]) == (True, "pending")


class TestGivingWay:
    def test_draining_worker_starts_nothing(self, messages: Messages, scripts: dict[str, Script]) -> None:
        scripts["a"] = lambda node, lent: drain.begin() or NodeOutput(data={})
        run = begun(messages, types={"start": "trigger", "a": "test.script"})

        run_segment(run, "a")

        assert (statuses(run)["b"], row(run, "a").continued) == ("ready", None)

    def test_line_gives_way_after_its_time(self, messages: Messages, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(worker, "IN_LINE_FOR", -1)
        run = begun(messages)

        run_segment(run, "a")

        assert (statuses(run)["b"], row(run, "a").continued) == ("ready", None)

    def test_run_in_which_something_failed_starts_nothing(self, messages: Messages, scripts: dict[str, Script]) -> None:
        scripts["x"] = raises("no")
        run = begun(messages, types={"start": "trigger", "x": "test.script"})
        run_segment(run, "x", fold=Fold.DRIVE)

        run_segment(run, "a")

        assert (reread(run).status, counted(run.pk)) == (RunStatus.FAILED, {"a": 1})

    @pytest.mark.parametrize("capped", [False, True])
    def test_those_that_wait_for_a_place_come_first(self, messages: Messages, capped: bool) -> None:
        settings = {"maxConcurrentNodes": 2 if capped else 3}
        run = begun(messages, f"{BESIDE}, start -> z -> j", settings=settings)

        assert ExecutionState.objects.get(pk=run.pk).lets_go_on is not capped

    def test_run_that_was_cancelled_meanwhile_starts_nothing(
        self, messages: Messages, scripts: dict[str, Script]
    ) -> None:
        scripts["a"] = lambda node, lent: cancel_execution(node.execution_id) or NodeOutput(data="late")
        run = begun(messages, types={"start": "trigger", "a": "test.script"})

        run_segment(run, "a")

        assert (statuses(run)["a"], counted(run.pk)) == ("cancelled", {})
        assert not NodeRun.objects.filter(execution=run, node_id="b").exists()

    def test_who_watches_sees_it_move(self, messages: Messages, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("executions.hotpath.visits.FOLD_EVERY", -hotpath.FOLD_EVERY)
        run = begun(messages)
        seen: list[list[str]] = []
        look = worker.look

        def look_and_tell(execution_id: Any) -> None:
            look(execution_id)
            seen.append(story(run)[-1:])

        monkeypatch.setattr(worker, "look", look_and_tell)

        run_segment(run, "a")

        assert seen == [["completed a"], ["completed b"]]


class TestLostWorker:
    def test_node_that_it_went_on_with_is_sent_again(self, messages: Messages, scripts: dict[str, Script]) -> None:
        scripts["b"] = raises(Killed())
        run = begun(messages, types={"start": "trigger", "b": "test.script"})
        with pytest.raises(Killed):
            run_segment(run, "a")
        assert (row(run, "b").status, row(run, "a").folded) == ("running", False)
        process_dies()
        scripts["b"] = lambda node, lent: NodeOutput(data={})

        recover(messages, run)

        assert reread(run).status == RunStatus.COMPLETED
        assert (row(run, "a").attempt, row(run, "b").attempt, row(run, "b").lost) == (1, 2, 1)
        assert counted(run.pk) == dict.fromkeys("acxyj", 1)


@pytest.mark.parametrize("after", range(0, 20, 2))
def test_cancel_against_going_on_leaves_nothing_open(workers: Workers, after: int) -> None:
    lines = ", ".join(f"start -> a{place} -> b{place} -> c{place} -> j" for place in range(6))
    run = begin(lines, default="test.count")

    def cancel() -> None:
        while NodeRun.objects.filter(execution=run).count() < after:
            if reread(run).ended_at is not None:
                return
        with suppress(NotCancellable):
            cancel_execution(run.pk)

    in_parallel([partial(workers.deliver_by, 4), cancel])

    assert reread(run).status in {RunStatus.CANCELLED, RunStatus.COMPLETED}
    assert not NodeRun.objects.filter(execution=run, folded=False).exists()
    assert numbers(run) == list(range(1, len(numbers(run)) + 1))
