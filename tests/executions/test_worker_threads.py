"""The baton, the fences and the claims, held by real threads with connections of their own. No sweep helps here."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from random import Random
from typing import Any

import pytest

from executions import driver, hotpath, store, worker
from executions.core import NotCancellable, RunStatus
from executions.dispatch import Fold
from executions.leases import lease
from executions.models import Event, Execution, NodeRun
from executions.services import cancel_execution
from handlers import NodeOutput
from tests.executions.drawings import random_drawing
from tests.executions.runs import begin, numbers, reread, row, statuses
from tests.executions.scripted import Script
from tests.executions.test_worker_orders import effects_that_ran, in_order_of_sending, result
from tests.executions.workers import Workers, in_parallel
from tests.nodes import counted

pytestmark = pytest.mark.django_db(transaction=True)

THREADS = 6


@pytest.fixture
def shaken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every statement of the hot path comes a little late, before or after it was made: all interleavings turn up."""
    chance = Random(7)

    def late(real: Callable[..., Any]) -> Callable[..., Any]:
        def statement(*args: Any, **named: Any) -> Any:
            time.sleep(chance.random() * 0.004)
            answer = real(*args, **named)
            time.sleep(chance.random() * 0.004)
            return answer

        return statement

    for name in ("lock", "inbox", "news", "save", "claim", "record", "record_and_go_on"):
        monkeypatch.setattr(hotpath, name, late(getattr(hotpath, name)))


def assert_run_once(run: Execution) -> None:
    assert reread(run).status == RunStatus.COMPLETED
    assert counted(run.pk) == effects_that_ran(run)
    assert numbers(run) == list(range(1, len(numbers(run)) + 1))
    assert not NodeRun.objects.filter(execution=run, folded=False).exists()


class TestBaton:
    """Who finds the run locked leaves it to the holder, who looks again: no wake-up is lost, so every run ends."""

    @pytest.mark.parametrize("seed", range(10))
    def test_random_plans_end_by_themselves(self, workers: Workers, shaken: None, seed: int) -> None:
        run = begin(**random_drawing(seed, nodes=16, ms=3))

        workers.deliver_by(THREADS, order=Random(seed))

        assert_run_once(run)

    @pytest.mark.parametrize("seed", range(4))
    def test_result_is_that_of_a_single_thread(self, workers: Workers, shaken: None, seed: int) -> None:
        run = begin(**random_drawing(seed))

        workers.deliver_by(THREADS, order=Random(seed))

        assert result(run) == in_order_of_sending(seed)

    @pytest.mark.parametrize("seed", range(5))
    def test_wide_fan_out_whose_branches_go_on_alone(self, workers: Workers, shaken: None, seed: int) -> None:
        """Many early drives of one run at once, and their lines end at the same moment."""
        branches = ", ".join(f"start -> a{place} -> b{place} -> j" for place in range(12))
        run = begin(branches, default="test.count")

        workers.deliver_by(THREADS, order=Random(seed))

        assert_run_once(run)

    @pytest.mark.parametrize("seed", range(5))
    def test_many_runs_at_once(self, workers: Workers, shaken: None, seed: int) -> None:
        runs = [begin(**random_drawing(seed * 10 + place, nodes=8)) for place in range(6)]

        workers.deliver_by(THREADS, order=Random(seed))

        for run in runs:
            assert_run_once(run)

    def test_many_drives_of_a_new_run_start_it_once(self, workers: Workers) -> None:
        run = begin("start -> a -> b", default="test.count")
        workers.lose_all()

        in_parallel([partial(driver.drive, run.pk)] * THREADS)

        assert_run_once(run)


