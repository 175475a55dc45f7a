from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from time import monotonic
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from executions import hotpath
from executions.core import NodeStatus, Parts, RunStatus, load_parts
from executions.leases import lease
from executions.models import Event, Execution, ExecutionState, NodeRun
from tests.executions.runs import reread, row
from tests.executions.steps import outcome, save
from tests.executions.workers import in_parallel
from tests.waiting import wait_until
from workflows.fields import dumps
from workflows.ids import uuid7

pytestmark = pytest.mark.django_db(transaction=True)

NOBODY = 0  # a lease that was never given


def everything(run: Execution) -> list[Any]:
    """All rows of a run, to see that nothing has changed."""
    return [
        list(model.objects.filter(**{key: run.pk}).order_by("pk").values())
        for model, key in [(Execution, "pk"), (ExecutionState, "pk"), (NodeRun, "execution"), (Event, "execution")]
    ]


class TestSave:
    def test_step_over_its_version_is_written_everywhere(self, run: Execution, mine: NodeRun) -> None:
        written = save(run, done=outcome(mine), folded=[row(run, "b").pk])

        state, stored = ExecutionState.objects.get(pk=run.pk), reread(run)
        assert written == (True, True)
        assert (state.ver, state.seq, state.state) == (2, 4, {"stepped": True})
        assert (stored.status, stored.outputs, stored.error) == ("cancelled", {"x": 1}, {"code": "c"})
        assert (row(run, "a").status, row(run, "a").output, row(run, "a").folded) == ("completed", "done", True)
        assert (row(run, "b").folded, row(run, "b").announced) == (True, True)
        assert (row(run, "j").status, row(run, "j").owner, row(run, "j").attempt) == ("ready", None, 1)
        assert list(Event.objects.filter(execution=run, seq__gt=3).values_list("seq", "type")) == [
            (4, "execution:cancelled")
        ]

    def test_outcome_with_a_reference_has_no_output_beside_it(self, run: Execution, mine: NodeRun) -> None:
        """Whoever holds the run has the whole; the row has one or the other."""
        save(run, done=outcome(mine, output_ref='{"key":"k"}'))

        assert (row(run, "a").output, row(run, "a").output_ref) == (None, {"key": "k"})

    def test_run_whose_outputs_are_in_parts_has_none_in_its_row(self, run: Execution) -> None:
        now, parts = timezone.now(), Parts(nodes=("a", "b"), named=True, characters=7, bytes=9)

        save(run, closing=hotpath.Closing(status=RunStatus.COMPLETED, started_at=now, ended_at=now, outputs=parts))

        assert (reread(run).outputs, load_parts(reread(run).outputs_ref)) == (None, parts)

    def test_step_over_an_older_version_writes_nothing(self, run: Execution) -> None:
        """Somebody else drove: what was decided is not true any more."""
        before = everything(run)

        written = save(run, ver=0, folded=[row(run, "b").pk])

        assert (written, everything(run)) == ((True, False), before)

    def test_outcome_with_an_older_version_is_kept_for_the_next_fold(self, run: Execution, mine: NodeRun) -> None:
        """And nothing else of the statement happens."""
        before = everything(run)

        written = save(run, ver=0, done=outcome(mine), folded=[row(run, "b").pk])

        a = row(run, "a")
        assert written == (True, False)
        assert (a.status, a.output, a.folded) == ("completed", "done", False)
        after = everything(run)
        assert after[:2] + after[3:] == before[:2] + before[3:]
        assert NodeRun.objects.filter(execution=run).count() == 3

    @pytest.mark.parametrize("ver", [0, 1])
    @pytest.mark.parametrize(
        ("row_says", "outcome_says", "owner"),
        [
            ({"attempt": 2}, {"attempt": 1}, None),  # it was given to another
            ({}, {}, NOBODY),  # it is somebody else's
            ({"status": "ready"}, {}, None),  # it was given back
            ({"status": "cancelled"}, {}, None),  # the run was cancelled
            ({"status": "completed"}, {}, None),  # it is recorded already
        ],
    )
    def test_fenced_outcome_writes_nothing_at_all(
        self, run: Execution, mine: NodeRun, row_says: Any, outcome_says: Any, owner: int | None, ver: int
    ) -> None:
        """The worker was thought dead: neither its outcome nor what it decided because of it."""
        NodeRun.objects.filter(pk=mine.pk).update(**row_says)
        before = everything(run)

        written = save(run, ver=ver, owner=lease.id() if owner is None else owner, done=outcome(mine, **outcome_says))

        assert (written, everything(run)) == ((False, False), before)

    def test_one_of_two_steps_over_one_version_is_written(self, run: Execution, mine: NodeRun) -> None:
        """The other one keeps its outcome."""
        hotpath.claim(row(run, "b").pk, owner=lease.id())
        a, b = (partial(save, run, done=outcome(row(run, node)), born=[]) for node in "ab")

        written = in_parallel([a, b])

        assert sorted(written) == [(True, False), (True, True)]
        assert sorted(NodeRun.objects.filter(execution=run, node_id__in="ab").values_list("folded", flat=True)) == [
            False,
            True,
        ]

    def test_row_of_a_pure_node_is_over_when_it_is_born(self, run: Execution) -> None:
        now = timezone.now()
        ended = hotpath.Recorded(
            id=uuid7(),
            attempt=1,
            status=NodeStatus.FAILED,
            handled=True,
            started_at=now,
            ended_at=now + timedelta(milliseconds=5),
            input='{"i":1}',
            output="null",
            error='{"message":"e"}',
            port="p",
            writes='[["v","value",1]]',
            usage='{"total_tokens":2}',
            logs='[["2026","info","line"]]',
        )
        born = hotpath.NewRow(
            id=ended.id,
            node_id="j",
            scope="s",
            node_type="t",
            lane="io",
            status=ended.status,
            ready_at=now,
            ended=ended,
        )

        save(run, born=[born])

        j = row(run, "j")
        assert (j.pk, j.scope, j.node_type, j.lane, j.status, j.attempt, j.lost) == (
            ended.id,
            "s",
            "t",
            "io",
            "failed",
            1,
            0,
        )
        assert (j.owner, j.folded, j.announced, j.handled, j.port) == (None, True, True, True, "p")
        assert (j.ready_at, j.started_at, j.ended_at) == (now, now, ended.ended_at)
        assert (j.input, j.output, j.error, j.writes) == ({"i": 1}, None, {"message": "e"}, [["v", "value", 1]])
        assert (j.usage, j.logs) == ({"total_tokens": 2}, [["2026", "info", "line"]])

    def test_row_claimed_with_its_birth_is_ours(self, run: Execution) -> None:
        now = timezone.now()
        born = hotpath.NewRow(
            id=uuid7(), node_id="j", scope="", node_type="t", lane="io", status=NodeStatus.RUNNING, ready_at=now
        )

        save(run, born=[born])

        j = row(run, "j")
        assert (j.status, j.owner, j.folded, j.announced, j.started_at) == ("running", lease.id(), False, True, now)


