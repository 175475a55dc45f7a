from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from executions import bulk
from executions.core import RunStatus
from executions.models import Event, Execution
from tests.doors import Api, data, error
from tests.executions.reruns import ended
from tests.executions.rows import NOON, over, run_of
from tests.executions.runs import begin, reread
from tests.factories import MemberFactory, WorkspaceFactory
from tests.fakes import Messages
from workflows.services import delete_workflow
from workflows.workspaces.roles import ROLE_SCOPES, Role

pytestmark = pytest.mark.django_db(transaction=True)

BULK = "/executions/bulk"
NOBODYS = "0198c5a2-5c1e-7d3a-9f00-3d6f0c3b8a11"


@pytest.fixture
def api(messages: Messages) -> Api:
    return Api(WorkspaceFactory())


def counts(answer: Any) -> tuple[int, int, int, int]:
    return answer["matched"], answer["succeeded"], answer["failed"], answer["remaining"]


def refused(answer: Any) -> dict[str, str]:
    return {each["id"]: each["code"] for each in answer["errors"]}


def fields(response: Any) -> list[str]:
    return [wrong["field"] for wrong in error(response, 400, "validation_error")["details"]["fields"]]


def test_runs_that_are_named_are_cancelled(api: Api) -> None:
    """Each as by itself, with the reason in its events."""
    runs = [begin("start -> a", workspace=api.workspace) for _ in range(2)]
    other = begin("start -> a", workspace=api.workspace)

    answer = data(api.post(BULK, {"action": "cancel", "ids": [str(run.pk) for run in runs], "reason": "Wrong list"}))

    assert (answer["action"], counts(answer), answer["errors"]) == ("cancel", (2, 2, 0, 0), [])
    assert [reread(run).status for run in (*runs, other)] == ["cancelled", "cancelled", "pending"]
    told = Event.objects.filter(type="execution:cancelled").values_list("data__reason", flat=True)
    assert [*told] == ["Wrong list"] * 2


def test_run_that_refuses_is_listed_and_holds_up_none_of_the_others(api: Api, messages: Messages) -> None:
    """With the code that it would have had as an answer of its own."""
    completed = ended(messages, "start -> a", workspace=api.workspace)
    failed = ended(messages, "start -> a", workspace=api.workspace, types={"start": "trigger", "a": "test.fail"})
    going = begin("start -> a", workspace=api.workspace)

    answer = data(api.post(BULK, {"action": "retry", "ids": [str(run.pk) for run in (completed, failed, going)]}))

    assert counts(answer) == (3, 1, 2, 0)
    assert refused(answer) == {str(completed.pk): "nothing_failed", str(going.pk): "execution_not_over"}
    [again] = answer["runs"]
    assert (again["id"], reread(again["started"]).rerun_of_id) == (str(failed.pk), failed.pk)
    assert all(each["message"] for each in answer["errors"])


@pytest.mark.parametrize("action", ["cancel", "retry", "delete"])
def test_runs_of_others_are_as_if_absent(api: Api, action: str) -> None:
    """Nor does anything happen to them."""
    theirs = run_of(WorkspaceFactory(), **over(RunStatus.FAILED))

    answer = data(api.post(BULK, {"action": action, "ids": [str(theirs.pk), NOBODYS]}))

    assert refused(answer) == {str(theirs.pk): "resource_not_found", NOBODYS: "resource_not_found"}
    assert (Execution.objects.count(), reread(theirs).status) == (1, "failed")


def test_filter_finds_no_runs_of_others(api: Api) -> None:
    theirs = run_of(WorkspaceFactory(), **over(RunStatus.FAILED), tags=["x"])

    answer = data(api.post(BULK, {"action": "delete", "filter": {"tag": "x"}}))

    assert (counts(answer), reread(theirs).status) == ((0, 0, 0, 0), "failed")


def test_runs_that_a_filter_finds_are_those_the_verb_is_for(api: Api) -> None:
    """A run that is over, or retried already, is no failure of the call."""
    day = {"tags": ["nightly"], "created_at": NOON}
    live = run_of(api.workspace, **day)
    failed = run_of(api.workspace, **over(RunStatus.FAILED), **day)
    retried = run_of(api.workspace, **over(RunStatus.FAILED), **day)
    run_of(api.workspace, **over(RunStatus.COMPLETED), rerun_of=retried, created_at=NOON)
    later = run_of(api.workspace, **{**day, "created_at": NOON + timedelta(days=1)})
    wanted = {"tag": "nightly", "created_before": "2026-05-05T00:00:00Z"}

    retry = data(api.post(BULK, {"action": "retry", "filter": wanted}))
    again = data(api.post(BULK, {"action": "retry", "filter": wanted}))
    cancel = data(api.post(BULK, {"action": "cancel", "filter": wanted}))

    assert [each["id"] for each in retry["runs"]] == [str(failed.pk)]
    assert counts(again) == (0, 0, 0, 0)
    assert [each["id"] for each in cancel["runs"]] == [str(live.pk)]
    assert reread(later).status == "pending"


