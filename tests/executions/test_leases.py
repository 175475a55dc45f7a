from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from executions import decide, driver, hotpath, leases
from executions.attempts import Attempt, in_flight
from executions.leases import LeaseHolder, Orphans, call_off_unwanted, lease
from executions.models import Execution, NodeRun, WorkerLease
from handlers import NodeOutput
from tests.executions.accidents import lease_runs_out, process_dies
from tests.executions.runs import begin, outputs, row
from tests.executions.scripted import Killed, Script, raises
from tests.fakes import Messages
from tests.waiting import wait_until
from workflows.ids import uuid7

pytestmark = pytest.mark.django_db(transaction=True)


def keepers() -> int:
    return sum(thread.name == "lease" for thread in threading.enumerate())


class TestLease:
    def test_process_has_one_lease(self) -> None:
        first, second = lease.id(), lease.id()

        row = WorkerLease.objects.get()
        assert (first, second) == (row.pk, row.pk)
        assert (row.lanes, keepers()) == (["drive", "io", "cpu"], 1)
        assert timedelta(seconds=1) < row.expires_at - timezone.now() <= timedelta(seconds=2)

    def test_lease_is_renewed_for_as_long_as_the_process_lives(self) -> None:
        lease.id()
        lease_runs_out()

        wait_until(lambda: WorkerLease.objects.get().expires_at > timezone.now(), seconds=3)

    def test_lease_whose_row_was_taken_away_is_written_anew(self) -> None:
        """What the process holds refers to it: a restored database, an operator."""
        owner = lease.id()
        WorkerLease.objects.all().delete()

        wait_until(lambda: WorkerLease.objects.filter(pk=owner).exists(), seconds=3)

    def test_released_lease_is_gone_and_the_next_is_another(self) -> None:
        first = lease.id()
        lease.release()

        assert (WorkerLease.objects.count(), keepers()) == (0, 0)
        assert lease.id() != first

    def test_release_waits_for_a_renewal_that_is_under_way(
        self, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It would find the row gone and write it anew: what the process held would wait for a lease to run out."""
        settings.FLOWMAESTRO_LEASE = timedelta(seconds=1)
        renews, may_go_on, real = threading.Event(), threading.Event(), leases._renew

        def renew(lease_id: int) -> None:
            renews.set()
            may_go_on.wait(5)
            real(lease_id)

        monkeypatch.setattr(leases, "_renew", renew)
        lease.id()
        assert renews.wait(5)
        threading.Timer(0.05, may_go_on.set).start()

        lease.release()

        wait_until(lambda: keepers() == 0, seconds=5)
        assert not WorkerLease.objects.exists()

    def test_forked_child_takes_a_lease_of_its_own(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """And leaves its parent's alone when it goes, whether it took one or not."""
        holder = LeaseHolder()
        parents, keeper, stopped = holder.id(), holder._keeper, holder._stopped
        with monkeypatch.context() as forked:
            forked.setattr("executions.leases.os.getpid", lambda: -1)

            holder.release()
            childs = holder.id()
            holder.release()

        assert childs != parents
        assert list(WorkerLease.objects.values_list("pk", flat=True)) == [parents]
        stopped.set()
        keeper.join()

    def test_keeper_survives_a_look_that_raises(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A process without it would be taken for dead, and lose whatever it runs."""
        looks: list[int] = []

        def look() -> None:
            looks.append(1)
            raise KeyError("a bug")

        monkeypatch.setattr(leases, "call_off_unwanted", look)
        lease.id()

        wait_until(lambda: len(looks) > 1, seconds=3)


class TestOrphans:
    """A claim was committed, its answer was lost: nobody runs the row, and its owner lives."""

    def test_row_is_given_back_when_it_is_seen_a_second_time(self, mine: NodeRun) -> None:
        """Not the first: it may be a claim of this very moment."""
        orphans = Orphans()

        given = [orphans.give_back(lease.id()) for _ in range(3)]

        mine.refresh_from_db()
        assert given == [0, 1, 0]
        assert (mine.status, mine.attempt, mine.lost, mine.owner) == ("ready", 2, 0, None)

    def test_row_that_is_run_here_is_kept(self, mine: NodeRun) -> None:
        orphans = Orphans()
        in_flight.add(mine.pk, mine.attempt, Attempt(mine.execution_id, "a", "", seconds=60))

        given = [orphans.give_back(lease.id()) for _ in range(3)]

        in_flight.remove(mine.pk, mine.attempt)
        assert given == [0, 0, 0]

    def test_row_whose_outcome_is_being_written_is_kept(self, mine: NodeRun) -> None:
        """Its attempt is over, and the storage for its output is away: to run it again would be to do it twice."""
        orphans = Orphans()

        with in_flight.kept(mine.pk):
            given = [orphans.give_back(lease.id()) for _ in range(3)]
        given += [orphans.give_back(lease.id()) for _ in range(2)]

        assert given == [0, 0, 0, 0, 1]

    @pytest.mark.parametrize(
        ("is_begun", "after"),
        [
            (False, ("ready", 2, None)),  # the answer to the claim was lost: nothing has been done
            (True, ("failed", 2, "worker_lost")),  # it was run, and nobody could write how it ended
        ],
    )
    def test_row_that_is_not_to_be_run_again_is_only_when_it_was_not_begun(
        self, messages: Messages, is_begun: bool, after: tuple[str, int, str | None]
    ) -> None:
        run = begin("start -> a, start -> b", default="test.count", nodes={"a": {"onInterrupted": "fail"}})
        driver.drive(run.pk)
        a = row(run, "a")
        hotpath.claim(a.pk, owner=lease.id())
        if is_begun:
            in_flight.add(a.pk, 1, Attempt(run.pk, "a", "", seconds=60))
            in_flight.remove(a.pk, 1)
        orphans = Orphans()

        for _ in range(3):
            orphans.give_back(lease.id())

        a.refresh_from_db()
        assert (a.status, a.attempt, a.error and a.error["code"]) == after

    def test_attempts_whose_end_is_written_are_forgotten(self, mine: NodeRun) -> None:
        """A process that runs a million nodes does not remember them."""
        in_flight.add(mine.pk, mine.attempt, Attempt(mine.execution_id, "a", "", seconds=60))
        in_flight.remove(mine.pk, mine.attempt)
        orphans, key = Orphans(), (mine.pk, mine.attempt)

        orphans.give_back(lease.id())
        before = key in in_flight.begun()
        NodeRun.objects.filter(pk=mine.pk).update(status="completed")
        orphans.give_back(lease.id())

        assert (before, key in in_flight.begun()) == (True, False)

    @pytest.mark.parametrize("change", [{"owner": 0}, {"attempt": 2}, {"status": "completed"}, {"folded": True}])
    def test_row_that_has_moved_on_is_not_touched(self, mine: NodeRun, change: Any) -> None:
        orphans = Orphans()
        orphans.give_back(lease.id())
        NodeRun.objects.filter(pk=mine.pk).update(**change)
        before = NodeRun.objects.filter(pk=mine.pk).values().get()

        given = orphans.give_back(lease.id())

        assert (given, NodeRun.objects.filter(pk=mine.pk).values().get()) == (0, before)

    @pytest.mark.parametrize("lanes", [["drive", "io", "cpu"], ["io"]])
    def test_pure_node_that_is_claimed_counts_as_run_here(
        self,
        messages: Messages,
        scripts: dict[str, Script],
        monkeypatch: pytest.MonkeyPatch,
        settings: Settings,
        lanes: list[str],
    ) -> None:
        """What exceeds a turn is claimed like an effect: taken for an orphan, it would be begun anew for ever."""
        monkeypatch.setattr(decide, "BURST_FOR", -1)
        settings.FLOWMAESTRO_LANES = lanes
        orphans = Orphans()
        given: list[int] = []

        def slow(node: Any, lent: Any) -> NodeOutput:
            given.extend(orphans.give_back(lease.id()) for _ in range(2))
            return NodeOutput(data="once")

        scripts["a"] = slow
        run = begin("start -> a", default="test.pureScript")

        messages.deliver_all()

        assert (given, outputs(run)["a"], row(run, "a").attempt) == ([0, 0], "once", 1)

    def test_row_of_a_dead_process_is_the_sweeps(self, messages: Messages, scripts: dict[str, Script]) -> None:
        scripts["a"] = raises(Killed())
        run = begin("start -> a", default="test.script")
        with pytest.raises(Killed):
            messages.deliver_all()
        process_dies()
        orphans = Orphans()

        given = [orphans.give_back(lease.id()) for _ in range(2)]

        assert (given, row(run, "a").status) == ([0, 0], "running")


class TestCallingOff:
    @pytest.fixture
    def attempt(self, mine: NodeRun) -> Iterator[Attempt]:
        """An attempt of node a, under way in this process."""
        attempt = Attempt(mine.execution_id, "a", "", seconds=60)
        in_flight.add(mine.pk, 1, attempt)
        yield attempt
        in_flight.remove(mine.pk, 1)

    @pytest.mark.parametrize(
        ("change", "is_unwanted"),
        [
            ({}, False),
            ({"status": "cancelled"}, True),  # the run was cancelled
            ({"status": "ready"}, True),  # it was given back
            ({"attempt": 2}, True),  # somebody else runs it
        ],
    )
    def test_attempt_whose_row_is_no_longer_its_own_is_called_off(
        self, attempt: Attempt, change: Any, is_unwanted: bool
    ) -> None:
        NodeRun.objects.filter(node_id="a").update(**change)

        call_off_unwanted()

        assert (attempt.is_called_off, attempt.is_late) == (is_unwanted, False)

    def test_attempt_whose_time_is_up_is_called_off(self) -> None:
        attempt, key = Attempt(uuid7(), "a", "", seconds=-1), uuid7()
        in_flight.add(key, 1, attempt)

        call_off_unwanted()

        in_flight.remove(key, 1)
        assert (attempt.is_called_off, attempt.is_late) == (True, True)

    def test_without_attempts_nothing_is_asked(self, django_assert_num_queries: Any) -> None:
        with django_assert_num_queries(0):
            call_off_unwanted()


def test_every_running_node_names_its_owner(messages: Messages, scripts: dict[str, Script]) -> None:
    """By the time others see the row they see the lease."""
    seen: list[bool] = []
    scripts["a"] = lambda node, lent: seen.append(is_owned(node.execution_id)) or NodeOutput(data=1)
    begin("start -> a", default="test.script")

    messages.deliver_all()

    assert seen == [True]


def is_owned(execution_id: Any) -> bool:
    owner = row(Execution(pk=execution_id), "a").owner
    return WorkerLease.objects.filter(pk=owner, expires_at__gt=timezone.now()).exists()
