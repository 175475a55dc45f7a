"""Loops and parallels on the real engine: what they cost, and that time changes nothing."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from functools import partial
from random import Random
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from executions import decide, driver, store, worker
from executions.core import RunStatus
from executions.dispatch import Fold
from executions.models import Execution, Frame, NodeRun
from executions.services import cancel_execution
from handlers import HandlerError, NodeOutput
from tests.executions.accidents import process_dies, recover
from tests.executions.runs import begin, numbers, outputs, publish, reread, row, saves, statuses, story, visit, visited
from tests.executions.scripted import Script, raises
from tests.executions.workers import Workers, in_parallel
from tests.fakes import Messages
from tests.nodes import counted

pytestmark = pytest.mark.django_db(transaction=True)

NESTED = "start -> loop -> z, loop:body -> a -> par -> c, par:body -> b -> d"
SEEDS = range(5)


def names(messages: Messages) -> dict[str, int]:
    """How many messages of each kind were sent: `drive` and `run`."""
    return {name.removeprefix("executions.").removesuffix("_nodes"): sent for name, sent in messages.names().items()}


def counting(count: int, *, container: str = "loop", **config: Any) -> dict[str, Any]:
    return {container: {"config": {"count": count, **config}}}


class TestLoop:
    def test_loop_of_effects_runs_in_line(self, messages: Messages) -> None:
        """A commit for each, and no message: an iteration is a straight line like any other."""
        run = begin("start -> loop -> z, loop:body -> a -> b", default="test.count", nodes=counting(4))

        messages.deliver_all()

        assert reread(run).status == RunStatus.COMPLETED
        assert (names(messages), saves(run)) == ({"drive": 1}, 4 * 2 + 1 + 1)
        assert counted(run.pk) == {"a": 4, "b": 4, "z": 1}

    def test_loop_of_pure_nodes_is_one_commit(self, messages: Messages) -> None:
        run = begin("start -> loop -> z, loop:body -> a -> b", nodes=counting(50))

        messages.deliver_all()

        assert (names(messages), saves(run), reread(run).status) == ({"drive": 1}, 1, RunStatus.COMPLETED)
        assert row(run, "loop").output["iterations"] == 50

    def test_long_loop_of_pure_nodes_gives_others_a_turn(
        self, messages: Messages, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The lock is held during a burst: a cancel waits for it."""
        monkeypatch.setattr(decide, "BURST_FOR", -1)
        run = begin("start -> loop -> z, loop:body -> a", nodes=counting(5))

        messages.deliver_all()

        assert (saves(run), reread(run).status) == (8, RunStatus.COMPLETED)
        assert visit(run, "loop").output["results"] == [{"a": {"result": "a"}}] * 5

    def test_iterations_tell_their_story(self, messages: Messages) -> None:
        run = begin("start -> loop, loop:body -> a", default="test.count")

        messages.deliver_all()

        assert story(run)[3:] == [
            "started loop",
            *["started a", "completed a", "progress loop"] * 2,
            "completed loop",
            "execution:completed",
        ]
        assert numbers(run) == list(range(1, len(story(run)) + 1))

    def test_variables_add_up(self, messages: Messages) -> None:
        """The next iteration reads what this one wrote."""
        nodes = {
            "loop": {"config": {"count": 3}},
            "set": {"config": {"name": "total", "increment": 2}},
            "a": {"config": {"value": "{{var.total}}"}},
        }
        run = begin("start -> loop, loop:body -> set -> a", nodes=nodes, variables={"total": 1})

        messages.deliver_all()

        assert [result["a"]["result"] for result in row(run, "loop").output["results"]] == [3, 5, 7]

    def test_items_are_stored_only_where_they_are_read(self, messages: Messages) -> None:
        loop = {"loop": {"config": {"loopType": "forEach", "arrayPath": "{{start.rows}}"}}}
        inputs = {"rows": [*range(150)]}
        reads = begin(
            "start -> loop, loop:body -> a", nodes={**loop, "a": {"config": {"value": "{{loop.item}}"}}}, inputs=inputs
        )
        does_not = begin("start -> loop, loop:body -> a", nodes=loop, inputs=inputs)

        messages.deliver_all()

        assert [Frame.objects.filter(execution=run).count() for run in (reads, does_not)] == [2, 0]
        assert [result["a"]["result"] for result in row(reads, "loop").output["results"]] == [*range(150)]


