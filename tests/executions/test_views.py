from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.core.files.storage import storages
from pytest_django.fixtures import Settings

from executions import blobs
from executions.core import NodeStatus, RunStatus
from executions.models import Execution
from tests.doors import Api, data, error
from tests.executions.rows import NOON, large_run, over, run_of
from tests.executions.storages import with_outputs_in
from tests.factories import (
    ExecutionFactory,
    NodeRunFactory,
    WorkflowFactory,
    WorkflowVersionFactory,
    WorkspaceFactory,
    definition,
)
from workflows.models import Workflow
from workflows.services import create_workflow

GREETING: dict[str, Any] = {
    "nodes": {
        "who": {"type": "input", "name": "Who", "config": {"inputName": "name"}},
        "hello": {"type": "output", "name": "Hello", "config": {"outputName": "said", "value": "Hello, {{who.name}}!"}},
    },
    "edges": [{"id": "e1", "source": "who", "target": "hello"}],
}


def uuid7_at(number: int) -> UUID:
    """Ids of one moment."""
    return UUID(f"0198c5a2-5c1e-7d3a-9f00-{number:012}")


@pytest.fixture
def api(db: None) -> Api:
    return Api(WorkspaceFactory())


@pytest.fixture
def greeting(api: Api) -> Workflow:
    return create_workflow(api.workspace.pk, name="Greeting", definition=GREETING)[0]


