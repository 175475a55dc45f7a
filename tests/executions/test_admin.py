from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client

from executions import admin
from executions.core import NodeStatus, Parts, RunStatus
from executions.models import Execution, ExecutionState
from executions.services import pause_execution
from tests.executions.runs import begin
from tests.factories import (
    ExecutionFactory,
    NodeRunFactory,
    UserFactory,
    WorkflowFactory,
    WorkflowVersionFactory,
)
from tests.fakes import Messages

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
LIST = "/admin/executions/execution/"


@pytest.fixture
def operator(db: None) -> Client:
    browser = Client()
    browser.force_login(UserFactory(username="olga", is_staff=True, is_superuser=True))
    return browser


def ended(status: RunStatus, **fields: Any) -> Execution:
    return ExecutionFactory(status=status, started_at=NOON, ended_at=NOON + timedelta(seconds=2.5), **fields)


def shown(response: Any) -> list[Execution]:
    return list(response.context["cl"].result_list)


@pytest.mark.parametrize("number", [1, 3])
def test_runs_listed_cost_the_same_however_many(
    operator: Client, django_assert_max_num_queries: Any, number: int
) -> None:
    """No query per run, and none of their JSON: session, user, count, page, and the choices of the filters."""
    for _ in range(number):
        ended(RunStatus.COMPLETED)

    with django_assert_max_num_queries(7) as queries:
        response = operator.get(LIST)

    assert len(shown(response)) == number
    assert not any('"plan"' in query["sql"] or '."definition"' in query["sql"] for query in queries)


def test_run_listed_shows_its_status_its_duration_and_the_way_to_watch_it(operator: Client) -> None:
    """One row tells how it went."""
    run = ended(RunStatus.FAILED, created_at=NOON)

    page = operator.get(LIST).content.decode()

    assert '<span class="run-status run-failed">failed</span>' in page
    assert '<td class="field-created">2026-05-04 12:00:00 UTC</td>' in page
    assert '<td class="field-duration">2.500 s</td>' in page
    assert f'<a href="/executions/{run.pk}/live">watch</a>' in page


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["b", "a"]),
        ("?status__exact=failed", ["a"]),
        ("?q=refund", ["a"]),
        ("?workflow={refunds}", ["a"]),
        ("?created_at__gte=2026-05-04+12:30:00Z", ["b"]),
    ],
)
def test_runs_filtered_are_those_that_fit(operator: Client, query: str, found: list[str]) -> None:
    """By status, time and workflow."""
    refunds = WorkflowVersionFactory(workflow=WorkflowFactory(name="Refunds"))
    ended(RunStatus.FAILED, version=refunds, entry="a", created_at=NOON)
    ended(RunStatus.COMPLETED, entry="b", created_at=NOON + timedelta(hours=1))

    response = operator.get(LIST + query.format(refunds=refunds.workflow_id))

    assert [run.entry for run in shown(response)] == found


def test_filter_that_makes_no_sense_is_set_aside(operator: Client) -> None:
    """A link somebody mangled leads to the list, and not to an error page."""
    ended(RunStatus.COMPLETED)

    response = operator.get(f"{LIST}?workflow=nonsense")

    assert (response.status_code, response["Location"]) == (302, f"{LIST}?e=1")


def test_run_is_found_by_its_id(operator: Client) -> None:
    """As it is copied from a log, blanks and all."""
    run = ended(RunStatus.COMPLETED)
    ended(RunStatus.COMPLETED)

    response = operator.get(LIST, {"q": f" {run.pk} "})

    assert shown(response) == [run]


def test_run_shown_has_its_json_and_its_nodes_and_no_form(operator: Client) -> None:
    """What it was given and gave back, each cut where it is long; nothing to type into."""
    run = ended(RunStatus.COMPLETED, inputs={"name": "<Ada>"}, outputs={"said": "x" * 5_000})
    NodeRunFactory(execution=run, status=NodeStatus.COMPLETED, output={"said": "hi"}, started_at=NOON, ended_at=NOON)

    page = operator.get(f"{LIST}{run.pk}/change/").content.decode()

    assert "&quot;name&quot;: &quot;&lt;Ada&gt;&quot;" in page
    assert page.count("Cut; the API has all of it.") == 1
    assert "&quot;said&quot;: &quot;hi&quot;" in page
    assert re.findall(r'<(?:input type="(?!hidden)\w+"|select|textarea)[^>]* name=', page) == []


