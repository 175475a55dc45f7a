from __future__ import annotations

from typing import Any

import pytest

from executions.models import Execution
from tests.doors import Api, data, error
from tests.executions.reruns import ended, newer
from tests.executions.runs import begin, outputs, reread
from tests.factories import MemberFactory, WorkspaceFactory
from tests.fakes import Messages
from workflows.services import delete_workflow
from workflows.workspaces.roles import ROLE_SCOPES, Role

pytestmark = pytest.mark.django_db(transaction=True)

VERBS = ("retry", "rerun")


@pytest.fixture
def api(messages: Messages) -> Api:
    return Api(WorkspaceFactory())


@pytest.fixture
def failed(api: Api, messages: Messages) -> Execution:
    """A run that failed at b."""
    return ended(
        messages,
        "start -> a -> b -> c",
        workspace=api.workspace,
        types={"start": "trigger", "b": "test.fail"},
        inputs={"x": 1},
    )


def fields(response: Any) -> list[str]:
    return [wrong["field"] for wrong in error(response, 400, "validation_error")["details"]["fields"]]


@pytest.mark.parametrize("verb", VERBS)
def test_run_begun_again_is_answered_as_one_that_is_executed(api: Api, failed: Execution, verb: str) -> None:
    """202 means: it will run, whatever dies next."""
    answer = data(api.post(f"/executions/{failed.pk}/{verb}", {"inputs": {"y": 2}}), 202)

    run = reread(answer["execution_id"])
    assert sorted(answer) == ["execution_id", "inputs", "realtime", "status", "workflow_id"]
    assert (answer["status"], answer["inputs"], run.inputs) == ("pending", {"x": 1, "y": 2}, {"x": 1, "y": 2})
    assert (run.trigger, run.rerun_of_id, answer["workflow_id"]) == (verb, failed.pk, str(failed.workflow_id))


def test_nodes_that_were_kept_are_told_as_such(api: Api, messages: Messages, failed: Execution) -> None:
    answer = data(api.post(f"/executions/{failed.pk}/retry"), 202)
    messages.deliver_all()

    shown = data(api.get(f"/executions/{answer['execution_id']}"))
    nodes = data(api.get(f"/executions/{answer['execution_id']}/nodes"))
    assert (shown["rerun_of"], shown["rerun_from"], shown["trigger"]) == (str(failed.pk), None, "retry")
    assert {node["node_id"]: (node["status"], node["kept"]) for node in nodes} == {
        "start": ("completed", True),
        "a": ("completed", True),
        "b": ("failed", False),
        "c": ("cancelled", False),
    }


def test_rerun_begins_at_its_node_and_stops_where_it_is_told_to(api: Api, messages: Messages) -> None:
    before = ended(messages, "start -> a -> b -> c", workspace=api.workspace)

    answer = data(api.post(f"/executions/{before.pk}/rerun", {"from_node": "a", "until_node": "b"}), 202)
    messages.deliver_all()

    shown = data(api.get(f"/executions/{answer['execution_id']}"))
    assert (shown["rerun_from"], shown["until_node"], shown["status"]) == ("a", "b", "completed")
    assert shown["outputs"] == {"b": {"result": "b"}}


@pytest.mark.parametrize("body", [None, {}, {"from_node": None, "until_node": None, "inputs": None, "version": None}])
def test_rerun_without_anything_is_the_whole_run_on_its_version(
    api: Api, messages: Messages, failed: Execution, body: Any
) -> None:
    newer(failed.version, "start -> z")

    answer = data(api.post(f"/executions/{failed.pk}/rerun", body), 202)

    run = reread(answer["execution_id"])
    assert (run.version_id, run.inputs, run.node_runs.count()) == (failed.version_id, {"x": 1}, 0)


@pytest.mark.parametrize(
    ("version", "number"),
    [(None, 1), ("original", 1), ("newest", 3), (2, 2)],
    ids=["absent", "original", "newest", "2"],
)
@pytest.mark.parametrize("verb", VERBS)
def test_version_is_the_one_that_is_asked_for(
    api: Api, messages: Messages, failed: Execution, verb: str, version: Any, number: int
) -> None:
    """The newest is the one that is published now."""
    second = newer(failed.version, "start -> a -> b", nodes={"b": {"config": {"value": 2}}})
    newer(second, "start -> a -> b", nodes={"b": {"config": {"value": 3}}})

    answer = data(api.post(f"/executions/{failed.pk}/{verb}", {"version": version}), 202)
    messages.deliver_all()

    run = reread(answer["execution_id"])
    assert (run.version.number, run.status) == (number, "failed" if number == 1 else "completed")
    assert outputs(run)["b"] == (None if number == 1 else {"result": number})


@pytest.mark.parametrize("verb", VERBS)
def test_run_begun_again_twice_with_one_key_is_begun_once(api: Api, failed: Execution, verb: str) -> None:
    """The answer was lost, the run was not. With another body, the key is taken."""
    path = f"/executions/{failed.pk}/{verb}"

    first, second = [data(api.post(path, {"inputs": {"y": 1}}, Idempotency_Key="k"), 202) for _ in range(2)]

    assert (first, Execution.objects.count()) == (second, 2)
    error(api.post(path, {"inputs": {"y": 2}}, Idempotency_Key="k"), 409, "idempotency_conflict")