class TestList:
    def test_runs_listed_are_the_workspaces_newest_first(self, api: Api) -> None:
        """With what each was given and gave back."""
        old = run_of(api.workspace, **over(RunStatus.COMPLETED, outputs={"a": 1}, inputs={"b": 2}, created_at=NOON))
        new = run_of(api.workspace, created_at=NOON + timedelta(hours=1))
        run_of(WorkspaceFactory())

        listed = data(api.get("/executions"))

        assert [run["id"] for run in listed] == [str(new.pk), str(old.pk)]
        assert listed[1] == {
            "id": str(old.pk),
            "workflow_id": str(old.workflow_id),
            "workflow_name": old.workflow.name,
            "version": 1,
            "status": "completed",
            "trigger": "api",
            "entry": "start",
            "until_node": None,
            "parent": None,
            "rerun_of": None,
            "rerun_from": None,
            "tags": [],
            "inputs": {"b": 2},
            "outputs": {"a": 1},
            "outputs_omitted": None,
            "error": None,
            "created_at": "2026-05-04T12:00:00Z",
            "started_at": "2026-05-04T12:00:00Z",
            "completed_at": "2026-05-04T12:00:01.500000Z",
            "duration_ms": 1500,
        }

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ({}, ["b", "a"]),
            ({"status": "failed"}, ["a"]),
            ({"trigger": "schedule"}, ["b"]),
            ({"tag": "x"}, ["a"]),
            ({"created_after": "2026-05-04T12:30:00Z"}, ["b"]),
            ({"created_after": "2026-05-04T13:00:00Z"}, ["b"]),  # from then on
            ({"created_before": "2026-05-04T13:00:00Z"}, ["a"]),  # before then
            ({"created_after": "2026-05-04T14:00:00+02:00", "created_before": "2026-05-04T12:00:01Z"}, ["a"]),
            ({"status": "", "workflow_id": ""}, ["b", "a"]),
            ({"status": "failed", "tag": "y"}, []),
        ],
    )
    def test_runs_filtered_are_those_that_fit(self, api: Api, query: dict[str, str], found: list[str]) -> None:
        """Filters narrow together."""
        run_of(api.workspace, **over(RunStatus.FAILED), tags=["x"], entry="a", created_at=NOON)
        run_of(api.workspace, trigger="schedule", tags=["y"], entry="b", created_at=NOON + timedelta(hours=1))

        listed = data(api.get("/executions", query))

        assert [run["entry"] for run in listed] == found

    @pytest.mark.parametrize(
        ("text", "found"),
        [
            ("GREET", ["a"]),
            ("nightly", ["b"]),
            ("night", []),  # a tag is meant whole
            ("{b}", ["b"]),
            (" {B} ", ["b"]),
            ("{b:.8}", ["b", "a"]),  # made in the same moment
            ("{b:.7}", []),  # more likely a word
            ("ffffffff", []),
            ("%", []),
        ],
    )
    def test_runs_searched_are_those_that_may_be_meant(self, api: Api, text: str, found: list[str]) -> None:
        """By an id or how it begins, a tag, or words of the workflow's name."""
        first, second = uuid7_at(1), uuid7_at(2)
        run_of(api.workspace, id=first, entry="a", created_at=NOON, name="Greet people")
        run_of(api.workspace, id=second, entry="b", tags=["nightly"], created_at=NOON + timedelta(hours=1))
        shown = {"b": str(second), "B": str(second).upper()}

        listed = data(api.get("/executions", {"search": text.format(**shown)}))

        assert [run["entry"] for run in listed] == found

    def test_runs_of_one_workflow_are_found_by_its_id_and_somebody_elses_are_none(self, api: Api) -> None:
        """An id in a query opens nothing either."""
        mine, elsewhere = run_of(api.workspace), run_of(WorkspaceFactory())
        run_of(api.workspace)

        found = [
            [run["id"] for run in data(api.get("/executions", {"workflow_id": str(run.workflow_id)}))]
            for run in (mine, elsewhere)
        ]

        assert found == [[str(mine.pk)], []]

    def test_run_that_a_run_started_names_the_node_that_waits_for_it(self, api: Api) -> None:
        """Both ways: from the child to its parent, and by a filter from the parent to its children."""
        parent = run_of(api.workspace)
        child = run_of(api.workspace, parent=parent, parent_node="call", parent_scope="loop1[2]", trigger="workflow")

        found = data(api.get("/executions", {"parent_id": str(parent.pk)}))

        assert [run["id"] for run in found] == [str(child.pk)]
        assert found[0]["parent"] == {"execution_id": str(parent.pk), "node_id": "call", "scope": "loop1[2]"}
        assert data(api.get(f"/executions/{child.pk}"))["parent"] == found[0]["parent"]

    def test_run_that_took_over_from_another_names_it_and_where_it_began_again(self, api: Api) -> None:
        """Both ways, too."""
        before = run_of(api.workspace, **over(RunStatus.FAILED))
        again = run_of(api.workspace, rerun_of=before, rerun_from="a", trigger="rerun")

        found = data(api.get("/executions", {"rerun_of": str(before.pk)}))

        assert [run["id"] for run in found] == [str(again.pk)]
        assert (found[0]["rerun_of"], found[0]["rerun_from"]) == (str(before.pk), "a")

    @pytest.mark.parametrize(
        ("query", "field"),
        [
            ({"status": "done"}, "status"),
            ({"parent_id": "nobody"}, "parent_id"),
            ({"workflow_id": "wf_1"}, "workflow_id"),
            ({"created_after": "yesterday"}, "created_after"),
            ({"created_after": "9999-12-31T23:59:59-12:00"}, "created_after"),  # the year 10000 in UTC
            ({"created_before": "0001-01-01T00:00:00+12:00"}, "created_before"),  # the year 0
        ],
    )
    def test_runs_filtered_by_nonsense_are_a_400(self, api: Api, query: dict[str, str], field: str) -> None:
        """A filter that is ignored would show what was not asked for."""
        response = api.get("/executions", query)

        assert [wrong["field"] for wrong in error(response, 400, "validation_error")["details"]["fields"]] == [field]

    @pytest.mark.parametrize("number", [1, 3])
    def test_runs_listed_cost_the_same_however_many(
        self, api: Api, django_assert_num_queries: Any, number: int
    ) -> None:
        """The key, how many, and the page; no plan, no drawing and no response is read."""
        parent = run_of(WorkspaceFactory())
        for place in range(number):
            run_of(api.workspace, parent=parent, parent_node="call", parent_scope=f"loop[{place}]", response={})
        api.get("/workflows")  # notes the use of the key, once a minute

        with django_assert_num_queries(3) as queries:
            listed = data(api.get("/executions"))

        assert len(listed) == number
        unread = ('"definition"', '"plan"', '."response"')
        assert not any(column in query["sql"] for query in queries for column in unread)


