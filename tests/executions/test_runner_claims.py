"""A worker that stands still between the claim of a node and its run, and what others make of that meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from time import monotonic
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django.fixtures import Settings

from executions import hotpath, runner
from executions.core import RunStatus
from executions.models import NodeRun
from executions.sweep import recover_lost_nodes
from tests.executions.accidents import lease_runs_out
from tests.executions.runs import begin, outputs, reread, row
from tests.fakes import Messages
from tests.nodes import counted

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(params=["held", "sent"])
def claims(request: pytest.FixtureRequest, settings: Settings) -> tuple[str, ...]:
    """The statements by which a node comes to its driver, or to who was sent it: one of them is the claim."""
    if request.param == "sent":
        settings.FLOWMAESTRO_LANES = ["drive"]
        return ("claim",)
    return ("save",)


@pytest.fixture
def stand_still_after(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Have the process stand still for an hour when node a is claimed, while *meanwhile* happens."""

    def arrange(claims: tuple[str, ...], meanwhile: Callable[[], Any]) -> None:
        def around(real: Callable[..., Any]) -> Callable[..., Any]:
            def claim(*args: Any, **named: Any) -> Any:
                answer = real(*args, **named)
                if clock[0] == 0 and NodeRun.objects.filter(node_id="a", status="running").exists():
                    clock[0] = 3600
                    meanwhile()
                return answer

            return claim

        for name in claims:
            monkeypatch.setattr(hotpath, name, around(getattr(hotpath, name)))

    clock = [0.0]
    monkeypatch.setattr(runner, "monotonic", lambda: monotonic() + clock[0])
    return arrange


def lose() -> None:
    """Others take what the process held."""
    lease_runs_out()
    assert recover_lost_nodes(timezone.now()) == 1


def test_node_that_was_given_to_others_is_not_begun(
    messages: Messages, claims: tuple[str, ...], stand_still_after: Callable[..., None]
) -> None:
    """Its outcome would be refused; but what it does would be done again, perhaps after the node is completed."""
    run = begin("start -> a -> b", default="test.count")
    stand_still_after(claims, lose)

    messages.deliver_all()

    assert reread(run).status == RunStatus.COMPLETED
    assert counted(run.pk) == {"a": 1, "b": 1}
    assert (row(run, "a").attempt, row(run, "a").lost) == (2, 1)


def test_node_that_is_still_ours_is_run(
    messages: Messages, claims: tuple[str, ...], stand_still_after: Callable[..., None]
) -> None:
    """Nobody has noticed: the process stood still for less than its lease, or everybody did."""
    run = begin("start -> a -> b", default="test.count")
    stand_still_after(claims, lambda: None)

    messages.deliver_all()

    assert reread(run).status == RunStatus.COMPLETED
    assert counted(run.pk) == {"a": 1, "b": 1}
    assert row(run, "a").attempt == 1


def test_no_connection_is_held_after_the_question(
    messages: Messages,
    scripts: dict[str, Any],
    claims: tuple[str, ...],
    stand_still_after: Callable[..., None],
) -> None:
    """While an effect runs, others have it."""
    held: list[bool] = []

    def look(node: Any, lent: Any) -> Any:
        held.append(connection.connection is not None)
        return runner.NodeOutput(data={})

    scripts["a"] = look
    run = begin("start -> a", types={"start": "trigger", "a": "test.script"})
    stand_still_after(claims, lambda: None)

    messages.deliver_all()

    assert (held, outputs(run)["a"]) == ([False], {})