@pytest.mark.parametrize("verb", VERBS)
def test_run_that_is_not_over_is_a_409_with_its_status(api: Api, verb: str) -> None:
    run = begin("start -> a", workspace=api.workspace)

    refused = error(api.post(f"/executions/{run.pk}/{verb}"), 409, "execution_not_over")

    assert refused["details"] == {"status": "pending"}


def test_retry_of_a_run_that_completed_is_a_409(api: Api, messages: Messages) -> None:
    run = ended(messages, "start -> a", workspace=api.workspace)

    refused = error(api.post(f"/executions/{run.pk}/retry"), 409, "nothing_failed")

    assert "rerun it from a node" in refused["message"]


@pytest.mark.parametrize(
    ("body", "field", "why"),
    [
        ({"from_node": "x"}, "from_node", "'x' is inside the body of 'loop'; begin at 'loop'"),
        ({"from_node": "dead"}, "from_node", "'dead' was skipped: it is behind a dead path"),
        ({"from_node": "ghost"}, "from_node", "'ghost' is not a node of the version that ran"),
        ({"from_node": "z", "until_node": "if"}, "from_node", "'z' does not lead to 'if'"),
        ({"from_node": "z", "version": "newest"}, "version", "'z' is not in that version"),
        ({"until_node": "x"}, "until_node", "'x' is inside the body of 'loop'; this run can stop after: start"),
    ],
)
def test_rerun_refused_names_the_field_and_the_reason(
    api: Api, messages: Messages, body: Any, field: str, why: str
) -> None:
    nodes = {"if": {"config": {"expression": "1 == 2"}}}
    before = ended(
        messages, "start -> loop -> if, if:true -> dead, if -> z, loop:body -> x", workspace=api.workspace, nodes=nodes
    )
    newer(before.version, "start -> loop, loop:body -> x")

    details = error(api.post(f"/executions/{before.pk}/rerun", body), 400, "validation_error")["details"]

    assert details["fields"][0]["field"] == field
    assert details["fields"][0]["message"].startswith(why)
    assert Execution.objects.count() == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"version": 0}, "version"),
        ({"version": True}, "version"),
        ({"version": "2"}, "version"),
        ({"version": "latest"}, "version"),
        ({"version": [1]}, "version"),
        ({"version": 2**31}, "version"),
        ({"inputs": []}, "inputs"),
        ({"from_node": ""}, "from_node"),
        ({"wait": 5}, "wait"),
    ],
)
def test_rerun_malformed_is_refused_by_field(api: Api, failed: Execution, body: Any, field: str) -> None:
    assert fields(api.post(f"/executions/{failed.pk}/rerun", body)) == [field]


def test_retry_takes_no_node(api: Api, failed: Execution) -> None:
    """It knows where to begin; who wants another place wants a rerun."""
    assert fields(api.post(f"/executions/{failed.pk}/retry", {"from_node": "a"})) == ["from_node"]


def test_version_that_is_not_there_is_a_404(api: Api, failed: Execution) -> None:
    response = api.post(f"/executions/{failed.pk}/rerun", {"version": 7})

    assert error(response, 404, "resource_not_found")["details"] == {"resource": "Version", "id": "7"}


@pytest.mark.parametrize("verb", VERBS)
def test_run_of_a_workflow_that_was_thrown_away_is_not_begun_again(api: Api, failed: Execution, verb: str) -> None:
    """Nothing is executed of it any more; its runs are there to be read."""
    delete_workflow(failed.workflow_id)

    response = api.post(f"/executions/{failed.pk}/{verb}")

    details = error(response, 404, "resource_not_found")["details"]
    assert details == {"resource": "Workflow", "id": str(failed.workflow_id)}
    assert data(api.get(f"/executions/{failed.pk}"))["status"] == "failed"


@pytest.mark.parametrize("missing", ["executions:read", "workflows:read", "workflows:execute"])
@pytest.mark.parametrize("verb", VERBS)
def test_scopes_are_those_of_who_reads_the_run_and_executes(
    api: Api, failed: Execution, verb: str, missing: str
) -> None:
    scopes = ROLE_SCOPES[Role.OPERATOR] - {missing}

    response = Api(api.workspace, scopes=sorted(scopes)).post(f"/executions/{failed.pk}/{verb}")

    assert error(response, 403, "insufficient_scope")["details"]["missing_scopes"] == [missing]


def test_run_begun_again_by_a_person_is_theirs(api: Api, failed: Execution) -> None:
    member = MemberFactory(workspace=api.workspace)
    api.client.force_login(member.user)

    answer = api.client.post(f"/api/v1/executions/{failed.pk}/retry", {}, content_type="application/json")

    assert reread(data(answer, 202)["execution_id"]).started_by == member.user


@pytest.mark.parametrize("path", ["/executions", "/executions/{run}"])
def test_what_a_run_replays_stays_in_the_database(
    api: Api, failed: Execution, path: str, django_assert_max_num_queries: Any
) -> None:
    """It may be large, and no answer tells of it."""
    with django_assert_max_num_queries(20) as queries:
        data(api.get(path.format(run=failed.pk)))

    assert [query["sql"] for query in queries.captured_queries if "replayed" in query["sql"]] == []