class TestRetrieve:
    def test_run_shows_how_far_it_is_and_what_it_used(self, api: Api) -> None:
        """Progress over all nodes that take part, tokens over all that counted some."""
        workflow = WorkflowFactory(workspace=api.workspace, definition=definition("start", "middle", "end"))
        run = ExecutionFactory(version=WorkflowVersionFactory(workflow=workflow), status=RunStatus.RUNNING)
        for node_id, status in (("start", NodeStatus.COMPLETED), ("middle", NodeStatus.RUNNING)):
            usage = {"model": "m", "provider": "p", "prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
            NodeRunFactory(execution=run, node_id=node_id, status=status, usage=usage)

        shown = data(api.get(f"/executions/{run.pk}"))

        assert shown["progress"] == {"completed": 1, "total": 3, "percentage": 33}
        assert shown["tokens"] == {
            "prompt_tokens": 6,
            "completion_tokens": 8,
            "total_tokens": 14,
            "cost_usd": 0.0,
            "unpriced_tokens": 14,
        }

    def test_run_that_failed_shows_its_error(self, api: Api) -> None:
        """Whole, as the engine wrote it."""
        wrong = {
            "message": "boom",
            "code": "node_failed",
            "node_id": "start",
            "attempts": 1,
            "at": "2026-05-04T12:00:00+00:00",
            "details": {"a": 1},
        }
        run = run_of(api.workspace, **over(RunStatus.FAILED, error=wrong))

        shown = data(api.get(f"/executions/{run.pk}"))

        assert (shown["status"], shown["error"], shown["outputs"]) == ("failed", wrong, None)

    @pytest.mark.parametrize("limit", [300_000, 299_999])
    def test_run_with_large_outputs_shows_them_or_their_size(self, api: Api, settings: Settings, limit: int) -> None:
        """All of them, up to what one answer holds; a list has only their size."""
        settings.FLOWMAESTRO_MAX_OUTPUT_BYTES = limit
        run = large_run(api.workspace)

        shown, (listed,) = data(api.get(f"/executions/{run.pk}")), data(api.get("/executions"))

        whole = limit == 300_000
        assert shown["outputs"] == ({"start": "x" * 299_998} if whole else None)
        assert shown["outputs_omitted"] == (None if whole else 300_000)
        assert (listed["outputs"], listed["outputs_omitted"]) == (None, 300_000)

    @pytest.mark.parametrize("path", ["", "/nodes/start"])
    def test_run_whose_outputs_cannot_be_read_says_so(self, api: Api, settings: Settings, path: str) -> None:
        """To be tried again while their storage is away, and not when they are lost; lists need no storage."""
        settings.STORAGES = with_outputs_in("tests.executions.storages.Shaky")
        run = large_run(api.workspace)
        storages["outputs"].away["open"] = 1

        away, listed = api.get(f"/executions/{run.pk}{path}"), api.get(f"/executions/{run.pk}/nodes")
        blobs.delete_of(run.workspace_id, run.pk)
        lost = api.get(f"/executions/{run.pk}{path}")

        message = error(away, 503, "service_unavailable")["message"]
        assert (message, away.headers["Retry-After"]) == (
            "The storage of large outputs does not answer; try again.",
            "5",
        )
        assert data(listed)[0]["output_omitted"] == 300_000
        error(lost, 500, "output_unreadable")

    def test_run_shows_its_response(self, api: Api) -> None:
        """Null until there is one."""
        said = {"status": 201, "body": [1], "headers": {"Location": "/x"}}
        runs = [run_of(api.workspace), run_of(api.workspace, response=said)]

        shown = [data(api.get(f"/executions/{run.pk}"))["response"] for run in runs]

        assert shown == [None, said]


class TestCancel:
    def test_run_cancelled_is_over_at_once(self, api: Api, greeting: Workflow) -> None:
        """As the published client expects it: no body needed, and the new status in the answer."""
        execution_id = data(api.post(f"/workflows/{greeting.pk}/execute"), 202)["execution_id"]

        answer = data(api.post(f"/executions/{execution_id}/cancel"))

        assert answer == {
            "id": execution_id,
            "status": "cancelled",
            "message": "Execution has been cancelled.",
        }
        assert data(api.get(f"/executions/{execution_id}"))["status"] == "cancelled"

    def test_run_cancelled_says_why_and_by_whom(self, api: Api, greeting: Workflow) -> None:
        """The reason is part of the run's record; without one it names the caller."""
        runs = [data(api.post(f"/workflows/{greeting.pk}/execute"), 202)["execution_id"] for _ in range(2)]

        api.post(f"/executions/{runs[0]}/cancel", {"reason": "ordered twice"})
        api.post(f"/executions/{runs[1]}/cancel")

        told = [Execution.objects.get(pk=run).events.get(type="execution:cancelled").data["reason"] for run in runs]
        assert told == ["ordered twice", "Cancelled by API key 'key'"]

    def test_run_cancelled_before_is_answered_alike(self, api: Api, greeting: Workflow) -> None:
        """Cancelling is idempotent."""
        execution_id = data(api.post(f"/workflows/{greeting.pk}/execute"), 202)["execution_id"]

        answers = [data(api.post(f"/executions/{execution_id}/cancel")) for _ in range(2)]

        assert answers[0] == answers[1]
        assert Execution.objects.get().events.filter(type="execution:cancelled").count() == 1

    @pytest.mark.parametrize("status", [RunStatus.COMPLETED, RunStatus.FAILED])
    def test_run_that_is_over_cannot_be_cancelled(self, api: Api, status: RunStatus) -> None:
        """Final states are final; the sentence is the existing product's."""
        run = run_of(api.workspace, **over(status))

        response = api.post(f"/executions/{run.pk}/cancel")

        refused = error(response, 400, "validation_error")
        assert refused["message"] == f"Execution cannot be cancelled. Current status: {status.value}"
        assert refused["details"] == {"status": status.value}