class TestClaim:
    @pytest.mark.parametrize("status", [status for status in NodeStatus if status is not NodeStatus.READY])
    def test_only_what_is_ready_can_be_claimed(self, run: Execution, status: NodeStatus) -> None:
        NodeRun.objects.filter(execution=run, node_id="a").update(status=status)
        before = everything(run)

        claimed = hotpath.claim(row(run, "a").pk, owner=lease.id())

        assert (claimed, everything(run)) == (None, before)

    def test_claim_tells_all_that_is_needed_to_run_the_node(self, run: Execution) -> None:
        NodeRun.objects.filter(execution=run, node_id="a").update(attempt=3, scope="loop[2]", history=[{"attempt": 1}])

        before = monotonic()
        claimed = hotpath.claim(row(run, "a").pk, owner=7)

        a = row(run, "a")
        assert claimed is not None
        assert before <= claimed.asked_at <= monotonic()
        assert claimed == hotpath.ClaimedRow(
            id=a.pk,
            execution_id=run.pk,
            workspace_id=run.workspace_id,
            version_id=run.version_id,
            node_id="a",
            scope="loop[2]",
            attempt=3,
            history='[{"attempt":1}]',
            inputs="{}",
            asked_at=claimed.asked_at,
        )
        assert (a.status, a.owner, a.started_at is None) == ("running", 7, False)