class TestSecondLook:
    """Moments that chance hits once in a thousand runs, put together step by step."""

    # While s is out with x and y, a is what its driver goes on with: it is behind a pure node, and in no segment.
    DRAWING = "start -> s -> p -> a, start -> x -> j, start -> y -> j"
    TYPES = {"start": "trigger", "p": "test.echo"}

    def test_look_is_at_what_the_turn_has_just_seen(
        self, workers: Workers, scripts: dict[str, Script], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Somebody else folded our outcome and another; who then came while we had the lock has left it to us."""
        run = begin(self.DRAWING, default="test.script", types=self.TYPES)
        driver.drive(run.pk)
        nodes = {node: row(run, node).pk for node in ("s", "x", "y")}
        real_save, real_inbox = hotpath.save, store.read_inbox
        ours = iter(["outcome of a"])

        def fold_y_meanwhile(node: Any, lent: Any) -> NodeOutput:
            worker.run_nodes([nodes["y"]], fold=Fold.DRIVE)
            monkeypatch.setattr(hotpath, "save", save_and_be_folded)
            return NodeOutput(data=None)

        def save_and_be_folded(*args: Any, **named: Any) -> Any:
            written = real_save(*args, **named)
            for _ in ours:
                assert written == (True, False)
                driver.drive(run.pk)
                monkeypatch.setattr(store, "read_inbox", read_while_x_ends)
            return written

        def read_while_x_ends(taken: store.Run, **named: Any) -> Any:
            monkeypatch.setattr(store, "read_inbox", real_inbox)
            found = real_inbox(taken, **named)
            in_parallel([partial(worker.run_nodes, [nodes["x"]], fold=Fold.DRIVE)])
            assert (found, row(run, "x").folded) == (([], []), False)
            return found

        scripts["a"] = fold_y_meanwhile
        workers.lose_all()

        worker.run_nodes([nodes["s"]], fold=Fold.DRIVE)

        assert reread(run).status == RunStatus.COMPLETED

    @pytest.mark.parametrize(
        ("drawing", "sent"),
        [
            (DRAWING, {}),  # nothing in hand: it takes the turn itself
            (f"{DRAWING}, a -> b", {"executions.drive": 1}),  # b in hand must not wait: another worker gets it
        ],
    )
    def test_write_of_the_node_in_hand_is_followed_by_a_look(
        self, workers: Workers, monkeypatch: pytest.MonkeyPatch, drawing: str, sent: dict[str, int]
    ) -> None:
        """The write had the lock: who recorded the rest meanwhile found it taken, and left."""
        run = begin(drawing, default="test.script", types=self.TYPES)
        driver.drive(run.pk)
        others = [row(run, "x").pk, row(run, "y").pk]
        real = hotpath.save

        def save_while_others_end(*args: Any, **named: Any) -> Any:
            written = real(*args, **named)
            if named["done"] is not None:
                monkeypatch.setattr(hotpath, "save", real)
                worker.run_nodes(others, fold=Fold.LEAVE)
            return written

        monkeypatch.setattr(hotpath, "save", save_while_others_end)
        workers.lose_all()
        workers.sent.clear()

        worker.run_nodes([row(run, "s").pk], fold=Fold.DRIVE)

        assert workers.names() == sent
        workers.deliver_all()
        assert reread(run).status == RunStatus.COMPLETED

    def test_who_was_fenced_off_looks_for_those_who_left_it_the_baton(
        self, workers: Workers, scripts: dict[str, Script]
    ) -> None:
        """Its write had the lock for a moment, although it wrote nothing."""
        run = begin(self.DRAWING, default="test.script", types=self.TYPES)
        driver.drive(run.pk)

        def lose_the_row(node: Any, lent: Any) -> NodeOutput:
            NodeRun.objects.filter(execution=run, node_id="a").update(attempt=2, status="ready", owner=None)
            worker.run_nodes([row(run, "x").pk, row(run, "y").pk], fold=Fold.LEAVE)
            return NodeOutput(data="late")

        scripts["a"] = lose_the_row
        workers.lose_all()

        worker.run_nodes([row(run, "s").pk], fold=Fold.DRIVE)

        assert statuses(run) == dict.fromkeys(["start", "s", "p", "x", "y", "j"], "completed") | {"a": "ready"}


class TestClaim:
    def test_one_of_many_gets_the_node(self, workers: Workers) -> None:
        run = begin("start -> a, start -> b", default="test.count")
        driver.drive(run.pk)
        a, owner = row(run, "a").pk, lease.id()

        claimed = in_parallel([partial(hotpath.claim, a, owner=owner)] * THREADS)

        assert sorted(claim is not None for claim in claimed) == [False] * (THREADS - 1) + [True]

    def test_message_delivered_to_many_runs_its_node_once(self, workers: Workers) -> None:
        run = begin("start -> a, start -> b", default="test.count", nodes={"a": {"config": {"ms": 20}}})
        driver.drive(run.pk)
        both = [row(run, "a").pk, row(run, "b").pk]

        in_parallel([partial(worker.run_nodes, both, fold=Fold.DRIVE)] * THREADS)

        assert_run_once(run)


class TestCancelRace:
    """Cancelling takes the run's lock like everybody else: whoever is first, there is one end, and it is told once."""

    @pytest.mark.parametrize("after_ms", [0, 2, 4, 8, 12, 20, 30])
    def test_cancel_against_whatever_is_under_way(self, workers: Workers, shaken: None, after_ms: int) -> None:
        branches = "start -> a -> b -> j, start -> c -> d -> j, start -> e -> j"
        run = begin(branches, default="test.count", nodes={"b": {"config": {"ms": 5}}})

        def cancel() -> bool:
            time.sleep(after_ms / 1000)
            try:
                cancel_execution(run.pk)
            except NotCancellable:
                return False
            return True

        [_, is_cancelled] = in_parallel([partial(workers.deliver_by, 3), cancel])

        ends = Event.objects.filter(execution=run, type__startswith="execution:").exclude(type="execution:started")
        wanted = "cancelled" if is_cancelled else "completed"
        assert [reread(run).status, *ends.values_list("type", flat=True)] == [wanted, f"execution:{wanted}"]
        assert set(statuses(run).values()) <= {"completed", "cancelled"}
        assert not NodeRun.objects.filter(execution=run, folded=False).exists()
        assert set(counted(run.pk).values()) <= {1}
        assert numbers(run) == list(range(1, len(numbers(run)) + 1))

    def test_one_of_many_cancels_wins(self, workers: Workers) -> None:
        run = begin("start -> a", default="test.count")

        def cancel() -> bool:
            try:
                cancel_execution(run.pk)
            except NotCancellable:
                return False
            return True

        assert sorted(in_parallel([cancel] * THREADS)) == [False] * (THREADS - 1) + [True]
        assert reread(run).status == RunStatus.CANCELLED
