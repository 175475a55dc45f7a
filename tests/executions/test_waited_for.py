from __future__ import annotations

from typing import Any

import pytest

from executions.core import RunStatus
from executions.models import Execution, Waitpoint
from executions.services import cancel_execution, pause_execution
from executions.waited_for import told_of, waited_for
from executions.waitpoints import services
from handlers import PauseKind
from tests.doors import Api, data
from tests.executions.families import children_of
from tests.executions.runs import begin, publish, reread
from tests.fakes import Messages
from tests.told import read_back

pytestmark = pytest.mark.django_db(transaction=True)

ASKS = {"start": "trigger", "h": "test.ask", "h2": "test.ask"}


def asking(drawing: str, **more: Any) -> Execution:
    return begin(drawing, types=ASKS, **more)


def with_child(messages: Messages) -> Execution:
    """A loop whose iterations ask in a run of their own, beside a question of its own."""
    child = publish("start -> h", types=ASKS)
    run = asking(
        "start -> h2, start -> loop, loop:body -> call",
        nodes={
            "call": {"type": "subWorkflow", "config": {"workflow": str(child.workflow_id)}},
            "loop": {"config": {"count": 2}},
        },
        workspace=child.workflow.workspace,
    )
    messages.deliver_all()
    return reread(run)


def test_it_is_told_as_the_events_tell_it(messages: Messages) -> None:
    run = asking("start -> h, start -> h2", nodes={"h": {"config": {"kind": "event", "key": "paid", "ms": 60_000}}})
    messages.deliver_all()

    told = [frame for frame in read_back(run.pk) if frame["type"] == "node:waiting"]

    assert told_of(run.pk) == [
        {"node_id": frame["node_id"], "scope": "", **frame["data"]["waitpoint"]} for frame in told
    ]
    assert [frame["data"]["waitpoint"]["event"] for frame in told] == [{"type": "paid", "matches": {}}, None]


def test_what_is_answered_is_told_until_its_run_has_taken_notice(messages: Messages) -> None:
    """Of those who follow it nobody knows yet; but nobody can answer it again."""
    run = asking("start -> h")
    messages.deliver_all()

    services.answer(Waitpoint.objects.get().pk, "yes", by="somebody", kinds=[PauseKind.HUMAN])

    assert [wait["node_id"] for wait in told_of(run.pk)] == ["h"]
    assert waited_for(reread(run)) == []


def test_runs_within_it_are_waited_for_by_their_path(messages: Messages) -> None:
    run = with_child(messages)

    found = waited_for(run)

    [child] = children_of(run)
    assert [(wait["path"], wait["execution_id"]) for wait in found] == [
        ("h2", str(run.pk)),
        ("loop[0]/call/h", str(child.pk)),
    ]


@pytest.mark.parametrize("number", [1, 3])
def test_it_costs_the_same_however_many(messages: Messages, django_assert_num_queries: Any, number: int) -> None:
    """The waitpoints; and where nodes start runs, those of each level."""
    run = asking("start -> par, par:body -> h", nodes={"par": {"config": {"mode": "count", "count": number}}})
    messages.deliver_all()
    run = reread(run)

    with django_assert_num_queries(1):
        found = waited_for(run)

    assert len(found) == number


def test_no_more_are_told_than_asked_for(messages: Messages) -> None:
    run = asking("start -> par, par:body -> h", nodes={"par": {"config": {"mode": "count", "count": 3}}})
    messages.deliver_all()

    assert [wait["path"] for wait in waited_for(reread(run), most=2)] == ["par[0]/h", "par[1]/h"]


class TestApi:
    def test_paused_run_says_why_and_what_it_waits_for(self, messages: Messages) -> None:
        run = asking("start -> h", nodes={"h": {"config": {"prompt": "Ship it?", "votes": [2, 3]}}})
        messages.deliver_all()
        waitpoint = Waitpoint.objects.get()

        shown = data(Api(run.workspace).get(f"/executions/{run.pk}"))

        paused = next(frame for frame in read_back(run.pk) if frame["type"] == "execution:paused")
        assert (shown["status"], shown["pause"]["reason"]) == ("paused", "waiting")
        assert shown["pause"]["since"].rstrip("Z") == paused["timestamp"].removesuffix("+00:00")
        assert shown["waiting_for"] == [
            {
                "id": str(waitpoint.pk),
                "execution_id": str(run.pk),
                "node_id": "h",
                "scope": "",
                "path": "h",
                "kind": "human",
                "prompt": "Ship it?",
                "schema": None,
                "form": {},
                "votes": {"needed": 2, "voters": 3},
                "event": None,
                "since": waitpoint.created_at.isoformat(),
                "wakes_at": None,
                "expires_at": None,
            }
        ]

    def test_run_that_is_held_says_so(self, messages: Messages) -> None:
        """It may have been waiting, too."""
        run = asking("start -> h")
        messages.deliver_all()
        pause_execution(run.pk)

        shown = data(Api(run.workspace).get(f"/executions/{run.pk}"))

        assert shown["pause"]["reason"] == "requested"
        assert [wait["path"] for wait in shown["waiting_for"]] == ["h"]

    def test_run_that_is_over_waits_for_nothing(self, messages: Messages) -> None:
        run = asking("start -> h")
        messages.deliver_all()
        cancel_execution(run.pk)

        shown = data(Api(run.workspace).get(f"/executions/{run.pk}"))

        assert (shown["status"], shown["pause"], shown["waiting_for"]) == (RunStatus.CANCELLED, None, [])

    def test_node_that_waits_says_so(self, messages: Messages) -> None:
        run = asking("start -> h")
        messages.deliver_all()

        nodes = data(Api(run.workspace).get(f"/executions/{run.pk}/nodes"))

        assert {node["node_id"]: node["status"] for node in nodes} == {"start": "completed", "h": "waiting"}