def test_filter_takes_a_bounded_number_at_a_time_and_says_how_many_are_left(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The oldest first: called again and again, it comes to an end."""
    monkeypatch.setattr(bulk, "MOST", 2)
    runs = [
        run_of(api.workspace, **over(RunStatus.FAILED), tags=["x"], created_at=NOON - timedelta(days=age))
        for age in range(3)
    ]

    first, second = [data(api.post(BULK, {"action": "delete", "filter": {"tag": "x"}})) for _ in range(2)]

    assert (counts(first), counts(second)) == ((2, 2, 0, 1), (1, 1, 0, 0))
    assert [each["id"] for each in second["runs"]] == [str(runs[0].pk)]


def test_run_whose_workflow_was_thrown_away_is_not_retried(api: Api, messages: Messages) -> None:
    failed = ended(messages, "start -> a", workspace=api.workspace, types={"start": "trigger", "a": "test.fail"})
    delete_workflow(failed.workflow_id)

    answer = data(api.post(BULK, {"action": "retry", "ids": [str(failed.pk)]}))

    assert refused(answer) == {str(failed.pk): "resource_not_found"}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "action"),
        ({"action": "explode", "ids": [NOBODYS]}, "action"),
        ({"action": "cancel"}, ""),
        ({"action": "cancel", "ids": [NOBODYS], "filter": {"tag": "x"}}, ""),
        ({"action": "cancel", "ids": []}, "ids"),
        ({"action": "cancel", "ids": ["nobody"]}, "ids.0"),
        ({"action": "cancel", "ids": [NOBODYS] * 101}, "ids"),
        ({"action": "delete", "filter": {}}, "filter"),
        ({"action": "delete", "filter": {"tag": None}}, "filter"),
        ({"action": "delete", "filter": {"tags": "x"}}, "filter.tags"),
        ({"action": "delete", "filter": {"status": "done"}}, "filter.status"),
        ({"action": "delete", "filter": {"created_before": "yesterday"}}, "filter.created_before"),
        ({"action": "retry", "ids": [NOBODYS], "reason": "x"}, "reason"),
    ],
)
def test_body_that_is_not_understood_is_refused_by_its_field(api: Api, body: Any, field: str) -> None:
    """An empty filter above all: it would mean every run there is."""
    run = run_of(api.workspace, **over(RunStatus.FAILED))

    assert fields(api.post(BULK, body)) == [field]
    assert Execution.objects.filter(pk=run.pk).exists()


@pytest.mark.parametrize(
    ("action", "scopes"),
    [
        ("cancel", ["executions:cancel"]),
        ("retry", ["workflows:execute", "workflows:read"]),
        ("delete", ["admin"]),
    ],
)
def test_each_verb_wants_its_scopes(api: Api, action: str, scopes: list[str]) -> None:
    """Those that it wants for one run; to delete is for owners."""
    run = run_of(api.workspace, **over(RunStatus.FAILED))
    body = {"action": action, "ids": [str(run.pk)]}
    reads, may = (Api(api.workspace, scopes=["executions:read", *more]) for more in ([], scopes))

    missing = error(reads.post(BULK, body), 403, "insufficient_scope")["details"]["missing_scopes"]

    assert missing == scopes
    assert data(may.post(BULK, body))["matched"] == 1


def test_only_owners_may_delete() -> None:
    may = {role for role in Role if "admin" in ROLE_SCOPES[role]}

    assert may == {Role.OWNER}


def test_call_sent_again_with_its_key_has_its_effect_once(api: Api, messages: Messages) -> None:
    """Nobody retries a hundred runs twice because an answer was lost."""
    failed = ended(messages, "start -> a", workspace=api.workspace, types={"start": "trigger", "a": "test.fail"})
    body = {"action": "retry", "ids": [str(failed.pk)]}

    first, second = [data(api.post(BULK, body, Idempotency_Key="k")) for _ in range(2)]

    assert (first, Execution.objects.count()) == (second, 2)
    error(api.post(BULK, {**body, "action": "delete"}, Idempotency_Key="k"), 409, "idempotency_conflict")


def test_person_of_the_workspace_is_named_as_who_cancelled(api: Api) -> None:
    member = MemberFactory(workspace=api.workspace, role=Role.OPERATOR)
    run = begin("start -> a", workspace=api.workspace)
    api.client.force_login(member.user)

    answer = api.client.post(
        f"/api/v1{BULK}", {"action": "cancel", "ids": [str(run.pk)]}, content_type="application/json"
    )

    assert data(answer)["succeeded"] == 1
    [reason] = Event.objects.filter(type="execution:cancelled").values_list("data__reason", flat=True)
    assert reason == f"Cancelled by {member.user}"
    assert reread(run).ended_at < timezone.now()
