"""Rows that wait, come back, end by themselves or hold what a body goes through."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from executions import hotpath
from executions.core import NodeStatus
from executions.leases import lease
from executions.models import Execution, Frame, NodeRun
from tests.executions.runs import row, visit
from tests.executions.steps import outcome, save
from tests.factories import NodeRunFactory
from workflows.ids import uuid7

pytestmark = pytest.mark.django_db(transaction=True)

HISTORY = '[{"attempt":1}]'


@pytest.fixture
def due_at() -> datetime:
    return timezone.now() + timedelta(seconds=30)


@pytest.fixture
def postponed(mine: NodeRun, due_at: datetime) -> NodeRun:
    """Node a of the run, between its first and its second attempt."""
    hotpath.record(postponement(mine, due_at), owner=lease.id())
    mine.refresh_from_db()
    return mine


def postponement(node: NodeRun, due_at: datetime) -> hotpath.Recorded:
    return outcome(
        node, status=NodeStatus.READY, output=None, error='{"message":"not yet"}', due_at=due_at, history=HISTORY
    )


def plain(**more: Any) -> dict[str, Any]:
    """A step that changes no more than it is told."""
    return {"born": [], "closing": None, **more}


class TestPostponed:
    def check(self, node: NodeRun, due_at: datetime) -> None:
        node.refresh_from_db()
        assert (node.status, node.attempt, node.owner, node.due_at) == ("ready", 2, None, due_at)
        assert (node.error, node.history, node.folded) == ({"message": "not yet"}, [{"attempt": 1}], False)

    def test_recorded_attempt_makes_room_for_the_next(self, mine: NodeRun, due_at: datetime) -> None:
        written = hotpath.record(postponement(mine, due_at), owner=lease.id())

        assert written[0]
        self.check(mine, due_at)

    def test_attempt_written_with_a_step_stays_in_the_inbox(
        self, run: Execution, mine: NodeRun, due_at: datetime
    ) -> None:
        """It is not over: the drive that finds it due hands it out again."""
        assert save(run, **plain(done=postponement(mine, due_at))) == (True, True)

        self.check(mine, due_at)

    def test_pure_node_may_be_born_so(self, run: Execution, due_at: datetime) -> None:
        now = timezone.now()
        ended = hotpath.Recorded(
            id=uuid7(),
            attempt=1,
            status=NodeStatus.READY,
            handled=False,
            started_at=now,
            ended_at=now,
            error='{"message":"not yet"}',
            due_at=due_at,
            history=HISTORY,
        )
        born = hotpath.NewRow(
            id=ended.id, node_id="j", scope="", node_type="t", lane="io", status=ended.status, ready_at=now, ended=ended
        )

        save(run, **plain(born=[born]))

        self.check(row(run, "j"), due_at)
        assert row(run, "j").announced

    def test_attempt_that_was_fenced_off_is_not(self, run: Execution, mine: NodeRun, due_at: datetime) -> None:
        """Another worker has it by now."""
        NodeRun.objects.filter(pk=mine.pk).update(attempt=2)
        late = postponement(mine, due_at)

        assert hotpath.record(late, owner=lease.id()) == (False, False)
        assert save(run, **plain(done=late)) == (False, False)
        assert (row(run, "a").status, row(run, "a").due_at) == ("running", None)

    def test_it_is_known_to_be_recorded(self, mine: NodeRun, due_at: datetime) -> None:
        """Asked after a connection that died: its row has moved on by then."""
        done = postponement(mine, due_at)
        before = hotpath.is_recorded(done, owner=lease.id())

        hotpath.record(done, owner=lease.id())

        assert (before, hotpath.is_recorded(done, owner=lease.id())) == (False, True)

    def test_it_is_in_the_inbox_with_what_it_waits_for(self, postponed: NodeRun, due_at: datetime) -> None:
        [found] = hotpath.inbox(postponed.execution_id)

        assert (found.status, found.attempt, found.due_at, found.history) == ("ready", 2, due_at, HISTORY)
        assert hotpath.news(postponed.execution_id) == [("", "a", "ready", None)]

    def test_what_is_ready_without_a_due_time_is_no_news(self, run: Execution) -> None:
        assert (hotpath.inbox(run.pk), hotpath.news(run.pk)) == ([], [])


class TestWaiting:
    def test_rows_between_attempts_are_told(self, run: Execution, postponed: NodeRun) -> None:
        NodeRun.objects.filter(pk=postponed.pk).update(scope="loop[1]")

        assert hotpath.waiting(run.pk) == {
            ("loop[1]", "a"): hotpath.WaitingRow(id=postponed.pk, attempt=2, history=HISTORY)
        }

    @pytest.mark.parametrize("says", [{"folded": True}, {"due_at": None}, {"status": "cancelled"}])
    def test_others_are_not(self, run: Execution, postponed: NodeRun, says: Any) -> None:
        NodeRun.objects.filter(pk=postponed.pk).update(**says)

        assert hotpath.waiting(run.pk) == {}


class TestClaim:
    @pytest.mark.parametrize("due_in", [30, 0, -30])
    def test_row_that_waits_is_not_claimed_before_its_run_hands_it_out(self, postponed: NodeRun, due_in: int) -> None:
        """Due or not: a cap, a stop or a cancel may have come between."""
        NodeRun.objects.filter(pk=postponed.pk).update(due_at=timezone.now() + timedelta(seconds=due_in))

        assert hotpath.claim(postponed.pk, owner=lease.id()) is None


class TestAgain:
    def again(self, node: NodeRun, **more: Any) -> hotpath.Again:
        told = {"id": node.pk, "attempt": 2, "status": NodeStatus.READY, "at": timezone.now(), **more}
        return hotpath.Again(**told)

    def test_row_is_handed_out_for_others(self, run: Execution, postponed: NodeRun) -> None:
        again = self.again(postponed)
        save(run, **plain(again=[again]))

        claimed = hotpath.claim(postponed.pk, owner=7)

        a = row(run, "a")
        assert claimed is not None
        assert (claimed.attempt, claimed.history) == (2, HISTORY)
        assert (a.status, a.owner, a.due_at, a.ready_at, a.announced) == ("running", 7, None, again.at, False)

    def test_row_is_taken_up_by_us(self, run: Execution, postponed: NodeRun) -> None:
        again = self.again(postponed, status=NodeStatus.RUNNING)
        save(run, **plain(again=[again]))

        a = row(run, "a")
        assert (a.status, a.owner, a.attempt, a.due_at) == ("running", lease.id(), 2, None)
        assert (a.started_at, a.announced) == (again.at, True)

    @pytest.mark.parametrize("status", [NodeStatus.READY, NodeStatus.RUNNING])
    def test_attempt_under_way_has_neither_end_nor_error(
        self, run: Execution, postponed: NodeRun, status: NodeStatus
    ) -> None:
        """Those were of the one before, which is in the history."""
        save(run, **plain(again=[self.again(postponed, status=status)]))

        a = row(run, "a")
        assert (a.ended_at, a.error, a.history) == (None, None, [{"attempt": 1}])

    @pytest.mark.parametrize("says", [{"attempt": 3}, {"status": "cancelled"}, {"due_at": None}])
    def test_row_that_has_changed_meanwhile_is_left_alone(self, run: Execution, postponed: NodeRun, says: Any) -> None:
        NodeRun.objects.filter(pk=postponed.pk).update(**says)
        before = NodeRun.objects.filter(pk=postponed.pk).values().get()

        save(run, **plain(again=[self.again(postponed)]))

        assert NodeRun.objects.filter(pk=postponed.pk).values().get() == before

    def test_step_over_an_older_version_hands_nothing_out(self, run: Execution, postponed: NodeRun) -> None:
        save(run, ver=0, **plain(again=[self.again(postponed)]))

        assert row(run, "a").due_at is not None


class TestEnded:
    def ended(self, run: Execution, **more: Any) -> None:
        told: dict[str, Any] = {"node_id": "a", "scope": "", "status": NodeStatus.COMPLETED, "ended_at": timezone.now()}
        save(run, **plain(ended=[hotpath.Ended(**{**told, **more})]))

    def test_row_that_no_worker_holds_comes_to_its_end(self, run: Execution) -> None:
        NodeRun.objects.filter(execution=run, node_id="a").update(status="running", owner=None)
        now = timezone.now()

        self.ended(run, output='{"iterations":1}', ended_at=now)

        a = row(run, "a")
        assert (a.status, a.output, a.ended_at, a.folded, a.announced) == (
            "completed",
            {"iterations": 1},
            now,
            True,
            True,
        )

    def test_failure_is_written_with_its_output(self, run: Execution) -> None:
        self.ended(run, status=NodeStatus.FAILED, handled=True, output='{"error":{}}', error='{"code":"c"}')

        a = row(run, "a")
        assert (a.status, a.handled, a.output, a.error) == ("failed", True, {"error": {}}, {"code": "c"})

    def test_row_that_waited_is_withdrawn_and_keeps_what_went_wrong(self, run: Execution, postponed: NodeRun) -> None:
        self.ended(run, status=NodeStatus.CANCELLED)

        a = row(run, "a")
        assert (a.status, a.due_at, a.folded, a.error) == ("cancelled", None, True, {"message": "not yet"})
        assert hotpath.news(run.pk) == []

    @pytest.mark.parametrize("status", ["completed", "failed", "cancelled"])
    def test_row_that_has_ended_is_left_alone(self, run: Execution, status: str) -> None:
        NodeRun.objects.filter(execution=run, node_id="a").update(status=status, output="its own")

        self.ended(run, output='"another"')

        assert (row(run, "a").status, row(run, "a").output) == (status, "its own")

    @pytest.mark.parametrize("elsewhere", [{"scope": "loop[0]"}, {"node_id": "b"}])
    def test_only_that_visit_ends(self, run: Execution, elsewhere: Any) -> None:
        NodeRun.objects.filter(execution=run, node_id="b").update(scope="loop[1]")

        self.ended(run, **elsewhere)

        assert set(NodeRun.objects.filter(execution=run).values_list("status", flat=True)) == {"completed", "ready"}
        assert row(run, "a").status == "ready"


class TestItems:
    CHUNKS = (
        hotpath.Chunk(node_id="loop", scope="par[0]", first=0, total=5, items='["a","b"]'),
        hotpath.Chunk(node_id="loop", scope="par[0]", first=2, total=5, items='[{"n":null},4,"\\u0000"]'),
        hotpath.Chunk(node_id="loop", scope="par[1]", first=0, total=None, items="[]"),
    )

    @pytest.mark.parametrize(
        ("scope", "index", "chunk"),
        [
            ("par[0]", 0, (0, 5, ["a", "b"])),
            ("par[0]", 1, (0, 5, ["a", "b"])),
            ("par[0]", 2, (2, 5, [{"n": None}, 4, "\0"])),
            ("par[0]", 4, (2, 5, [{"n": None}, 4, "\0"])),
            ("par[1]", 7, (0, None, [])),
        ],
    )
    def test_chunk_that_holds_an_item_is_read_alone(self, run: Execution, scope: str, index: int, chunk: Any) -> None:
        save(run, **plain(chunks=self.CHUNKS))

        assert hotpath.items(run.pk, "loop", scope, index) == chunk

    def test_chunks_of_a_step_that_was_not_written_are_not_there(self, run: Execution) -> None:
        save(run, ver=0, **plain(chunks=self.CHUNKS))

        assert not Frame.objects.exists()
        with pytest.raises(LookupError, match=f"par\\[0\\]/loop of run {run.pk} has no items"):
            hotpath.items(run.pk, "loop", "par[0]", 0)


class TestResults:
    @pytest.mark.parametrize(
        ("says", "told"),
        [
            ({"status": "completed", "output": {"x": 1}}, ('{"x":1}', None)),
            ({"status": "failed", "handled": True, "output": {"error": {}}, "error": {}}, ('{"error":{}}', None)),
            ({"status": "failed", "error": {"code": "c"}}, (None, '{"code":"c"}')),
            ({"status": "cancelled"}, None),
            ({"status": "running"}, None),
        ],
    )
    def test_visits_with_an_output_or_a_failure_are_results(self, run: Execution, says: Any, told: Any) -> None:
        NodeRunFactory(execution=run, node_id="x", scope="loop[0]", ended_at=timezone.now(), **says)

        found = list(hotpath.results(run.pk, ["x"], ["loop[0]"]))

        assert found == ([] if told is None else [("loop[0]", "x", *told)])

    def test_only_what_is_asked_for_comes_in_the_order_of_its_end(self, run: Execution) -> None:
        now = timezone.now()
        for at, (node, scope) in enumerate([("x", "l[1]"), ("x", "l[0]"), ("y", "l[0]"), ("x", "l[2]"), ("z", "l[0]")]):
            NodeRunFactory(
                execution=run,
                node_id=node,
                scope=scope,
                status="completed",
                output=at,
                ended_at=now - timedelta(seconds=at),
            )

        found = [(row.scope, row.node_id, row.output) for row in hotpath.results(run.pk, ["x", "y"], ["l[0]", "l[1]"])]

        assert found == [("l[0]", "y", "2"), ("l[0]", "x", "1"), ("l[1]", "x", "0")]


def test_outputs_of_many_scopes_are_read_at_once(run: Execution) -> None:
    for index in range(3):
        NodeRunFactory(execution=run, node_id="x", scope=f"l[{index}]", status="completed", output=index)

    found = hotpath.outputs(run.pk, [("l[0]", "x"), ("l[2]", "x"), ("l[3]", "x"), ("", "start")])

    assert found == {("l[0]", "x"): "0", ("l[2]", "x"): "2", ("", "start"): "{}"}
    assert visit(run, "l[1]/x").output == 1


class TestIsOut:
    @pytest.mark.parametrize(
        ("asked", "is_out"),
        [
            ({}, True),
            ({"nodes": ["a"], "scope": ""}, True),
            ({"nodes": ["x"], "scope": "par[0]"}, True),
            ({"nodes": ["x"], "scope": ""}, False),  # of that scope only
            ({"nodes": ["start"], "scope": ""}, False),  # it has ended
            ({"within": "par["}, True),
            ({"within": "par2["}, False),
        ],
    )
    def test_visits_under_way_are_seen(self, run: Execution, asked: Any, is_out: bool) -> None:
        NodeRunFactory(execution=run, node_id="x", scope="par[0]", status="running")

        assert hotpath.is_out(run.pk, **asked) is is_out
