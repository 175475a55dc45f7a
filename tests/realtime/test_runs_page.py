from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl

import pytest
from django.http import HttpResponse
from django.test import Client

from executions import tickets
from executions.core import RunStatus
from executions.models import Execution, ExecutionState
from handlers import PauseKind
from realtime import listing
from tests.executions.rows import NOON, over, run_of
from tests.factories import MemberFactory, NodeRunFactory, UserFactory, WaitpointFactory, WorkspaceFactory
from workflows.models import User, Workspace
from workflows.workspaces.roles import Role

pytestmark = pytest.mark.django_db


@pytest.fixture
def workspace() -> Workspace:
    return WorkspaceFactory(name="Acme & <Sons>")


@pytest.fixture
def client(workspace: Workspace) -> Client:
    """Logged in as an owner."""
    return logged_in(MemberFactory(workspace=workspace, user__password=None).user)


def logged_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def shown(client: Client, query: Any = None) -> str:
    answer: HttpResponse = client.get("/runs/", query)
    assert answer.status_code == 200
    return answer.content.decode()


def listed(html: str) -> list[str]:
    return re.findall(r'<tr data-run="([^"]+)"', html)


def data_of(html: str) -> Any:
    return json.loads(re.search(r'<script id="runs" type="application/json">(.*?)</script>', html, re.DOTALL)[1])


def words(html: str) -> str:
    """What is to be read of the rows."""
    return " ".join(re.sub(r"<[^>]+>", " ", html[html.index("<tbody>") : html.index("</tbody>")]).split())


# ---- what it shows


def test_page_lists_the_runs_of_the_workspace_newest_first(client: Client, workspace: Workspace) -> None:
    """And nobody else's; what people wrote is text, never markup."""
    old = run_of(workspace, name="Old <b>", created_at=NOON, inputs={"who": "<b>"}, tags=["<u>"])
    new = run_of(workspace, created_at=NOON + timedelta(hours=1))
    run_of(WorkspaceFactory())

    html = shown(client)

    assert listed(html) == [str(new.pk), str(old.pk)]
    assert f'href="/executions/{old.pk}/live">Old &lt;b&gt;</a>' in html
    assert re.search(r"<[bu]>", html) is None
    assert "Acme &amp; &lt;Sons&gt;" in html


def test_row_of_a_run_says_how_it_went(client: Client, workspace: Workspace) -> None:
    """What it took without its pauses, what it cost, why it failed."""
    run = run_of(workspace, **over(RunStatus.FAILED, error={"message": "boom", "code": "error"}, created_at=NOON))
    for cost in (0.02, 0.1, None):
        usage = {"total_tokens": 5, "cost_usd": cost}
        NodeRunFactory(execution=run, node_id=f"n{cost}", status="completed", usage=usage)

    told = words(shown(client))

    assert "Failed boom api 2026-05-04 12:00 UTC 1.5 s $0.1200" in told


def stands(run: Execution, marks: str, **more: Any) -> None:
    """Fold *run* by hand: a letter per node of the top level, as `executions.core.state` has them."""
    state = {"format": 3, "status": run.status, "started_at": NOON.isoformat(), "scopes": {"": [marks, {}]}}
    ExecutionState.objects.filter(pk=run.pk).update(state={**state, "variables": {}, **more})


def test_row_of_a_run_under_way_says_how_far_it_is(client: Client, workspace: Workspace) -> None:
    """In nodes of the top level that are through, of those that take part; its script counts the seconds."""
    run = run_of(workspace, status=RunStatus.RUNNING, started_at=NOON)
    stands(run, "cspg.o")

    html = shown(client)

    assert '<progress max="5" value="3"' in html
    assert f'data-began="{NOON.isoformat()}" data-paused-ms="0"' in html


@pytest.mark.parametrize(
    ("kinds", "held", "because"),
    [
        ([PauseKind.HUMAN], False, "waits for an answer"),
        ([PauseKind.TIMER], False, "waits for a moment"),
        ([PauseKind.EVENT], False, "waits for an event"),
        ([PauseKind.TOKEN, PauseKind.HUMAN], False, "waits for a token and 1 more"),
        ([PauseKind.HUMAN], True, "on request"),
        ([], False, "waits for a run that it started"),
    ],
    ids=["answer", "moment", "event", "two", "held", "child"],
)
def test_row_of_a_paused_run_says_why(
    client: Client, workspace: Workspace, kinds: list[PauseKind], held: bool, because: str
) -> None:
    run = run_of(workspace, status=RunStatus.PAUSED, started_at=NOON)
    for number, kind in enumerate(kinds):
        WaitpointFactory(execution=run, node_id=f"n{number}", kind=kind)
    stands(run, "w" * len(kinds), paused_at=NOON.isoformat(), **({"held": True} if held else {}))

    assert f"Paused {because} api" in words(shown(client))