def test_run_of_many_nodes_shows_the_newest(operator: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run of ten thousand nodes still opens."""
    monkeypatch.setattr(admin.NewestNodes, "most", 2)
    run = ended(RunStatus.COMPLETED)
    for number in range(3):
        NodeRunFactory(execution=run, node_id=f"n{number}", ready_at=NOON + timedelta(seconds=number))

    page = operator.get(f"{LIST}{run.pk}/change/").content.decode()

    assert re.findall(r'field-node_id">\s*<p>(n\d)</p>', page) == ["n2", "n1"]


def test_node_shown_says_when_its_next_attempt_is_and_what_went_before(operator: Client) -> None:
    """Why a run seems to stand still."""
    run = ExecutionFactory(status=RunStatus.RUNNING)
    past = {"attempt": 1, "started_at": "", "ended_at": "", "error": {"message": "busy"}}
    NodeRunFactory(execution=run, attempt=2, due_at=NOON, history=[past])

    page = operator.get(f"{LIST}{run.pk}/change/").content.decode()

    assert re.findall(r'field-due">\s*<p>(.*?)</p>', page) == ["2026-05-04 12:00:00 UTC"]
    assert "&quot;message&quot;: &quot;busy&quot;" in page


def test_run_shown_leads_to_the_run_that_started_it(operator: Client) -> None:
    """With the node there that waits for it."""
    parent = ended(RunStatus.COMPLETED)
    run = ended(RunStatus.COMPLETED, parent=parent, parent_node="call", parent_scope="loop1[2]")

    page = operator.get(f"{LIST}{run.pk}/change/").content.decode()

    assert f'loop1[2]/call of <a href="{LIST}{parent.pk}/change/">{parent.pk}</a>' in page
    assert "runs it started" not in page


@pytest.mark.django_db(transaction=True)
def test_run_shown_says_why_it_is_paused_and_since_when(operator: Client, messages: Messages) -> None:
    run = begin("start -> a")
    pause_execution(run.pk)

    page = operator.get(f"{LIST}{run.pk}/change/").content.decode()

    since = datetime.fromisoformat(ExecutionState.objects.get(pk=run.pk).state["paused_at"])
    assert f"requested, since {since:%Y-%m-%d %H:%M:%S} UTC" in page


@pytest.mark.parametrize(("from_node", "told"), [("b", " from b"), (None, "")])
def test_run_shown_leads_to_the_run_it_took_over_from(operator: Client, from_node: str | None, told: str) -> None:
    before = ended(RunStatus.FAILED)
    run = ended(RunStatus.COMPLETED, rerun_of=before, rerun_from=from_node)

    page = operator.get(f"{LIST}{run.pk}/change/").content.decode()

    assert f'<a href="{LIST}{before.pk}/change/">{before.pk}</a>{told}<' in page


@pytest.mark.parametrize("number", [1, 3])
def test_run_shown_leads_to_the_runs_it_started(
    operator: Client, django_assert_max_num_queries: Any, number: int
) -> None:
    """However many, at the same cost."""
    run = ended(RunStatus.COMPLETED)
    of_it = [
        ended(RunStatus.FAILED, parent=run, parent_node="call", parent_scope=f"loop1[{place}]")
        for place in range(number)
    ]

    with django_assert_max_num_queries(16):
        page = operator.get(f"{LIST}{run.pk}/change/").content.decode()

    found = set(re.findall(rf'<a href="{LIST}([0-9a-f-]+)/change/">', page))
    assert found == {str(child.pk) for child in of_it}


def test_run_of_many_children_shows_the_newest(operator: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """A loop may start a thousand."""
    monkeypatch.setattr(admin.NewestChildren, "most", 2)
    run = ended(RunStatus.COMPLETED)
    for place in range(3):
        moment = NOON + timedelta(seconds=place)
        ended(RunStatus.COMPLETED, parent=run, parent_node="call", parent_scope=f"loop1[{place}]", created_at=moment)

    page = operator.get(f"{LIST}{run.pk}/change/").content.decode()

    assert re.findall(r'field-parent_scope">\s*<p>(.*?)</p>', page) == ["loop1[2]", "loop1[1]"]


@pytest.mark.parametrize("path", ["add/", "{id}/delete/"])
def test_run_is_neither_added_nor_deleted_here(operator: Client, path: str) -> None:
    """History is not made or unmade by hand."""
    run = ended(RunStatus.COMPLETED)

    response = operator.get(LIST + path.format(id=run.pk))

    assert response.status_code == 403
    assert Execution.objects.exists()


def test_runs_cancelled_are_those_that_were_not_over_and_it_is_on_record(operator: Client) -> None:
    """By the API's service, with the operator's name in the run and in the admin's log."""
    live, over = ExecutionFactory(), ended(RunStatus.COMPLETED)

    response = operator.post(LIST, {"action": "cancel", "_selected_action": [str(live.pk), str(over.pk)]}, follow=True)

    statuses = dict(Execution.objects.values_list("pk", "status"))
    assert statuses == {live.pk: "cancelled", over.pk: "completed"}
    assert live.events.get().data["reason"] == "Cancelled by olga"
    assert [(entry.object_id, entry.get_change_message()) for entry in LogEntry.objects.all()] == [
        (str(live.pk), "Cancelled.")
    ]
    assert [str(message) for message in response.context["messages"]] == ["Cancelled 1; 1 were over already."]


def test_large_outputs_are_shown_by_their_size(operator: Client) -> None:
    """They are not in the database, and nobody waits for a storage to see how a run went."""
    parts = Parts(nodes=("start",), named=False, characters=300_000, bytes=300_000)
    run = ended(RunStatus.COMPLETED, outputs_ref=parts.dump())
    NodeRunFactory(execution=run, status=NodeStatus.COMPLETED, output_ref={"characters": 299_998})

    page = operator.get(f"{LIST}{run.pk}/change/").content.decode()

    assert "300,000 characters; the API has all of it." in page
    assert "299,998 characters; the API has all of it." in page


def test_staff_who_may_only_look_cannot_cancel(db: None) -> None:
    """To end a run is to change it."""
    looker = UserFactory(is_staff=True)
    looker.user_permissions.add(Permission.objects.get(codename="view_execution"))
    browser = Client()
    browser.force_login(looker)
    run = ExecutionFactory()

    page = browser.get(LIST)
    browser.post(LIST, {"action": "cancel", "_selected_action": [str(run.pk)]})

    assert shown(page) == [run]
    assert Execution.objects.get().status == RunStatus.PENDING


def test_pages_hold_no_script_of_their_own(operator: Client) -> None:
    """They work under a policy that forbids inline script and style."""
    run = ended(RunStatus.COMPLETED)
    NodeRunFactory(execution=run)

    pages = [operator.get(LIST).content.decode(), operator.get(f"{LIST}{run.pk}/change/").content.decode()]

    for page in pages:
        assert re.findall(r"<script(?![^>]*\s(?:src|type=\"application/json\"))[^>]*>", page) == []
        assert re.findall(r"\sstyle=|\son\w+=", page) == []
