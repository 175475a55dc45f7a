"""Another attempt, from the failure of one to the outcome of the next, on whatever way a node comes to run."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from executions import driver, worker
from executions.alarm import alarm
from executions.core import RunStatus
from executions.dispatch import Fold
from executions.models import Execution, NodeRun
from executions.services import cancel_execution
from executions.sweep import Sweeper
from handlers import HandlerError, NodeOutput
from tests.executions.accidents import fall_due, make_late, process_dies, recover
from tests.executions.runs import begin, numbers, outputs, reread, row, statuses, story, visit, visited
from tests.executions.scripted import Script, answers, in_turn, raises
from tests.fakes import Messages

pytestmark = pytest.mark.django_db(transaction=True)

NOT_YET = raises(HandlerError("not yet", code="busy", retryable=True, details={"queue": 7}))
RETRY = {"retry": {"attempts": 3}}


def retried(way: str, drawing: str = "start -> a -> b", **more: Any) -> Execution:
    """A run whose node a comes to run that *way*, and is worth three attempts."""
    nodes = {**more.pop("nodes", {}), "a": RETRY}
    return begin(drawing, types={"start": "trigger", "a": way, "p": "test.pureScript"}, nodes=nodes, **more)


class TestOneAttemptAfterTheOther:
    def test_node_waits_without_a_worker(self, messages: Messages, scripts: dict[str, Script], way: str) -> None:
        scripts["a"] = NOT_YET
        run = retried(way)
        before = datetime.now(UTC)

        messages.deliver_all()

        a = row(run, "a")
        assert (a.status, a.attempt, a.owner, a.folded) == ("ready", 2, None, False)
        assert before <= a.due_at - timedelta(hours=1) <= datetime.now(UTC) + timedelta(seconds=1)
        assert (a.error["code"], a.error["attempts"], a.error["details"]) == ("busy", 1, {"queue": 7})
        assert (statuses(run)["a"], reread(run).status) == ("ready", RunStatus.RUNNING)

    def test_run_that_is_looked_at_too_early_goes_on_waiting(
        self, messages: Messages, scripts: dict[str, Script], way: str
    ) -> None:
        scripts["a"] = NOT_YET
        run = retried(way)
        messages.deliver_all()
        NodeRun.objects.filter(execution=run, node_id="a").update(due_at=datetime.now(UTC) + timedelta(days=1))
        before = story(run)

        driver.drive(run.pk)
        messages.deliver_all()

        assert (story(run), row(run, "a").attempt) == (before, 2)

    def test_second_attempt_is_the_nodes_outcome(
        self, messages: Messages, scripts: dict[str, Script], way: str
    ) -> None:
        scripts["a"] = in_turn(NOT_YET, answers("done"))
        run = retried(way)

        messages.deliver_all()
        fall_due(messages, run)

        a = row(run, "a")
        assert (a.status, a.attempt, a.output, a.error, a.due_at) == ("completed", 2, "done", None, None)
        assert statuses(run) == {"start": "completed", "a": "completed", "b": "completed"}
        assert story(run)[3:-3] == ["started a", "retrying a", "started a", "completed a"]
        assert numbers(run) == list(range(1, len(numbers(run)) + 1))

    def test_history_has_every_attempt_before(self, messages: Messages, scripts: dict[str, Script], way: str) -> None:
        scripts["a"] = in_turn(NOT_YET, raises(HandlerError("still not", retryable=True)), answers("done"))
        run = retried(way)

        messages.deliver_all()
        fall_due(messages, run)
        fall_due(messages, run)

        history = row(run, "a").history
        assert [(past["attempt"], past["error"]["message"]) for past in history] == [(1, "not yet"), (2, "still not")]
        assert all(past["started_at"] <= past["ended_at"] for past in history)
        assert row(run, "a").output == "done"

    def test_last_attempt_fails_the_node(self, messages: Messages, scripts: dict[str, Script], way: str) -> None:
        scripts["a"] = NOT_YET
        run = retried(way, "start -> a -> b, a:error -> h", nodes={"h": {"config": {"value": "{{a.error.attempts}}"}}})

        messages.deliver_all()
        fall_due(messages, run)
        fall_due(messages, run)

        assert outputs(run)["h"] == {"result": 3}
        assert (row(run, "a").attempt, len(row(run, "a").history)) == (3, 2)
        assert story(run).count("retrying a") == 2
        assert reread(run).status == RunStatus.COMPLETED

    def test_every_attempt_has_the_same_idempotency_key(
        self, messages: Messages, scripts: dict[str, Script], way: str
    ) -> None:
        told: list[Any] = []

        def script(node: Any, lent: Any) -> NodeOutput:
            told.append((node.attempt, node.idempotency_key))
            return in_turn(NOT_YET, NOT_YET, answers(1))(node, lent)

        scripts["a"] = script
        run = retried(way)

        messages.deliver_all()
        fall_due(messages, run)
        fall_due(messages, run)

        assert told == [(number, f"{run.pk}:a:") for number in (1, 2, 3)]

    def test_attempt_in_a_body_belongs_to_its_iteration(
        self, messages: Messages, scripts: dict[str, Script], way: str
    ) -> None:
        """The next iteration begins with a first attempt."""
        scripts["a"] = in_turn(NOT_YET, answers("done"))
        run = retried(way, "start -> loop -> z, loop:body -> a")

        messages.deliver_all()
        assert visited(run) == {"start": "completed", "loop": "running", "loop[0]/a": "ready"}
        fall_due(messages, run)
        assert visit(run, "loop[1]/a").attempt == 2
        fall_due(messages, run)

        assert visit(run, "loop").output["results"] == [{"a": "done"}, {"a": "done"}]
        assert reread(run).status == RunStatus.COMPLETED


class TestAlarm:
    @pytest.fixture
    def moments(self, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
        asked: list[Any] = []
        monkeypatch.setattr(alarm, "at", lambda moment, execution_id: asked.append((moment, execution_id)))
        return asked

    def test_moment_of_the_next_attempt_is_asked_for(
        self, messages: Messages, scripts: dict[str, Script], way: str, moments: list[Any]
    ) -> None:
        scripts["a"] = NOT_YET
        run = retried(way)

        messages.deliver_all()

        assert moments == [(row(run, "a").due_at, run.pk)]

    def test_deadline_of_the_run_is_asked_for(self, messages: Messages, moments: list[Any]) -> None:
        run = begin("start -> a, start -> b", default="test.script", settings={"timeout": 5_000})

        driver.drive(run.pk)

        assert moments == [(reread(run).started_at + timedelta(seconds=5), run.pk)]
        assert reread(run).deadline_at == moments[0][0]


class TestStopped:
    """A node between two attempts gets no further one when its scope is stopped, and its row does not stay ready."""

    def test_by_a_failure_beside_it(self, messages: Messages, scripts: dict[str, Script], way: str) -> None:
        scripts |= {"a": NOT_YET, "p": raises(HandlerError("no luck"))}
        run = retried(way, "start -> a, start -> p")

        messages.deliver_all()

        a = row(run, "a")
        assert (reread(run).status, reread(run).error["node_id"]) == (RunStatus.FAILED, "p")
        assert (a.status, a.folded) == ("cancelled", True)

    def test_in_a_body_whose_container_goes_on(self, messages: Messages, scripts: dict[str, Script], way: str) -> None:
        """Also when the failure came in the very turn in which the node was taken in hand."""
        scripts |= {"a": NOT_YET, "p": raises(HandlerError("no luck"))}
        drawing = "start -> loop, loop:error -> h, loop:body -> a, loop:body -> p"
        seen: list[NodeRun] = []
        scripts["h"] = lambda node, lent: seen.append(visit(run, "loop[0]/a")) or NodeOutput(data=1)
        run = begin(
            drawing,
            types={"start": "trigger", "loop": "loop", "a": way, "p": "test.pureScript", "h": "test.script"},
            nodes={"a": RETRY},
        )

        messages.deliver_all()

        [a] = seen
        assert (a.status, a.folded, a.due_at) == ("cancelled", True, None)
        assert a.error["code"] == "busy"
        assert reread(run).status == RunStatus.COMPLETED

    def test_by_a_cancel(self, messages: Messages, scripts: dict[str, Script], way: str) -> None:
        scripts["a"] = NOT_YET
        run = retried(way)
        messages.deliver_all()

        cancel_execution(run.pk)
        fall_due(messages, run)

        assert (row(run, "a").status, reread(run).status) == ("cancelled", RunStatus.CANCELLED)
        assert row(run, "a").folded

    def test_by_the_deadline(self, messages: Messages, scripts: dict[str, Script], way: str) -> None:
        scripts["a"] = NOT_YET
        run = retried(way, settings={"timeout": 60_000})
        messages.deliver_all()
        make_late(run)

        driver.drive(run.pk)

        assert (row(run, "a").status, reread(run).error["code"]) == ("cancelled", "timeout")


class TestCap:
    def test_attempt_that_is_due_waits_for_a_place(
        self, messages: Messages, scripts: dict[str, Script], settings: Settings
    ) -> None:
        """Its place was given to b meanwhile."""
        settings.FLOWMAESTRO_LANES = ["drive"]
        scripts["a"] = in_turn(NOT_YET, answers("done"))
        run = begin("start -> a, start -> b", default="test.script", settings={"maxConcurrentNodes": 1})
        driver.drive(run.pk)
        worker.run_nodes([row(run, "a").pk], fold=Fold.DRIVE)
        messages.lose_all()
        NodeRun.objects.filter(execution=run, node_id="a").update(due_at=datetime.now(UTC))

        driver.drive(run.pk)
        assert (row(run, "a").due_at is None, row(run, "b").status, messages.waiting) == (False, "ready", [])
        worker.run_nodes([row(run, "b").pk], fold=Fold.DRIVE)
        messages.deliver_all()

        assert (row(run, "a").output, reread(run).status) == ("done", RunStatus.COMPLETED)


class TestLost:
    def test_lost_worker_does_not_count_as_a_try(
        self, messages: Messages, scripts: dict[str, Script], settings: Settings
    ) -> None:
        """Three tries are three answers of the other side."""
        settings.FLOWMAESTRO_LANES = ["drive"]
        scripts["a"] = NOT_YET
        run = retried("test.script")
        messages.deliver(messages.waiting.pop(0))
        NodeRun.objects.filter(execution=run, node_id="a").update(status="running", owner=process_dies())

        Sweeper().sweep()
        messages.deliver_all()
        assert (row(run, "a").attempt, row(run, "a").lost) == (3, 1)
        fall_due(messages, run)
        assert row(run, "a").status == "ready"
        fall_due(messages, run)

        assert (row(run, "a").status, row(run, "a").attempt, row(run, "a").lost) == ("failed", 4, 1)
        assert [past["attempt"] for past in row(run, "a").history] == [2, 3]

    def test_worker_lost_during_the_second_attempt_keeps_the_history(
        self, messages: Messages, scripts: dict[str, Script], settings: Settings
    ) -> None:
        settings.FLOWMAESTRO_LANES = ["drive"]
        scripts["a"] = in_turn(NOT_YET, answers("never"), answers("done"))
        run = retried("test.script")
        messages.deliver_all()
        NodeRun.objects.filter(execution=run, node_id="a").update(due_at=datetime.now(UTC))
        driver.drive(run.pk)
        messages.lose_all()
        NodeRun.objects.filter(execution=run, node_id="a").update(status="running", owner=process_dies())

        recover(messages, run)

        a = row(run, "a")
        assert (a.output, a.attempt, a.lost, [past["attempt"] for past in a.history]) == ("done", 3, 1, [1])

    def test_alarm_that_is_gone_is_the_sweeps(self, messages: Messages, scripts: dict[str, Script], way: str) -> None:
        scripts["a"] = in_turn(NOT_YET, answers("done"))
        run = retried(way)
        messages.deliver_all()

        recover(messages, run)

        assert row(run, "a").output == "done"