def test_page_costs_as_many_queries_for_three_runs_as_for_one(
    client: Client, workspace: Workspace, django_assert_num_queries: Any
) -> None:
    """Session and user, workspaces, runs, states, costs, waits, workflows, role: whatever they hold."""
    for count in (1, 2):
        for _ in range(count):
            run = run_of(workspace, status=RunStatus.PAUSED, started_at=NOON)
            WaitpointFactory(execution=run)
        with django_assert_num_queries(9):
            shown(client)


# ---- pages


def test_pages_lead_through_all_runs_and_back(
    client: Client, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """None missing, none twice, also where several were made in the same moment."""
    monkeypatch.setattr(listing, "PER_PAGE", 2)
    made = [run_of(workspace, created_at=NOON + timedelta(seconds=number // 3)) for number in range(5)]
    in_order = [str(run.pk) for run in sorted(made, key=lambda run: (run.created_at, run.pk), reverse=True)]

    first = shown(client)
    second = shown(client, follow(first, "next"))
    third = shown(client, follow(second, "next"))
    back = shown(client, follow(third, "prev"))

    assert [listed(html) for html in (first, second, third)] == [in_order[:2], in_order[2:4], in_order[4:]]
    assert listed(back) == listed(second)
    assert ('rel="prev"' in first, 'rel="next"' in third) == (False, False)


def follow(html: str, rel: str) -> dict[str, str]:
    found = re.search(rf'<a href="\?([^"]*)" rel="{rel}">', html)
    assert found is not None
    return dict(parse_qsl(found[1].replace("&amp;", "&")))


@pytest.mark.parametrize("key", ["x", "2026-05-04T12:00:00Z_nobody", "9999-99-99T12:00:00Z_" + "a" * 36])
def test_page_whose_key_is_none_is_the_newest(client: Client, workspace: Workspace, key: str) -> None:
    run = run_of(workspace)

    assert listed(shown(client, {"before": key})) == [str(run.pk)]


# ---- filters


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, "ba"),
        ({"status": "failed"}, "a"),
        ({"status": "live"}, "b"),
        ({"trigger": "schedule"}, "b"),
        ({"tag": "x"}, "a"),
        ({"search": "greet"}, "a"),
        ({"created_after": "2026-05-05"}, "b"),
        ({"created_before": "2026-05-05"}, "a"),
        ({"span": "1h"}, ""),
        ({"span": "for ever"}, "ba"),
        ({"status": "failed", "tag": "y"}, ""),
    ],
)
def test_filters_in_the_address_narrow_the_list(
    client: Client, workspace: Workspace, query: dict[str, str], found: str
) -> None:
    """They are in the form again, so that the next one is added to them."""
    made = {
        "a": run_of(workspace, **over(RunStatus.FAILED), name="Greet", tags=["x"], created_at=NOON),
        "b": run_of(workspace, trigger="schedule", created_at=NOON + timedelta(days=1)),
    }
    names = {str(run.pk): name for name, run in made.items()}

    html = shown(client, query)

    assert "".join(names[run] for run in listed(html)) == found
    assert all(f'name="{name}" value="{text}"' in html for name, text in query.items() if name in ("tag", "search"))


def test_workflow_that_is_filtered_by_is_chosen_in_the_form(client: Client, workspace: Workspace) -> None:
    run = run_of(workspace, name="Greet")
    run_of(workspace)

    html = shown(client, {"workflow_id": str(run.workflow_id)})

    assert listed(html) == [str(run.pk)]
    assert f'<option value="{run.workflow_id}" selected>Greet</option>' in html


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ({}, "No runs yet"),
        ({"tag": "x"}, "No run fits"),
        ({"workflow_id": "nobody"}, "That filter cannot be read"),
        ({"created_after": "yesterday"}, "That filter cannot be read"),
        ({"before": "2026-05-04T12:00:00Z_0198c5a2-5c1e-7d3a-9f00-3d6f0c3b8a11"}, "There is nothing on this page"),
    ],
)
def test_list_that_is_empty_says_why(client: Client, query: dict[str, str], says: str) -> None:
    assert f"<h2>{says}</h2>" in shown(client, query)


def test_part_of_the_page_is_the_rows_alone(client: Client, workspace: Workspace) -> None:
    """What the script fetches to keep up to date: narrowed like the page."""
    run = run_of(workspace, tags=["x"])
    run_of(workspace)

    part = shown(client, {"tag": "x", "part": "rows"})

    assert listed(part) == [str(run.pk)]
    assert "<html" not in part


# ---- what can be done