class TestRecord:
    def test_outcome_of_the_holder_is_stored_unfolded(self, mine: NodeRun) -> None:
        recorded, _ = hotpath.record(outcome(mine, port="p", logs="[]"), owner=lease.id())

        mine.refresh_from_db()
        assert (recorded, mine.status, mine.output, mine.port, mine.logs) == (True, "completed", "done", "p", [])
        assert (mine.folded, mine.announced) == (False, False)

    @pytest.mark.parametrize(
        ("row_says", "owner"),
        [
            ({"attempt": 2}, None),  # it was given to another
            ({}, NOBODY),  # it is somebody else's
            ({"status": "ready"}, None),  # it was given back
            ({"status": "cancelled"}, None),  # the run was cancelled
            ({"status": "completed"}, None),  # it is recorded already
        ],
    )
    def test_outcome_of_anybody_else_is_not(self, run: Execution, mine: NodeRun, row_says: Any, owner: Any) -> None:
        NodeRun.objects.filter(pk=mine.pk).update(**row_says)
        before = everything(run)

        recorded = hotpath.record(outcome(mine), owner=lease.id() if owner is None else owner)

        assert (recorded, everything(run)) == ((False, False), before)

    @pytest.mark.parametrize(("folded_ago", "is_due"), [(0.1, False), (0.3, True)])
    def test_fold_is_due_when_watchers_have_seen_nothing_for_a_while(
        self, run: Execution, mine: NodeRun, folded_ago: float, is_due: bool
    ) -> None:
        long_ago = timezone.now() - timedelta(seconds=folded_ago)
        ExecutionState.objects.filter(pk=run.pk).update(folded_at=long_ago)

        assert hotpath.record(outcome(mine), owner=lease.id()) == (True, is_due)

    @pytest.mark.parametrize(
        ("says", "owner", "is_recorded"),
        [
            ({}, None, True),
            ({"attempt": 2}, None, False),
            ({"status": NodeStatus.FAILED}, None, False),
            ({}, NOBODY, False),
        ],
    )
    def test_outcome_is_recorded_when_its_row_says_so(
        self, mine: NodeRun, says: Any, owner: int | None, is_recorded: bool
    ) -> None:
        hotpath.record(outcome(mine), owner=lease.id())

        assert hotpath.is_recorded(outcome(mine, **says), owner=lease.id() if owner is None else owner) is is_recorded


class TestLock:
    def test_who_does_not_wait_leaves_a_locked_run_alone(self, run: Execution) -> None:
        with transaction.atomic(), in_another_transaction() as other:
            assert hotpath.lock(run.pk, wait=False) is not None
            assert other(partial(hotpath.lock, run.pk, wait=False)) is None

    def test_locked_run_can_be_written_to_by_nodes_and_new_rows(self, run: Execution, mine: NodeRun) -> None:
        """A node's outcome takes its own row only."""
        with transaction.atomic(), in_another_transaction() as other:
            hotpath.lock(run.pk, wait=False)

            assert other(partial(hotpath.record, outcome(mine), owner=lease.id()))[0]

    @pytest.mark.parametrize("status", RunStatus)
    def test_run_that_is_over_cannot_be_taken(self, run: Execution, status: RunStatus) -> None:
        Execution.objects.filter(pk=run.pk).update(status=status, ended_at=timezone.now())

        with transaction.atomic():
            assert (hotpath.lock(run.pk, wait=False) is None) is status.is_final

    def test_run_that_ended_while_it_was_waited_for_cannot_be_taken(self, run: Execution) -> None:
        """The statement began when the run was alive, and gets its lock when it is over: as after a quarantine."""
        is_locked = threading.Event()

        def end() -> None:
            with transaction.atomic():
                hotpath.lock(run.pk, wait=True)
                is_locked.set()
                until_somebody_waits()
                ExecutionState.objects.filter(pk=run.pk).update(ver=2)
                Execution.objects.filter(pk=run.pk).update(status=RunStatus.FAILED, ended_at=timezone.now())

        def take() -> hotpath.RunRow | None:
            is_locked.wait()
            with transaction.atomic():
                return hotpath.lock(run.pk, wait=True)

        assert in_parallel([end, take]) == [None, None]


