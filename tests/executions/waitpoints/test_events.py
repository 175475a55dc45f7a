from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from executions.models import Waitpoint
from executions.waitpoints import events
from executions.waitpoints.events import matches_all
from handlers import PauseKind
from tests.executions.runs import begin, outputs, reread
from tests.factories import WaitpointFactory
from tests.fakes import Messages

PAID = {"order": {"id": 7, "items": [{"sku": "tea"}]}, "total": 12.5, "order.id": 8}


@pytest.mark.parametrize(
    ("matches", "does"),
    [
        ({}, True),
        ({"total": 12.5}, True),
        ({"total": "12.5"}, False),
        ({"order.items.0.sku": "tea"}, True),
        ({"order.items.1.sku": "tea"}, False),
        ({"order.items.x.sku": "tea"}, False),
        ({"order": {"id": 7, "items": [{"sku": "tea"}]}}, True),
        ({"order.id": 8}, True),  # a field of that very name comes before the path
        ({"order.id": 7}, False),
        ({"order.id.deeper": 7}, False),
        ({"nothing": None}, False),  # absent is not null
        ({"total": 12.5, "nothing": None}, False),
    ],
)
def test_payload_matches_when_each_path_leads_to_its_value(matches: Any, does: bool) -> None:
    """Exactly: types included."""
    assert matches_all(PAID, matches) is does


@pytest.mark.parametrize("payload", [None, 7, "order", [1]])
def test_payload_that_is_no_object_matches_what_asks_for_nothing(payload: Any) -> None:
    """It has no fields."""
    assert matches_all(payload, {})
    assert not matches_all(payload, {"order": 7})


@pytest.mark.django_db
class TestReceive:
    def wait(self, **fields: Any) -> Waitpoint:
        return WaitpointFactory(**{"kind": PauseKind.EVENT, "key": "order.paid", **fields})

    def receive(self, waitpoint: Waitpoint, payload: Any = None) -> int:
        return events.receive(waitpoint.workspace_id, type="order.paid", payload=payload or PAID, by="event 1")

    def test_whatever_waits_for_the_event_gets_its_payload(self) -> None:
        """All of it at once."""
        first = self.wait(matches={"total": 12.5})
        second = self.wait(execution=first.execution, node_id="also")

        completed = self.receive(first)

        assert completed == 2
        stored = Waitpoint.objects.filter(pk__in=[first.pk, second.pk])
        assert [(each.status, each.answer, each.answered_by) for each in stored] == [("completed", PAID, "event 1")] * 2

    @pytest.mark.parametrize(
        "other",
        [
            {"key": "order.shipped"},
            {"matches": {"total": 1}},
            {"schema": {"required": ["customer"]}},
            {"due_at": timezone.now() - timedelta(days=1)},
            {"status": "completed", "closed_at": timezone.now(), "answer": "first"},
            {"kind": PauseKind.TOKEN},
        ],
        ids=lambda fields: next(iter(fields)),
    )
    def test_what_waits_for_something_else_does_not_get_it(self, other: dict[str, Any]) -> None:
        """And is as it was."""
        waitpoint = self.wait(**other)

        assert self.receive(waitpoint) == 0

        stored = Waitpoint.objects.get(pk=waitpoint.pk)
        assert (stored.status, stored.answer) == (waitpoint.status, waitpoint.answer)

    def test_event_of_a_workspace_is_of_no_other(self) -> None:
        """Whatever it is called."""
        ours, theirs = self.wait(), self.wait()

        assert self.receive(ours) == 1

        assert Waitpoint.objects.get(pk=theirs.pk).status == "open"

    def test_schema_that_many_branches_share_is_checked_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """It may take a second each time."""
        checked: list[Any] = []
        monkeypatch.setattr(events, "check_answer", lambda schema, value: checked.append(schema) or [])
        first = self.wait(schema={"type": "object"})
        for number in range(3):
            self.wait(execution=first.execution, scope=f"par[{number}]", schema={"type": "object"})

        assert self.receive(first) == 4

        assert checked == [{"type": "object"}]


@pytest.mark.django_db(transaction=True)
def test_run_that_waits_goes_on_with_the_payload(messages: Messages) -> None:
    """A branch each, and what comes before a run waits passes by."""
    nodes = {"par": {"config": {"count": 2}}, "h": {"config": {"kind": "event", "key": "order.paid"}}}
    run = begin("start -> par -> z, par:body -> h", types={"start": "trigger", "h": "test.ask"}, nodes=nodes)
    assert events.receive(run.workspace_id, type="order.paid", payload={"early": 1}, by="x") == 0
    messages.deliver_all()

    completed = events.receive(run.workspace_id, type="order.paid", payload={"id": 7}, by="x")
    messages.deliver_all()

    assert (completed, reread(run).status) == (2, "completed")
    assert [branch["h"]["answer"] for branch in outputs(run)["par"]["results"]] == [{"id": 7}, {"id": 7}]
