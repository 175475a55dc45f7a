from __future__ import annotations

import threading
from datetime import timedelta
from functools import partial
from itertools import count
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from executions import driver, hotpath, plans, sweep
from executions.core import RunStatus
from executions.leases import lease
from executions.models import Execution, NodeRun, WorkerLease
from executions.sweep import Sweeper, recover_lost_nodes, send_unsent
from handlers import NodeOutput
from tests.executions.accidents import KillAt, lease_runs_out, let_time_pass, process_dies, recover
from tests.executions.runs import begin, outputs, reread, row, statuses, story
from tests.executions.scripted import Killed, Script, raises
from tests.executions.workers import Workers, in_parallel
from tests.factories import WorkerLeaseFactory
from tests.fakes import Messages
from tests.nodes import counted
from workflows.models import WorkflowVersion

pytestmark = pytest.mark.django_db(transaction=True)

# A wave of two with a private successor, a join, a line behind it.
DRAWING = "start -> a -> j, start -> b -> c -> j -> d"
ONCE = dict.fromkeys("abcjd", 1)


class TestLostMessages:
    def test_any_message_may_be_lost(self, messages: Messages) -> None:
        """A chord's header, its body, a drive: the run comes to its end, and no node runs twice."""
        for lost in count():
            run = begin(DRAWING, default="test.count")
            for place in count():
                if not messages.waiting:
                    break
                message = messages.waiting.pop(0)
                if place != lost:
                    messages.deliver(message)
            if place <= lost:
                break

            recover(messages, run)

            assert (reread(run).status, counted(run.pk)) == (RunStatus.COMPLETED, ONCE), f"message {lost} was lost"
        assert lost > 3

    def test_redis_may_be_flushed_at_any_moment(self, messages: Messages) -> None:
        for delivered in range(4):
            run = begin(DRAWING, default="test.count")
            for _ in range(delivered):
                messages.deliver(messages.waiting.pop(0))
            messages.lose_all()

            recover(messages, run)

            assert (reread(run).status, counted(run.pk)) == (RunStatus.COMPLETED, ONCE), f"after {delivered} messages"

    def test_sweep_alone_carries_a_run(self, messages: Messages) -> None:
        """As when the broker was away after every commit: whatever a task sends is lost."""
        run = begin(DRAWING, default="test.count")

        for _ in range(10):
            arrived = messages.waiting[:]
            for message in arrived:
                messages.lose_all()
                messages.deliver(message)
            messages.lose_all()
            let_time_pass()
            Sweeper().sweep()

        assert (reread(run).status, counted(run.pk)) == (RunStatus.COMPLETED, ONCE)

    def test_run_that_was_never_driven_is_driven(self, messages: Messages) -> None:
        run = begin("start -> a")
        messages.lose_all()

        assert recover(messages, run) == 1
        assert reread(run).status == RunStatus.COMPLETED


class TestKilledWorker:
    @pytest.mark.parametrize("after", [False, True])
    def test_process_may_be_killed_at_any_write(
        self, messages: Messages, monkeypatch: pytest.MonkeyPatch, after: bool
    ) -> None:
        """What was recorded is not repeated; of the rest, at most the node that was in its hands runs a second time."""
        for moment in count(1):
            run = begin(DRAWING, default="test.count")
            kill = KillAt(moment, after=after)
            with monkeypatch.context() as patched:
                for name in ("save", "claim", "record"):
                    patched.setattr(hotpath, name, kill.around(getattr(hotpath, name)))
                try:
                    messages.deliver_all()
                except Killed:
                    pass
                else:
                    break
            done = NodeRun.objects.filter(execution=run, status="completed", node_type="test.count")
            recorded = dict.fromkeys(done.values_list("node_id", flat=True), 1)
            process_dies()

            recover(messages, run)

            ran = counted(run.pk)
            assert reread(run).status == RunStatus.COMPLETED, f"killed at write {moment}"
            assert {node: ran[node] for node in recorded} == recorded
            assert (ran.keys(), sorted(ran.values())[:-1]) == (ONCE.keys(), [1, 1, 1, 1])
        assert moment > 6

    def test_node_whose_worker_was_killed_is_another_attempt(
        self, messages: Messages, scripts: dict[str, Script]
    ) -> None:
        scripts["b"] = raises(Killed())
        run = begin("start -> a -> b -> c", default="test.script")
        with pytest.raises(Killed):
            messages.deliver_all()
        process_dies()
        scripts.clear()

        recover(messages, run)

        b = row(run, "b")
        assert (b.status, b.attempt, b.lost) == ("completed", 2, 1)
        assert story(run)[4:9] == ["completed a", "started b", "started b", "completed b", "started c"]

    def test_worker_that_comes_back_cannot_write(self, messages: Messages, scripts: dict[str, Script]) -> None:
        """It was only slow: its node went to another, whose outcome counts; its own is discarded, whatever it is."""

        def slow(node: Any, lent: Any) -> NodeOutput:
            if node.attempt == 1:
                lease_runs_out()
                recover_lost_nodes(timezone.now())
                messages.deliver_all()
                assert reread(run).status == RunStatus.COMPLETED
            return NodeOutput(data=f"of attempt {node.attempt}")

        scripts["a"] = slow
        run = begin("start -> a -> b", default="test.script")

        messages.deliver_all()

        assert (outputs(run)["a"], row(run, "a").attempt) == ("of attempt 2", 2)
        assert story(run).count("completed a") == story(run).count("completed b") == 1

    def test_message_of_the_dead_delivered_late_finds_nothing(
        self, messages: Messages, scripts: dict[str, Script]
    ) -> None:
        """A claimed part of a wave: fenced by its attempt, whoever owns the row now."""

        def slow(node: Any, lent: Any) -> NodeOutput:
            if node.attempt == 1:
                lease_runs_out()
                recover_lost_nodes(timezone.now())
                messages.deliver(messages.waiting.pop())  # the second attempt of a; b has not been delivered yet
            return NodeOutput(data=f"of attempt {node.attempt}")

        scripts["a"] = slow
        run = begin("start -> a -> j, start -> b -> j", default="test.script")

        messages.deliver_all()

        assert reread(run).status == RunStatus.COMPLETED
        assert (outputs(run)["a"], story(run).count("completed a")) == ("of attempt 2", 1)


