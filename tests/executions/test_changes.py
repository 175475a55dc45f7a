from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from executions import hotpath
from executions.changes import Changes, Fresh
from executions.core import NodeStatus
from workflows.ids import uuid7

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATER = NOW + timedelta(seconds=5)


def recorded(**more: Any) -> hotpath.Recorded:
    told = {"status": NodeStatus.COMPLETED, "handled": False, "output": "1", **more}
    return hotpath.Recorded(id=uuid7(), attempt=1, started_at=NOW, ended_at=LATER, **told)


def born(scope: str = "loop[0]", **more: Any) -> hotpath.NewRow:
    told = {"id": uuid7(), "node_id": "a", "node_type": "t", "lane": "io", "status": NodeStatus.RUNNING, **more}
    return hotpath.NewRow(scope=scope, ready_at=NOW, **told)


def ended(scope: str = "loop[0]", **more: Any) -> hotpath.Ended:
    return hotpath.Ended(**{"node_id": "a", "scope": scope, "status": NodeStatus.COMPLETED, "ended_at": LATER, **more})


class TestFresh:
    @pytest.mark.parametrize(
        ("says", "fresh"),
        [
            ({"output": '{"x":1}'}, Fresh('{"x":1}', None)),
            ({"status": NodeStatus.FAILED, "output": None, "error": '{"e":1}'}, Fresh(None, '{"e":1}')),
            (
                {"status": NodeStatus.FAILED, "handled": True, "output": '{"error":1}', "error": "{}"},
                Fresh('{"error":1}', None),
            ),
            (
                {"status": NodeStatus.COMPLETED, "handled": True, "output": "7", "error": "{}"},
                Fresh("7", None),
            ),  # its onError made an output of it
        ],
    )
    def test_visit_is_remembered_as_a_result_has_it(self, says: Any, fresh: Fresh) -> None:
        changes = Changes()

        changes.bear(born(status=NodeStatus.COMPLETED, ended=recorded(**says)))

        assert changes.fresh == {("loop[0]", "a"): fresh}

    def test_row_that_has_not_ended_is_no_result(self) -> None:
        changes = Changes()

        changes.bear(born())

        assert (list(changes.born), changes.fresh) == ([("loop[0]", "a")], {})

    def test_top_level_is_nobodys_result(self) -> None:
        changes = Changes()

        changes.bear(born("", status=NodeStatus.COMPLETED, ended=recorded()))

        assert changes.fresh == {}


def test_row_that_is_born_to_wait_brings_its_moment() -> None:
    changes = Changes()

    changes.bear(born(status=NodeStatus.READY, ended=recorded(status=NodeStatus.READY, output=None, due_at=LATER)))

    assert changes.moments == [LATER]


class TestEnd:
    def test_row_that_is_there_is_ended(self) -> None:
        changes, row = Changes(), ended(output="1")

        changes.end(row)

        assert (changes.ended, changes.born, changes.fresh) == ([row], {}, {("loop[0]", "a"): Fresh("1", None)})
        assert (changes.ends("loop[0]", "a"), changes.ends("loop[1]", "a"), changes.ends("loop[0]", "b")) == (
            True,
            False,
            False,
        )

    def test_row_born_in_the_same_step_is_born_as_it_ended(self) -> None:
        """A container that was opened and closed in one turn."""
        changes, row = Changes(), born(is_ours=False)
        changes.bear(row)

        changes.end(ended(status=NodeStatus.FAILED, handled=True, output="1", output_ref="2", error="3"))

        [now] = changes.born.values()
        assert (changes.ended, changes.ends("loop[0]", "a")) == ([], False)
        assert (now.id, now.status, now.ready_at) == (row.id, NodeStatus.FAILED, NOW)
        assert now.ended == hotpath.Recorded(
            id=row.id,
            attempt=1,
            status=NodeStatus.FAILED,
            handled=True,
            started_at=NOW,
            ended_at=LATER,
            output="1",
            output_ref="2",
            error="3",
        )

    def test_row_that_was_born_to_wait_is_withdrawn_with_what_went_wrong(self) -> None:
        changes = Changes()
        waits = recorded(status=NodeStatus.READY, output=None, error="{}", history="[1]", due_at=LATER, input="{}")
        changes.bear(born(status=NodeStatus.READY, ended=waits))

        changes.end(ended(status=NodeStatus.CANCELLED))

        now = changes.born["loop[0]", "a"]
        assert now.ended is not None
        assert (now.status, now.ended.status, now.ended.due_at) == (NodeStatus.CANCELLED, NodeStatus.CANCELLED, None)
        assert (now.ended.error, now.ended.history, now.ended.input, now.ended.started_at) == ("{}", "[1]", "{}", NOW)

    def test_same_node_in_another_scope_is_another_row(self) -> None:
        changes = Changes()
        changes.bear(born("loop[1]"))

        changes.end(ended("loop[0]"))

        assert ([row.scope for row in changes.ended], changes.born["loop[1]", "a"].ended) == (["loop[0]"], None)

    def test_outcome_of_a_visit_is_its_rows_end(self) -> None:
        changes = Changes()
        outcome = recorded(status=NodeStatus.FAILED, handled=True, output="1", output_ref="2", error="3")

        changes.close("a", "loop[0]", outcome)

        assert changes.ended == [
            ended(status=NodeStatus.FAILED, handled=True, output="1", output_ref="2", error="3"),
        ]