class TestParallel:
    def test_branches_are_a_wave(self, messages: Messages) -> None:
        run = begin("start -> par -> z, par:body -> a", default="test.count", nodes=counting(5, container="par"))

        messages.deliver_all()

        assert reread(run).status == RunStatus.COMPLETED
        assert (names(messages), counted(run.pk)) == ({"drive": 2, "run": 5}, {"a": 5, "z": 1})

    def test_next_branch_is_opened_by_who_has_ended_one(self, messages: Messages) -> None:
        """Two are sent; each goes on in line with another."""
        nodes = counting(6, container="par", maxConcurrency=2)
        run = begin("start -> par, par:body -> a", default="test.count", nodes=nodes)

        messages.deliver_all()

        assert (names(messages)["run"], counted(run.pk)) == (2, {"a": 6})
        assert reread(run).status == RunStatus.COMPLETED

    @pytest.mark.parametrize("twice", [False, True])
    @pytest.mark.parametrize("seed", SEEDS)
    def test_order_and_repetition_of_messages_change_nothing(
        self, messages: Messages, settings: Settings, seed: int, twice: bool
    ) -> None:
        if seed % 2:
            settings.FLOWMAESTRO_LANES = ["drive"]
        nodes = {
            **counting(6, container="par", maxConcurrency=seed + 1),
            "a": {"config": {"value": "a{{parallel.index}}"}},
            "b": {"config": {"value": "{{a.result}}!"}},
        }
        settings_ = {"settings": {"maxConcurrentNodes": 4}}
        run = begin("start -> par -> z, par:body -> a -> b", default="test.count", nodes=nodes, **settings_)

        messages.deliver_all(order=Random(seed), twice=twice)

        results = [{"a": {"result": f"a{index}"}, "b": {"result": f"a{index}!"}} for index in range(6)]
        assert row(run, "par").output == {"branches": 6, "results": results}
        assert (counted(run.pk), reread(run).status) == ({"a": 6, "b": 6, "z": 1}, RunStatus.COMPLETED)
        assert numbers(run) == list(range(1, len(numbers(run)) + 1))

    def test_increments_of_branches_add_up(self, messages: Messages) -> None:
        nodes = {
            **counting(5, container="par"),
            "set": {"config": {"name": "total", "increment": "{{parallel.index}}"}},
            "z": {"config": {"value": "{{var.total}}"}},
        }
        types = {"start": "trigger", "a": "test.count"}
        run = begin(
            "start -> par -> z, par:body -> a -> set", types=types | kinds(), nodes=nodes, variables={"total": 1}
        )

        messages.deliver_all(order=Random(3))

        assert outputs(run)["z"] == {"result": 11}

    def test_fast_branch_does_not_wait_for_its_slow_sibling(
        self, messages: Messages, scripts: dict[str, Script]
    ) -> None:
        seen: list[list[str]] = []

        def look(node: Any, lent: Any) -> NodeOutput:
            seen.append([name for name, status in visited(run).items() if status == "ready"])
            return NodeOutput(data=1)

        scripts["b"] = look
        run = begin("start -> par, par:body -> a -> b", default="test.script", nodes=counting(2, container="par"))
        messages.deliver(messages.waiting.pop(0))

        messages.deliver(messages.waiting.pop(0))

        assert seen == [["par[1]/a"]]

    def test_failed_branch_stops_what_was_sent(self, messages: Messages, scripts: dict[str, Script]) -> None:
        """A branch that nobody has opened is not; one that was sent runs to its end, and no further."""
        scripts["a"] = lambda node, lent: (
            raises(HandlerError("no"))(node, lent) if node.scope == "par[0]" else NodeOutput(data=1)
        )
        nodes = counting(4, container="par", maxConcurrency=2)
        run = begin("start -> par, par:error -> h, par:body -> a -> b", default="test.script", nodes=nodes)

        messages.deliver_all()

        assert visited(run) == {
            "start": "completed",
            "par": "failed",
            "par[0]/a": "failed",
            "par[1]/a": "completed",
            "h": "completed",
        }
        assert (row(run, "par").handled, reread(run).status) == (True, RunStatus.COMPLETED)


def kinds() -> dict[str, str]:
    return {"par": "parallel", "set": "setVariable", "z": "test.echo"}