class TestWorkerLost:
    """After three lost workers it is the node's fault."""

    @staticmethod
    def lose_three(messages: Messages, run: Any) -> None:
        for _ in range(sweep.MOST_LOST):
            with pytest.raises(Killed):
                messages.deliver_all()
            process_dies()
            recover_lost_nodes(timezone.now())
        messages.deliver_all()

    def test_node_fails_and_the_run_with_it(self, messages: Messages, scripts: dict[str, Script]) -> None:
        scripts["a"] = raises(Killed())
        run = begin("start -> a -> b", default="test.script")

        self.lose_three(messages, run)

        error = reread(run).error
        assert (error["code"], error["node_id"], error["attempts"]) == ("worker_lost", "a", 3)
        assert statuses(run) == {"start": "completed", "a": "failed", "b": "cancelled"}

    def test_error_edge_is_taken(self, messages: Messages, scripts: dict[str, Script]) -> None:
        scripts["a"] = raises(Killed())
        nodes = {"h": {"config": {"value": "{{a.error.code}}"}}}
        run = begin("start -> a -> b, a:error -> h", default="test.script", nodes=nodes)

        self.lose_three(messages, run)

        assert statuses(run) == {"start": "completed", "a": "failed", "b": "skipped", "h": "completed"}
        assert outputs(run)["h"] == {"result": "worker_lost"}

    @pytest.mark.parametrize("fallback", [{"result": 1}, None])
    def test_fallback_is_the_output(self, messages: Messages, scripts: dict[str, Script], fallback: Any) -> None:
        """Null is an output like any other."""
        scripts["a"] = raises(Killed())
        on_error = {"strategy": "fallback", "fallbackValue": fallback}
        run = begin("start -> a", default="test.script", nodes={"a": {"onError": on_error}})

        self.lose_three(messages, run)

        assert (reread(run).status, reread(run).outputs) == (RunStatus.COMPLETED, {"a": fallback})

    def test_late_outcome_of_the_last_attempt_is_discarded(
        self, messages: Messages, scripts: dict[str, Script]
    ) -> None:
        run = begin("start -> a -> b", default="test.script")
        worker_lost: list[str] = []

        def slow(node: Any, lent: Any) -> NodeOutput:
            lease_runs_out()
            recover_lost_nodes(timezone.now())
            messages.deliver_all()
            worker_lost.append(row(run, "a").status)
            return NodeOutput(data="late")

        scripts["a"] = slow

        messages.deliver_all()

        assert worker_lost == ["failed"] * 3
        assert (reread(run).status, outputs(run)["a"]) == (RunStatus.FAILED, None)


class TestManySweepers:
    def test_each_lost_node_is_sent_again_once(self, workers: Workers) -> None:
        branches = ", ".join(f"start -> n{place}" for place in range(20))
        run = begin(branches, default="test.count")
        driver.drive(run.pk)
        dead = WorkerLeaseFactory(expires_at=timezone.now() - timedelta(seconds=1))
        for node in NodeRun.objects.filter(execution=run, status="ready"):
            hotpath.claim(node.pk, owner=dead.pk)
        workers.lose_all()

        found = in_parallel([partial(recover_lost_nodes, timezone.now())] * 4)

        again = NodeRun.objects.filter(execution=run, status="ready", attempt=2, lost=1).count()
        assert (sum(found), again, len(workers.waiting)) == (20, 20, 20)

    def test_each_unsent_node_is_sent_once(self, workers: Workers) -> None:
        branches = ", ".join(f"start -> n{place}" for place in range(20))
        run = begin(branches, default="test.count")
        driver.drive(run.pk)
        workers.lose_all()
        let_time_pass()

        sent = in_parallel([partial(send_unsent, timezone.now())] * 4)

        assert (sum(sent), len(workers.waiting)) == (20, 20)

    @pytest.mark.parametrize("look", [recover_lost_nodes, send_unsent])
    def test_node_that_another_has_in_hand_is_left_to_it(self, workers: Workers, run: Execution, look: Any) -> None:
        """Nobody waits for another sweeper, and nothing is sent twice."""
        if look is recover_lost_nodes:
            dead = WorkerLeaseFactory(expires_at=timezone.now() - timedelta(seconds=1))
            NodeRun.objects.filter(execution=run, status="ready").update(status="running", owner=dead.pk)
        let_time_pass()

        def look_in_a_hurry() -> int:
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '2s'")
            return look(timezone.now())

        with transaction.atomic():
            NodeRun.objects.select_for_update().get(pk=row(run, "a").pk)

            assert in_parallel([look_in_a_hurry]) == [1]

        assert look(timezone.now()) == 1

    def test_whole_sweeps_at_once_bring_the_run_to_its_end(self, workers: Workers) -> None:
        run = begin(DRAWING, default="test.count")
        for _ in range(8):
            workers.lose_all()
            let_time_pass()
            in_parallel([Sweeper().sweep] * 3)
            workers.deliver_by(3)

        assert (reread(run).status, counted(run.pk)) == (RunStatus.COMPLETED, ONCE)


