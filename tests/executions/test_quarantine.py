from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from executions import driver, hotpath, quarantine, signals, worker
from executions.core import NotCancellable, RunStatus
from executions.core.state import FORMAT
from executions.dispatch import Fold
from executions.frames import Frame
from executions.models import Execution, ExecutionState, NodeRun
from executions.services import cancel_execution
from tests.executions.accidents import recover
from tests.executions.runs import begin, numbers, reread, row, statuses, story
from tests.fakes import Messages
from workflows.models import WorkflowVersion

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def run(run: Execution) -> Execution:
    """A run with a and b out whose state was written by a newer release: no drive of ours can read it."""
    set_format(run, 99)
    return run


def set_format(run: Execution, number: int) -> None:
    state = ExecutionState.objects.get(pk=run.pk)
    state.state["format"] = number
    state.save(update_fields=["state"])


class TestNoteFailure:
    def test_first_failures_are_counted_only(self, run: Execution) -> None:
        for _ in range(2):
            driver.drive(run.pk)

        assert (reread(run).status, reread(run).drive_failures) == (RunStatus.RUNNING, 2)
        assert NodeRun.objects.filter(execution=run, status="ready").count() == 2

    def test_third_failure_takes_the_run_out(self, run: Execution) -> None:
        for _ in range(3):
            driver.drive(run.pk)

        over = reread(run)
        assert (over.status, over.error["code"], over.drive_failures) == (RunStatus.FAILED, "internal_error", 3)
        assert over.ended_at is not None
        assert story(run)[-1] == "execution:failed"
        assert numbers(run) == list(range(1, len(numbers(run)) + 1))

    def test_what_it_waits_for_is_withdrawn(self, messages: Messages) -> None:
        waits = begin("start -> h, start -> b", default="test.count", types={"start": "trigger", "h": "test.ask"})
        driver.drive(waits.pk)

        for _ in range(3):
            quarantine.note_failure(waits.pk)

        assert (row(waits, "h").status, waits.waitpoints.get().status) == ("cancelled", "withdrawn")

    def test_state_is_kept_for_operators(self, run: Execution) -> None:
        before = ExecutionState.objects.get(pk=run.pk)

        for _ in range(3):
            driver.drive(run.pk)

        after = ExecutionState.objects.get(pk=run.pk)
        assert (after.state, after.ver, after.seq) == (before.state, before.ver + 1, before.seq + 1)

    def test_what_was_out_is_not_run_any_more(self, run: Execution, messages: Messages) -> None:
        for _ in range(3):
            driver.drive(run.pk)

        messages.deliver_all()

        assert [row(run, node).status for node in "ab"] == ["cancelled", "cancelled"]

    def test_its_end_is_told(self, run: Execution) -> None:
        heard: list[Frame] = []

        def receive(*, frames: Any, **_: Any) -> None:
            heard.extend(frames)

        signals.events_recorded.connect(receive)
        for _ in range(3):
            driver.drive(run.pk)
        signals.events_recorded.disconnect(receive)

        assert [(frame.type, frame.seq) for frame in heard] == [("execution:failed", numbers(run)[-1])]

    def test_run_that_is_over_is_left_alone(self, messages: Messages) -> None:
        run = begin("start -> a")
        messages.deliver_all()

        for _ in range(3):
            quarantine.note_failure(run.pk)

        assert (reread(run).status, reread(run).drive_failures) == (RunStatus.COMPLETED, 0)

    def test_failures_count_only_one_after_the_other(self, run: Execution, messages: Messages) -> None:
        """A drive in between that goes well begins the count anew."""
        for _ in range(2):
            driver.drive(run.pk)
        set_format(run, FORMAT)

        messages.deliver_all()

        assert (reread(run).status, reread(run).drive_failures) == (RunStatus.COMPLETED, 0)


def test_quarantined_run_is_over(run: Execution) -> None:
    for _ in range(3):
        driver.drive(run.pk)
    before = ExecutionState.objects.get(pk=run.pk).ver

    driver.drive(run.pk)
    with pytest.raises(NotCancellable):
        cancel_execution(run.pk)

    assert ExecutionState.objects.get(pk=run.pk).ver == before
    assert set(statuses_by_row(run)) == {"completed", "cancelled"}


def statuses_by_row(run: Execution) -> list[str]:
    return list(NodeRun.objects.filter(execution=run).values_list("status", flat=True))


def test_run_whose_plan_cannot_be_read_ends_by_the_sweep(messages: Messages) -> None:
    """It never had a drive that went well, so it has no state either."""
    run = begin("start -> a")
    WorkflowVersion.objects.filter(pk=run.version_id).update(plan={"format": 99})
    worker.prepared.cache_clear()

    recover(messages, run)

    assert (reread(run).status, reread(run).error["code"]) == (RunStatus.FAILED, "internal_error")


def raising(times: int, real: Callable[..., Any]) -> Callable[..., Any]:
    left = iter(range(times))

    def function(*args: Any, **named: Any) -> Any:
        for _ in left:
            raise KeyError("a bug")
        return real(*args, **named)

    return function


class TestMessageThatRaises:
    """What a message makes its worker raise is counted like a drive, and keeps nobody else from running."""

    def test_rest_of_the_message_is_run(self, messages: Messages, monkeypatch: pytest.MonkeyPatch) -> None:
        run = begin("start -> a -> j, start -> b -> j, start -> c -> j", default="test.cheap")
        messages.deliver(messages.waiting.pop(0))
        monkeypatch.setattr(hotpath, "record", raising(1, hotpath.record))

        messages.deliver(messages.waiting.pop(0))

        assert statuses(run) == {
            "start": "completed",
            "a": "running",
            "b": "completed",
            "c": "completed",
            "j": "pending",
        }

    def test_chord_has_its_body(self, messages: Messages, monkeypatch: pytest.MonkeyPatch) -> None:
        run = begin("start -> a -> j, start -> b -> j", default="test.count")
        messages.deliver(messages.waiting.pop(0))
        monkeypatch.setattr(hotpath, "record", raising(1, hotpath.record))

        messages.deliver_all()

        assert story(run)[-1] == "completed b"

    def test_run_that_always_raises_is_quarantined(self, messages: Messages, monkeypatch: pytest.MonkeyPatch) -> None:
        """A crash loop is bounded."""
        run = begin("start -> a, start -> b", default="test.count")
        messages.deliver(messages.waiting.pop(0))
        monkeypatch.setattr(hotpath, "record", raising(3, hotpath.record))

        for _ in range(3):
            NodeRun.objects.filter(execution=run, node_id="a").update(status="ready")
            worker.run_nodes([row(run, "a").pk], fold=Fold.DRIVE)

        assert (reread(run).status, reread(run).error["code"]) == (RunStatus.FAILED, "internal_error")