class TestNested:
    RESULT = {
        "a": {"result": "a"},
        "par": {"branches": 3, "results": [{"b": {"result": "b"}, "d": {"result": "d"}}] * 3},
        "c": {"result": "c"},
    }

    def check(self, run: Execution) -> None:
        assert reread(run).status == RunStatus.COMPLETED
        assert row(run, "loop").output["results"] == [self.RESULT] * 2
        assert counted(run.pk) == {"a": 2, "b": 6, "d": 6, "c": 2, "z": 1}
        assert Counter(visited(run).values()) == {"completed": 2 + 1 + 2 * (3 + 6)}
        assert numbers(run) == list(range(1, len(numbers(run)) + 1))

    @pytest.mark.parametrize("twice", [False, True])
    @pytest.mark.parametrize("seed", SEEDS)
    def test_every_order_comes_to_the_same(
        self, messages: Messages, settings: Settings, seed: int, twice: bool
    ) -> None:
        if seed % 2:
            settings.FLOWMAESTRO_LANES = ["drive"]
        more = {"settings": {"maxConcurrentNodes": 1 + seed}}
        run = begin(NESTED, default="test.count", nodes=counting(3, container="par"), **more)

        messages.deliver_all(order=Random(seed), twice=twice)

        self.check(run)

    @pytest.mark.parametrize("seed", range(3))
    def test_threads_come_to_the_same(self, workers: Workers, seed: int) -> None:
        run = begin(NESTED, default="test.cheap", nodes=counting(3, container="par"))

        workers.deliver_by(4, order=Random(seed))

        self.check(run)

    def test_every_message_may_be_lost(self, messages: Messages) -> None:
        run = begin(NESTED, default="test.count", nodes=counting(3, container="par"))
        messages.lose_all()

        recover(messages, run)

        self.check(run)

    def test_rows_that_run_by_themselves_end_with_the_run(self, messages: Messages, scripts: dict[str, Script]) -> None:
        run = begin(NESTED, default="test.script", nodes=counting(3, container="par"))
        driver.drive(run.pk)

        cancel_execution(run.pk)

        assert set(visited(run).values()) == {"completed", "cancelled"}
        assert not NodeRun.objects.filter(execution=run, folded=False).exists()
        assert statuses(run)["loop"] == statuses(run)["par"] == "cancelled"


class TestSecondLook:
    def test_branches_that_ended_after_we_looked_are_folded(
        self, workers: Workers, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Who recorded them found the run locked, and left them to us. An iteration may be over with them."""
        run = begin("start -> par -> z, par:body -> a", default="test.count", nodes=counting(3, container="par"))
        driver.drive(run.pk)
        first, *others = [visit(run, f"par[{index}]/a").pk for index in range(3)]
        real = store.read_inbox

        def read_while_others_end(*args: Any, **named: Any) -> Any:
            monkeypatch.setattr(store, "read_inbox", real)
            found = real(*args, **named)
            in_parallel([partial(worker.run_nodes, others, fold=Fold.DRIVE)])
            assert visit(run, "par[2]/a").folded is False
            return found

        monkeypatch.setattr(store, "read_inbox", read_while_others_end)

        worker.run_nodes([first], fold=Fold.DRIVE)

        assert reread(run).status == RunStatus.COMPLETED


class TestDeadline:
    def test_run_that_is_late_within_a_turn_hands_nothing_out(
        self, messages: Messages, scripts: dict[str, Script], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Its end is the last that is told, and no effect runs after it."""

        class Clock(datetime):
            late = timedelta()

            @classmethod
            def now(cls, tz: Any = None) -> datetime:
                return datetime.now(tz) + cls.late

        def take_an_hour(node: Any, lent: Any) -> NodeOutput:
            Clock.late = timedelta(hours=1)
            return NodeOutput(data=1)

        monkeypatch.setattr(decide, "datetime", Clock)
        scripts["p"] = take_an_hour
        types = {"start": "trigger", "p": "test.pureScript", "loop": "loop", "a": "test.count", "e": "test.count"}
        types["sub"] = "subWorkflow"
        drawing = "start -> loop, loop:body -> a, start -> e, start -> sub, start -> p"
        child = publish("start")
        run = begin(
            drawing,
            types=types,
            nodes={"sub": {"config": {"workflow": str(child.workflow_id)}}},
            workspace=child.workflow.workspace,
            settings={"timeout": 60_000},
        )

        messages.deliver_all()

        assert (reread(run).status, reread(run).error["code"]) == (RunStatus.FAILED, "timeout")
        assert (counted(run.pk), story(run)[-1], reread(run).drive_failures) == ({}, "execution:failed", 0)
        assert not NodeRun.objects.filter(execution=run, status__in=["ready", "running"]).exists()
        assert list(Execution.objects.all()) == [run]


def test_killed_worker_in_a_body_costs_an_attempt_and_no_iteration(
    messages: Messages, scripts: dict[str, Script], settings: Settings
) -> None:
    settings.FLOWMAESTRO_LANES = ["drive"]
    run = begin("start -> loop -> z, loop:body -> a", default="test.script")
    messages.deliver(messages.waiting.pop(0))
    messages.lose_all()
    NodeRun.objects.filter(execution=run, node_id="a").update(status="running", owner=process_dies())

    recover(messages, run)

    assert [visit(run, f"loop[{index}]/a").attempt for index in range(2)] == [2, 1]
    assert reread(run).status == RunStatus.COMPLETED
