from __future__ import annotations

from typing import Any

import psycopg
import pytest
from django.db import transaction

from executions.models import Execution
from executions.services import start_execution
from executions.starting import BadUntil, Before, Parent, create
from tests.executions.runs import outputs, publish, reread, statuses, visited
from tests.fakes import Messages
from tests.told import read_back

pytestmark = pytest.mark.django_db(transaction=True)

DRAWING = "start -> a -> loop -> z, loop:body -> b, start2 -> c -> z, in -> c"


class TestUntil:
    @pytest.mark.parametrize(
        ("until", "ran"),
        [
            ("a", ["start", "a"]),
            ("loop", ["start", "a", "loop", "loop[0]/b", "loop[1]/b"]),  # bodies whole
            ("start", ["start"]),
        ],
    )
    def test_run_goes_no_further_than_its_node(self, messages: Messages, until: str, ran: list[str]) -> None:
        run = start_execution(publish(DRAWING, entryPoint="start"), inputs={}, until=until)

        messages.deliver_all()

        assert (sorted(visited(run)), reread(run).status) == (sorted(ran), "completed")
        assert reread(run).outputs == {until: outputs(run)[until]}
        assert set(statuses(run)) == {visit.rpartition("/")[2] for visit in ran}
        assert read_back(run.pk)[0]["data"]["total_nodes"] == len(statuses(run))

    @pytest.mark.parametrize(
        ("entry", "until", "why", "nodes"),
        [
            ("start", "ghost", "is not reached from 'start'", ("in", "start", "a", "c", "loop", "z")),
            ("start2", "a", "is not reached from 'start2'", ("in", "start2", "c", "z")),
            ("start", "b", "is inside the body of 'loop'", ("in", "start", "a", "c", "loop", "z")),
        ],
    )
    def test_node_that_is_not_on_the_way_is_refused(
        self, messages: Messages, entry: str, until: str, why: str, nodes: tuple[str, ...]
    ) -> None:
        version = publish(DRAWING, entryPoint="start")

        with pytest.raises(BadUntil) as refused:
            start_execution(version, inputs={}, entry=entry, until=until)

        assert str(refused.value) == f"{until!r} {why}; this run can stop after: {', '.join(nodes)}"
        assert (refused.value.until, refused.value.nodes) == (until, nodes)
        assert (Execution.objects.count(), messages.waiting) == (0, [])

    def test_all_that_leads_to_it_takes_part(self, messages: Messages) -> None:
        """From an input, too, which is a root whatever the run starts from."""
        run = start_execution(publish(DRAWING, entryPoint="start"), inputs={}, entry="start2", until="c")

        messages.deliver_all()

        assert statuses(run) == dict.fromkeys(["in", "start2", "c"], "completed")


class TestParent:
    def test_run_is_linked_to_the_node_that_waits_for_it(self, messages: Messages) -> None:
        version = publish("start -> a")
        above = create(version, inputs={}, trigger="api")

        run = create(version, inputs={}, trigger="workflow", parent=parent(above, depth=3))

        stored = reread(run)
        assert (stored.parent_id, stored.parent_node, stored.parent_scope) == (above.pk, "a", "loop[1]")
        assert (stored.depth, stored.trigger) == (4, "workflow")

    def test_run_that_nobody_waits_for_has_none(self, messages: Messages) -> None:
        stored = reread(create(publish("start"), inputs={}, trigger="api"))

        assert (stored.parent_id, stored.parent_node, stored.parent_scope, stored.depth) == (None, None, None, 0)

    def test_visit_has_one_child_for_ever(self, messages: Messages) -> None:
        """However often its step is written."""
        version = publish("start -> a")
        above = create(version, inputs={}, trigger="api")
        create(version, inputs={}, trigger="workflow", parent=parent(above))

        with pytest.raises(psycopg.errors.UniqueViolation, match="execution_child_once"), transaction.atomic():
            create(version, inputs={}, trigger="workflow", parent=parent(above))

        assert Execution.objects.filter(parent=above).count() == 1
        create(version, inputs={}, trigger="workflow", parent=parent(above, scope="loop[2]"))


class TestBefore:
    def test_run_is_linked_to_the_one_it_takes_over_from(self, messages: Messages) -> None:
        version = publish("start -> a")
        first = create(version, inputs={}, trigger="api")
        writes: list[Any] = [["start", "v", "value", "\0"]]

        run = create(version, inputs={}, trigger="rerun", before=Before(id=first.pk, from_node="a", replayed=writes))

        stored = reread(run)
        assert (stored.rerun_of_id, stored.rerun_from, stored.replayed) == (first.pk, "a", writes)
        assert [read_back(each.pk)[0]["data"]["rerun_of"] for each in (first, run)] == [None, str(first.pk)]
        assert (reread(first).rerun_of_id, reread(first).rerun_from, reread(first).replayed) == (None, None, None)


def parent(run: Execution, *, scope: str = "loop[1]", depth: int = 0) -> Parent:
    return Parent(id=run.pk, node_id="a", scope=scope, depth=depth)
