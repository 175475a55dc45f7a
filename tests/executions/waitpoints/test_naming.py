from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from executions.core import RunStatus
from executions.core.statuses import WaitpointStatus
from executions.models import Execution, Waitpoint
from executions.plans import prepared
from executions.waitpoints import services
from executions.waitpoints.errors import Answered, NoSuchWaitpoint, WaitpointNeeded, WrongKind
from handlers import PauseKind
from tests.executions.rows import over
from tests.factories import ExecutionFactory, WaitpointFactory, WorkflowVersionFactory
from tests.graphs import draw
from workflows.ids import uuid7

pytestmark = pytest.mark.django_db


@pytest.fixture
def run() -> Execution:
    """Of a workflow that starts others, as it may start itself."""
    other = {"call": {"config": {"workflow": str(uuid7())}}}
    payload = draw("start -> call", types={"start": "trigger", "call": "subWorkflow"}, nodes=other)
    return ExecutionFactory(version=WorkflowVersionFactory(workflow__definition=payload), status=RunStatus.PAUSED)


def within(parent: Execution, node_id: str = "call", scope: str = "", **fields: Any) -> Execution:
    """A run that a node of *parent* started."""
    told = {"status": RunStatus.PAUSED, **fields}
    return ExecutionFactory(version=parent.version, parent=parent, parent_node=node_id, parent_scope=scope, **told)


def asks(run: Execution, node_id: str = "ask", scope: str = "", **fields: Any) -> Waitpoint:
    return WaitpointFactory(execution=run, node_id=node_id, scope=scope, **fields)


def answered(run: Execution, node_id: str = "ask", scope: str = "", **fields: Any) -> Waitpoint:
    return asks(run, node_id, scope, status=WaitpointStatus.COMPLETED, closed_at=timezone.now(), **fields)


def answer(run: Execution, node_id: str) -> Waitpoint:
    return services.answer_in(run, "yes", by="Ada", node_id=node_id)


@pytest.mark.parametrize(
    ("name", "scope"),
    [("ask", ""), ("loop1[0]/ask", "loop1[0]"), ("loop1[12]/par[0]/ask", "loop1[12]/par[0]")],
)
def test_node_in_a_scope_is_named_by_its_path(run: Execution, name: str, scope: str) -> None:
    """As everywhere."""
    wanted = asks(run, scope=scope)
    asks(run, scope="loop1[1]")

    assert answer(run, name).pk == wanted.pk


def test_node_of_a_run_within_is_named_by_the_path_of_the_node_that_started_it(run: Execution) -> None:
    """At any depth, in whatever scopes."""
    child = within(run, "call", "par[1]")
    grandchild = within(child, "again", "loop[0]")
    wanted = asks(grandchild, scope="loop[2]")
    asks(child, scope="loop[2]")

    assert answer(run, "par[1]/call/loop[0]/again/loop[2]/ask").pk == wanted.pk


def test_plain_id_means_the_only_one_that_is_open_wherever_it_is(run: Execution) -> None:
    """People do not know how workflows are nested."""
    answered(run, scope="loop[0]")
    wanted = asks(within(run), scope="loop[3]")

    assert answer(run, "ask").pk == wanted.pk


def test_plain_id_that_fits_several_is_refused_with_their_paths(run: Execution) -> None:
    """A name is never guessed at."""
    asks(run, scope="par[0]")
    asks(within(run), scope="par[1]")

    with pytest.raises(WaitpointNeeded) as refused:
        answer(run, "ask")

    assert [named.path for named in refused.value.candidates] == ["call/par[1]/ask", "par[0]/ask"]
    assert refused.value.total == 2


def test_name_that_is_a_path_means_that_node_though_others_have_the_same_id(run: Execution) -> None:
    """Else a node at the top could not be named at all; and an answer sent twice would go to another question."""
    asks(within(run))
    answered(run)

    with pytest.raises(Answered):
        answer(run, "ask")


def test_name_of_what_is_closed_tells_of_the_newest(run: Execution) -> None:
    """Which is the one that was meant."""
    answered(run, scope="loop[1]")
    expired = asks(run, scope="loop[0]", status=WaitpointStatus.WITHDRAWN, closed_at=timezone.now())
    Waitpoint.objects.filter(pk=expired.pk).update(created_at=timezone.now() - timedelta(hours=1))

    with pytest.raises(Answered):
        answer(run, "ask")


def test_name_of_what_another_door_answers_says_so(run: Execution) -> None:
    """It is there, but no question to people."""
    asks(run, "later", kind=PauseKind.TIMER)

    with pytest.raises(WrongKind, match="later waits for a moment"):
        answer(run, "later")


@pytest.mark.parametrize("name", ["nobody", "loop1[9]/ask", "call/ask", "ask/ask", "/", "[0]", "loop1[0]"])
def test_name_of_nothing_is_unknown(run: Execution, name: str) -> None:
    """Whatever is written."""
    asks(run, scope="loop1[0]")

    with pytest.raises(NoSuchWaitpoint) as refused:
        answer(run, name)

    assert refused.value.name == name


def test_waitpoint_is_named_by_its_id_from_any_run_around_it(run: Execution) -> None:
    """Whoever was told of it by an event has the id."""
    child = within(within(run), "again")
    waitpoint = asks(child)

    services.answer_in(run, "yes", by="Ada", waitpoint_id=waitpoint.pk)

    assert Waitpoint.objects.get(pk=waitpoint.pk).answer == "yes"


def test_id_of_a_waitpoint_of_another_run_is_unknown(run: Execution) -> None:
    """Of a run beside it, of one around it, and of none."""
    others = [
        asks(ExecutionFactory(version=run.version, status=RunStatus.PAUSED)).pk,
        services.create_token(run.workspace_id).pk,
        uuid7(),
    ]
    others.append(asks(run).pk)
    child = within(run)

    for other in others:
        with pytest.raises(NoSuchWaitpoint):
            services.answer_in(child, "yes", by="Ada", waitpoint_id=other)

    assert not Waitpoint.objects.exclude(status="open").exists()


def test_questions_of_a_run_cost_a_query_a_level_however_many_runs(
    run: Execution, django_assert_num_queries: Any
) -> None:
    """Those that are over are not looked at: they ask nothing any more."""
    for number in range(3):
        asks(within(within(run, scope=f"par[{number}]")))
        within(run, scope=f"done[{number}]", **over(RunStatus.COMPLETED))

    prepared(run.version_id)  # of many runs, read once

    with django_assert_num_queries(4), pytest.raises(WaitpointNeeded) as refused:
        services.answer_in(run, "yes", by="Ada")

    assert [named.path for named in refused.value.candidates] == [f"par[{number}]/call/call/ask" for number in range(3)]
