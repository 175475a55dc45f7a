"""Tokens that were made by hand, and the runs that come to wait for them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from executions.core import RunStatus
from executions.core.statuses import WaitpointStatus
from executions.models import Execution, Waitpoint
from executions.waited_for import told_of
from executions.waitpoints import services
from handlers import PauseKind
from tests.executions.runs import begin, outputs, reread, row
from tests.factories import WorkspaceFactory
from tests.fakes import Messages
from tests.told import read_back

pytestmark = pytest.mark.django_db(transaction=True)

NUMBER = {"type": "number"}
HOUR = timedelta(hours=1)


@pytest.fixture
def token() -> Waitpoint:
    return services.create_token(WorkspaceFactory().pk, prompt="Payment", schema=NUMBER, lasts=HOUR)


def waiting_for(token: Waitpoint, messages: Messages, *, ms: int | None = None, nodes: str = "start -> h") -> Execution:
    config = {"config": {"kind": "token", "key": str(token.pk), "prompt": "Well?", "ms": ms}}
    types = {"start": "trigger", "h": "test.ask", "h2": "test.ask"}
    run = begin(nodes, types=types, nodes={"h": config, "h2": config}, workspace=token.workspace)
    messages.deliver_all()
    return reread(run)


def told(run: Execution) -> list[object]:
    return [frame["data"]["waitpoint"] for frame in read_back(run.pk) if frame["type"] == "node:waiting"]


def test_run_tells_what_its_maker_says_of_it(token: Waitpoint, messages: Messages) -> None:
    """That is what an answer is held against; and it is waited for since the run came to it."""
    run = waiting_for(token, messages)

    [waitpoint] = told(run)
    assert waitpoint == {name: value for name, value in told_of(run.pk)[0].items() if name not in ("node_id", "scope")}
    assert [waitpoint[name] for name in ("id", "prompt", "schema")] == [str(token.pk), "Payment", NUMBER]
    assert waitpoint["since"] == row(run, "h").started_at.isoformat()


def test_what_its_maker_leaves_open_the_node_says(messages: Messages) -> None:
    run = waiting_for(services.create_token(WorkspaceFactory().pk), messages)

    [waitpoint] = told(run)
    assert waitpoint["prompt"] == told_of(run.pk)[0]["prompt"] == "Well?"


@pytest.mark.parametrize(("ms", "ends"), [(None, HOUR), (60_000, timedelta(minutes=1)), (7_200_000, HOUR)])
def test_the_earlier_end_counts(token: Waitpoint, messages: Messages, ms: int | None, ends: timedelta) -> None:
    """A token is not made to last by a run that waits for it."""
    made_at = token.created_at

    waiting_for(token, messages, ms=ms)

    token.refresh_from_db()
    assert token.due_at is not None
    assert abs(token.due_at - made_at - ends) < timedelta(seconds=30)


def test_token_that_has_its_answer_lets_the_run_go_on(token: Waitpoint, messages: Messages) -> None:
    services.answer(token.pk, 7, by="shop", kinds=[PauseKind.TOKEN])

    run = waiting_for(token, messages)

    assert (run.status, outputs(run)["h"]["answer"]) == (RunStatus.COMPLETED, 7)


def test_second_node_that_wants_it_fails(token: Waitpoint, messages: Messages) -> None:
    """It is one visit's only."""
    run = waiting_for(token, messages, nodes="start -> h, start -> h2")

    assert (run.status, run.error["code"]) == (RunStatus.FAILED, "not_found")
    token.refresh_from_db()
    assert token.status == WaitpointStatus.WITHDRAWN


def test_token_that_is_over_is_nobodys(token: Waitpoint, messages: Messages) -> None:
    Waitpoint.objects.update(status=WaitpointStatus.EXPIRED, closed_at=timezone.now())

    run = waiting_for(token, messages)

    assert (run.status, run.error["code"]) == (RunStatus.FAILED, "not_found")