def until_somebody_waits() -> None:
    """Until another backend waits for a lock of ours."""
    waiting = "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid)))"

    def is_waited_for() -> bool:
        with connection.cursor() as cursor:
            cursor.execute(waiting)
            return cursor.fetchone()[0]

    wait_until(is_waited_for, seconds=10)


@contextmanager
def in_another_transaction() -> Iterator[Any]:
    """Calls functions in a thread of its own, on another connection."""

    def call(function: Any) -> Any:
        def transact() -> Any:
            with transaction.atomic():
                return function()

        return in_parallel([transact])[0]

    yield call


class TestInbox:
    def test_what_ended_and_is_not_folded_comes_in_the_order_of_its_end(self, run: Execution) -> None:
        owner, now = lease.id(), timezone.now()
        for node, ago in (("a", 1), ("b", 2)):
            hotpath.claim(row(run, node).pk, owner=owner)
            hotpath.record(outcome(row(run, node)), owner=owner)
            NodeRun.objects.filter(execution=run, node_id=node).update(ended_at=now - timedelta(seconds=ago))

        assert [found.node_id for found in hotpath.inbox(run.pk)] == ["b", "a"]
        assert sorted(hotpath.news(run.pk)) == [("", "a", "completed", None), ("", "b", "completed", None)]

    @pytest.mark.parametrize(
        ("says", "is_news"),
        [
            ({"status": "completed"}, True),
            ({"status": "failed"}, True),
            ({"status": "running"}, False),
            ({"status": "cancelled"}, False),
            ({"status": "completed", "folded": True}, False),
        ],
    )
    def test_only_ends_are_news(self, run: Execution, says: Any, is_news: bool) -> None:
        now = timezone.now()
        NodeRun.objects.filter(execution=run, node_id="a").update(started_at=now, ended_at=now, **says)

        assert [found.node_id for found in hotpath.inbox(run.pk)] == ["a"] * is_news
        assert hotpath.news(run.pk) == [("", "a", says["status"], None)] * is_news

    @pytest.mark.parametrize(
        ("text", "travels"),
        [
            ("x" * 65_534, True),  # and two quotes
            ("x" * 65_535, False),
            ("ü" * 65_534, True),  # characters count, as they do in a frame
        ],
    )
    def test_wide_output_stays_in_its_row(self, mine: NodeRun, text: str, travels: bool) -> None:
        hotpath.record(outcome(mine, output=dumps(text)), owner=lease.id())

        [found] = hotpath.inbox(mine.execution_id)
        assert (found.output, found.output_width) == (dumps(text) if travels else None, len(text) + 2)

    def test_blob_is_known_by_its_width(self, mine: NodeRun) -> None:
        hotpath.record(outcome(mine, output='"whole"', output_ref='{"characters":300000}'), owner=lease.id())

        [found] = hotpath.inbox(mine.execution_id)
        assert (found.output, found.output_width) == (None, 300_000)

    def test_node_without_an_output_has_no_width(self, mine: NodeRun) -> None:
        hotpath.record(outcome(mine, status=NodeStatus.FAILED, output=None, error="{}"), owner=lease.id())

        [found] = hotpath.inbox(mine.execution_id)
        assert (found.output, found.output_width, found.status) == (None, None, "failed")