def test_list_to_choose_from_leads_to_the_comparison_with_each(client: Client, workspace: Workspace) -> None:
    """But not with the run itself; the filters keep what is chosen for."""
    one, other = run_of(workspace), run_of(workspace)

    html = shown(client, {"compare": str(one.pk)})

    assert re.findall(r'href="(/runs/compare[^"]*)"', html) == [f"/runs/compare?a={one.pk}&amp;b={other.pk}"]
    assert f'<input type="hidden" name="compare" value="{one.pk}">' in html
    assert "/runs/compare" not in shown(client, {"compare": "nobody"})


@pytest.mark.parametrize(
    ("role", "can"),
    [
        (Role.OWNER, {"cancel", "retry", "delete"}),
        (Role.EDITOR, {"cancel", "retry"}),
        (Role.OPERATOR, {"cancel", "retry"}),
        (Role.VIEWER, set()),
    ],
)
def test_script_is_told_what_the_member_may_do(workspace: Workspace, role: Role, can: set[str]) -> None:
    """And how it speaks to the API, which decides."""
    client = logged_in(MemberFactory(workspace=workspace, role=role, user__password=None).user)

    data = data_of(shown(client, {"tag": "x", "status": "live"}))

    assert {verb for verb, may in data["can"].items() if may} == can
    assert (data["workspace_id"], data["filter"], data["only_live"]) == (str(workspace.pk), {"tag": "x"}, True)
    ticket = tickets.check(data["socket"]["token"])
    assert (ticket.workspace_id, ticket.execution_id, ticket.resume) == (workspace.pk, None, False)


def test_filter_that_the_script_hands_on_means_the_same_runs_to_the_api(client: Client, workspace: Workspace) -> None:
    failed = run_of(workspace, **over(RunStatus.FAILED), tags=["x"])
    run_of(workspace, **over(RunStatus.FAILED))
    wanted = data_of(shown(client, {"tag": "x", "status": "failed", "span": "30d"}))["filter"]

    answer = client.post(
        "/api/v1/executions/bulk", {"action": "delete", "filter": wanted}, content_type="application/json"
    )

    assert [run["id"] for run in answer.json()["data"]["runs"]] == [str(failed.pk)]


# ---- who may see it


def test_who_is_not_logged_in_is_asked_to() -> None:
    """And comes back to the same filters."""
    answer = Client().get("/runs/", {"tag": "x"})

    assert (answer.status_code, answer.headers["Location"]) == (302, "/admin/login/?next=/runs/%3Ftag%3Dx")


def test_member_of_several_workspaces_chooses_one(workspace: Workspace) -> None:
    """The address holds it, and the links on the page keep it."""
    user, other = UserFactory(password=None), WorkspaceFactory(name="Zeta")
    for each in (workspace, other):
        MemberFactory(user=user, workspace=each)
    run = run_of(other)

    html = shown(logged_in(user), {"workspace": str(other.pk)})

    assert listed(html) == [str(run.pk)]
    assert f'<option value="{other.pk}" selected>Zeta</option>' in html
    assert f'href="?workspace={other.pk}&amp;status=failed"' in html
    assert listed(shown(logged_in(user))) == []


def test_runs_of_another_workspace_are_not_shown(client: Client) -> None:
    """Nor whether there is such a workspace."""
    theirs = WorkspaceFactory()

    answers = [client.get("/runs/", {"workspace": name}) for name in (str(theirs.pk), "nobody")]

    assert [answer.status_code for answer in answers] == [404, 404]
    assert len({answer.content.decode() for answer in answers}) == 1


def test_person_without_a_workspace_is_told_so() -> None:
    answer = logged_in(UserFactory(password=None)).get("/runs/")

    assert (answer.status_code, "not a member of any workspace" in answer.content.decode()) == (404, True)


def test_page_is_open_to_administrators_of_the_site_who_may_do_nothing_there(workspace: Workspace) -> None:
    run = run_of(workspace)

    html = shown(logged_in(UserFactory(password=None, is_superuser=True)))

    assert listed(html) == [str(run.pk)]
    assert not any(data_of(html)["can"].values())


# ---- what it forbids


def test_page_runs_nothing_but_our_own_files(client: Client, workspace: Workspace) -> None:
    """No inline script or style, no other host, no frame around it; forms are sent to us alone."""
    run_of(workspace)

    answer = client.get("/runs/")

    html = answer.content.decode()
    assert answer.headers["Content-Security-Policy"] == (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self' ws://testserver; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )
    assert (answer.headers["Cache-Control"], answer.headers["Referrer-Policy"]) == ("no-store", "same-origin")
    assert re.findall(r"\s(?:style|on[a-z]+)=", html) == []
    assert re.findall(r"<script(?! type=\"module\" src=| id=\"runs\" type=\"application/json\")", html) == []


def test_page_is_only_read(client: Client) -> None:
    assert client.post("/runs/").status_code == 405