class TestPatience:
    def test_message_that_may_still_come_is_waited_for(self, messages: Messages) -> None:
        begin("start -> a, start -> b", default="test.count")
        messages.deliver(messages.waiting.pop(0))

        Sweeper().sweep()

        assert messages.names() == {"executions.drive": 1, "executions.run_nodes": 2}

    def test_nothing_is_sent_into_a_long_queue(self, messages: Messages, monkeypatch: pytest.MonkeyPatch) -> None:
        """What is ready there waits for its turn; another message would only make the queue longer."""
        monkeypatch.setattr("executions.sweep.queues.depth", lambda lane: 201)
        run = begin("start -> a, start -> b", default="test.count")
        driver.drive(run.pk)
        begin("start -> a")
        messages.lose_all()
        let_time_pass()

        Sweeper().sweep()

        assert messages.waiting == []

    def test_run_that_stays_undriven_is_asked_for_ever_more_slowly(self, messages: Messages) -> None:
        begin("start -> a")
        let_time_pass()
        messages.lose_all()
        sweeper, now = Sweeper(), timezone.now()
        asked = []

        for second in range(16):
            sweeper._drive_undriven(now + timedelta(seconds=second))
            asked += [second] * len(messages.waiting)
            messages.lose_all()

        assert asked == [0, 1, 3, 7, 15]

    def test_lease_rows_of_the_dead_go_once_nothing_refers_to_them(self, messages: Messages) -> None:
        now = timezone.now()
        kept, gone = (WorkerLeaseFactory(expires_at=now - timedelta(hours=hours)) for hours in (0.5, 1.5))

        Sweeper().sweep()

        assert list(WorkerLease.objects.filter(pk__in=[kept.pk, gone.pk])) == [kept]


class TestTrouble:
    def test_run_that_cannot_be_read_does_not_keep_others_from_being_found(
        self, messages: Messages, scripts: dict[str, Script]
    ) -> None:
        """Its plan is of a newer release: nobody here can say what follows its lost node, so it goes out itself."""
        scripts["a"] = raises(Killed())
        broken, fine = (begin("start -> a", default="test.script") for _ in range(2))
        for _ in range(2):
            with pytest.raises(Killed):
                messages.deliver_all()
        process_dies()
        NodeRun.objects.filter(execution=broken, node_id="a").update(lost=2)
        version = WorkflowVersion.objects.get(pk=broken.version_id)
        version.plan["format"] = 99
        version.save()
        plans.prepared.cache_clear()
        scripts.clear()

        for _ in range(3):
            Sweeper().sweep()
        messages.deliver_all()

        assert (reread(fine).status, row(fine, "a").attempt) == (RunStatus.COMPLETED, 2)
        assert (reread(broken).status, reread(broken).error["code"]) == (RunStatus.FAILED, "internal_error")

    def test_sweeper_goes_on_after_a_look_that_raised(self, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        settings.FLOWMAESTRO_SWEEP = timedelta(milliseconds=1)
        looks: list[int] = []
        enough = threading.Event()

        def look() -> None:
            looks.append(1)
            if len(looks) == 3:
                enough.set()
            raise [ConnectionError("away"), KeyError("a bug"), KeyError("a bug")][min(len(looks), 3) - 1]

        sweeper = Sweeper()
        monkeypatch.setattr(sweeper, "sweep", look)
        sweeper.start()

        came = enough.wait(5)
        sweeper.stop()

        assert came


def test_owner_of_a_running_node_is_not_disturbed(messages: Messages, scripts: dict[str, Script]) -> None:
    """While its lease is alive."""
    found: list[int] = []
    scripts["a"] = lambda node, lent: found.append(recover_lost_nodes(timezone.now())) or NodeOutput(data=1)
    run = begin("start -> a", default="test.script")

    messages.deliver_all()

    assert (found, row(run, "a").attempt, row(run, "a").owner) == ([0], 1, lease.id())
