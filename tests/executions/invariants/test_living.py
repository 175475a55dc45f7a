"""What is broken by hand among the rows that live is found, and what may still be mended by itself is not."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F
from django.utils import timezone

from executions import driver, hotpath
from executions.invariants import check_runs, recovers_for
from executions.models import Execution, ExecutionState, NodeRun, Waitpoint, WorkerLease
from executions.services import cancel_execution
from tests.executions.accidents import lease_runs_out
from tests.executions.families import calling, children_of
from tests.executions.invariants.looks import Check
from tests.executions.invariants.looks import told as told_of
from tests.executions.runs import begin, row
from tests.factories import WorkerLeaseFactory
from tests.fakes import Messages
from workflows.models import WorkflowVersion

pytestmark = pytest.mark.django_db(transaction=True)

MINUTE = timedelta(minutes=1)


def ago(seconds: float) -> Any:
    return timezone.now() - timedelta(seconds=seconds)


def others_began(seconds: float) -> None:
    """Workers that live have done so for so long."""
    WorkerLease.objects.filter(expires_at__gt=timezone.now()).update(started_at=ago(seconds))


class TestLease:
    @pytest.fixture
    def lost(self, run: Execution) -> NodeRun:
        """Node a, claimed a minute ago by a worker whose lease ran out 30 seconds ago."""
        dead = WorkerLeaseFactory(expires_at=ago(30))
        hotpath.claim(row(run, "a").pk, owner=dead.pk)
        NodeRun.objects.filter(node_id="a").update(started_at=ago(60))
        others_began(3600)
        return row(run, "a")

    def test_node_whose_worker_is_gone_is_found(self, lost: NodeRun, check: Check) -> None:
        assert check() == [("node_without_lease", "a")]

    def test_node_whose_lease_is_not_there_is_found(self, lost: NodeRun, check: Check) -> None:
        WorkerLease.objects.all().delete()

        assert check() == [("node_without_lease", "a")]

    def test_sentences_say_who_and_when(self, lost: NodeRun) -> None:
        [finding] = check_runs(limit=1, grace=timedelta()).findings

        assert finding.execution_id == lost.execution_id
        assert finding.wrong.startswith(f"It runs, and the lease of its worker ({lost.owner}) ran out at 20")
        assert "sweep" in finding.mend

    @pytest.mark.parametrize(("grace", "is_found"), [(0, True), (29, True), (120, False)])
    def test_what_recovery_may_still_mend_is_left_to_it(
        self, lost: NodeRun, check: Check, grace: int, is_found: bool
    ) -> None:
        assert bool(check(grace=timedelta(seconds=grace))) is is_found

    def test_grace_is_that_of_a_recovery_unless_somebody_says_otherwise(self, lost: NodeRun, settings: Any) -> None:
        found = []
        for seconds in (20, 40):  # and five
            settings.FLOWMAESTRO_LEASE = timedelta(seconds=seconds)
            found.append(len(check_runs(limit=1).findings))

        assert found == [1, 0]

    @pytest.mark.parametrize("change", [{"folded": True, "status": "completed"}, {"owner": None}, {"status": "ready"}])
    def test_nodes_that_no_worker_holds_need_none(self, lost: NodeRun, change: Any) -> None:
        NodeRun.objects.filter(pk=lost.pk).update(**change)

        codes = [finding.code for finding in check_runs(limit=1, grace=timedelta()).findings]

        assert "node_without_lease" not in codes

    def test_node_whose_worker_lives_is_as_it_should_be(self, mine: NodeRun, check: Check) -> None:
        NodeRun.objects.filter(pk=mine.pk).update(started_at=ago(3600))

        assert check() == []


class TestWayForward:
    @pytest.fixture
    def stuck(self, run: Execution) -> Execution:
        """A run whose open nodes were deleted, and that has not moved for a minute."""
        NodeRun.objects.filter(execution=run, folded=False).delete()
        ExecutionState.objects.update(folded_at=ago(60))
        return run

    @staticmethod
    def is_found(check: Check, **more: Any) -> bool:
        return ("no_way_forward", None) in check(**more)

    def test_run_that_nothing_leads_on_is_found(self, stuck: Execution, check: Check) -> None:
        assert self.is_found(check)

    @pytest.mark.parametrize(
        ("says", "is_found"),
        [
            ({"status": "ready"}, False),
            ({"status": "ready", "due_at": ago(-60)}, False),
            ({"status": "running", "owner": 1}, False),
            ({"status": "completed"}, False),  # to be folded
            ({"status": "failed"}, False),
            ({"status": "running"}, True),  # a container, or a node whose child is not there
            ({"status": "ready", "folded": True}, True),
        ],
    )
    def test_way_forward_is_what_the_sweep_or_a_worker_takes_up(
        self, stuck: Execution, check: Check, says: Any, is_found: bool
    ) -> None:
        told = {"node_type": "test.count", "lane": "io", "ready_at": ago(60), "folded": False, **says}
        NodeRun.objects.create(execution=stuck, node_id="a", **told)

        assert self.is_found(check) is is_found

    @pytest.mark.parametrize(("due_in", "is_found"), [(60, False), (-60, True)])
    def test_deadline_is_one_until_it_has_passed(
        self, stuck: Execution, check: Check, due_in: int, is_found: bool
    ) -> None:
        Execution.objects.filter(pk=stuck.pk).update(deadline_at=ago(-due_in))

        assert self.is_found(check) is is_found

    def test_run_that_has_just_moved_may_move_again(self, stuck: Execution, check: Check) -> None:
        assert not self.is_found(check, grace=timedelta(minutes=2))

    @pytest.mark.parametrize("status", ["pending", "paused"])
    def test_run_that_is_to_be_driven_or_waits_has_one(self, stuck: Execution, check: Check, status: str) -> None:
        Execution.objects.filter(pk=stuck.pk).update(status=status)

        assert not self.is_found(check)

    def test_child_is_one_until_its_end_is_folded(
        self, messages: Messages, child: WorkflowVersion, check: Check
    ) -> None:
        parent = calling(child)
        driver.drive(parent.pk)
        ExecutionState.objects.update(folded_at=ago(60))
        found = []
        for change in ({}, {"status": "completed", "ended_at": timezone.now()}):
            Execution.objects.filter(parent=parent).update(**change)
            found.append(self.is_found(check, execution_ids=[parent.pk]))
        NodeRun.objects.filter(execution=parent, node_id="sub").update(folded=True)

        assert [*found, self.is_found(check, execution_ids=[parent.pk])] == [False, False, True]


class TestAllEnded:
    @pytest.mark.parametrize(
        ("says", "told"),
        [
            ({"status": "running"}, "this node is running"),
            ({"status": "ready"}, "this node is ready"),
            ({"status": "completed"}, "this node is not folded"),
        ],
    )
    def test_open_node_of_a_run_that_is_over_is_found(
        self, run: Execution, check: Check, says: dict[str, Any], told: str
    ) -> None:
        cancel_execution(run.pk)
        Execution.objects.filter(pk=run.pk).update(ended_at=F("ended_at") - MINUTE)
        NodeRun.objects.filter(node_id="a").update(folded=False, **says)

        assert ("open_node", "a") in check()
        assert f"The run is cancelled, and {told}." in [each.wrong for each in told_of(run)]

    def test_wait_of_a_run_that_is_over_is_found(self, messages: Messages, check: Check) -> None:
        run = begin("start -> h", types={"start": "trigger", "h": "test.ask"})
        driver.drive(run.pk)
        cancel_execution(run.pk)
        NodeRun.objects.filter(node_id="h").update(status="waiting")
        Waitpoint.objects.update(status="open")

        assert check() == [("open_node", "h")] * 2

    def test_run_that_has_just_ended_may_still_be_put_in_order(self, run: Execution, check: Check) -> None:
        cancel_execution(run.pk)
        NodeRun.objects.filter(node_id="a").update(folded=False)

        assert ("open_node", "a") not in check(grace=MINUTE)


class TestFamily:
    @pytest.fixture
    def parent(self, messages: Messages, child: WorkflowVersion) -> Execution:
        """A run that is over, and whose child was woken."""
        parent = calling(child)
        driver.drive(parent.pk)
        cancel_execution(parent.pk)
        Execution.objects.filter(pk=parent.pk).update(ended_at=F("ended_at") - MINUTE)
        [woken] = children_of(parent)
        Execution.objects.filter(pk=woken.pk).update(status="running")
        return parent

    def test_child_of_a_run_that_is_over_is_found(self, parent: Execution, check: Check) -> None:
        assert ("open_child", "sub") in check()
        assert ("open_child", "sub") in check(execution_ids=[parent.pk])

    def test_its_cancel_may_still_come(self, parent: Execution, check: Check) -> None:
        assert ("open_child", "sub") not in check(grace=2 * MINUTE)


class TestRestart:
    """A site that was down, or restored: what is found by its workers is not wrong before they could mend it."""

    @pytest.fixture
    def lost(self, run: Execution) -> None:
        dead = WorkerLeaseFactory(expires_at=ago(3600))
        hotpath.claim(row(run, "a").pk, owner=dead.pk)
        NodeRun.objects.filter(node_id="a").update(started_at=ago(3600))

    @pytest.mark.parametrize(("began", "is_found"), [(5, False), (3600, True)])
    def test_workers_that_have_just_begun_are_given_the_time(
        self, lost: None, check: Check, began: float, is_found: bool
    ) -> None:
        others_began(began)

        assert bool(check(grace=MINUTE)) is is_found
        assert bool(recovers_for(MINUTE)) is not is_found

    def test_it_is_that_of_the_eldest(self, lost: None, check: Check) -> None:
        others_began(3600)
        WorkerLeaseFactory()

        assert check(grace=MINUTE) == [("node_without_lease", "a")]

    def test_without_workers_nothing_will_be_mended(self, lost: None, check: Check) -> None:
        lease_runs_out()

        assert (recovers_for(MINUTE), check(grace=MINUTE)) == (timedelta(), [("node_without_lease", "a")])


class TestOthers:
    def test_only_those_that_were_asked_for_are_looked_at(
        self, run: Execution, messages: Messages, check: Check
    ) -> None:
        other = begin("start -> a", default="test.count")
        hotpath.claim(row(run, "a").pk, owner=WorkerLeaseFactory(expires_at=ago(60)).pk)
        NodeRun.objects.filter(execution=run, node_id="a").update(started_at=ago(60))
        lease_runs_out()

        assert check(execution_ids=[other.pk]) == []
        assert check(execution_ids=[run.pk, other.pk]) == [("node_without_lease", "a")]

    def test_no_more_are_told_than_were_asked_for(self, run: Execution, check: Check) -> None:
        dead = WorkerLeaseFactory(expires_at=ago(60))
        for node in "ab":
            hotpath.claim(row(run, node).pk, owner=dead.pk)
        NodeRun.objects.filter(execution=run).update(started_at=ago(60))

        assert len(check(limit=1)) == 1
        assert len(check(limit=2)) == 2
