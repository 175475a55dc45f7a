from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from django.db import OperationalError
from django.utils import timezone
from pytest_django.fixtures import Settings

from executions import tickets
from executions.core import RunStatus
from executions.models import Execution
from tests.doors import Api, data, error
from tests.executions.runs import publish
from tests.factories import (
    MemberFactory,
    WorkflowFactory,
    WorkflowVersionFactory,
    WorkspaceFactory,
    definition,
)
from tests.fakes import Messages
from workflows.models import Workflow
from workflows.services import create_workflow

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
GREETING: dict[str, Any] = {
    "nodes": {
        "who": {"type": "input", "name": "Who", "config": {"inputName": "name"}},
        "hello": {"type": "output", "name": "Hello", "config": {"outputName": "said", "value": "Hello, {{who.name}}!"}},
    },
    "edges": [{"id": "e1", "source": "who", "target": "hello"}],
}


@pytest.fixture
def api(db: None) -> Api:
    return Api(WorkspaceFactory())


@pytest.fixture
def greeting(api: Api) -> Workflow:
    return create_workflow(api.workspace.pk, name="Greeting", definition=GREETING)[0]


class TestExecute:
    def test_workflow_executed_is_stored_and_answered_with_a_way_to_follow_it(
        self, api: Api, greeting: Workflow, messages: Messages, django_capture_on_commit_callbacks: Any
    ) -> None:
        """202 means: it will run, whatever dies next. A worker is asked once it is committed."""
        with django_capture_on_commit_callbacks(execute=True):
            response = api.post(f"/workflows/{greeting.pk}/execute", {"inputs": {"name": "Ada"}, "tags": ["a"]})

        answer = data(response, 202)
        execution = Execution.objects.get()
        token = answer["realtime"].pop("token")
        assert answer == {
            "execution_id": str(execution.pk),
            "workflow_id": str(greeting.pk),
            "status": "pending",
            "inputs": {"name": "Ada"},
            "realtime": {
                "websocket_url": f"ws://testserver/ws/executions/{execution.pk}/",
                "events_url": f"http://testserver/api/v1/executions/{execution.pk}/events",
            },
        }
        assert (execution.trigger, execution.entry, execution.tags) == ("api", "who", ["a"])
        assert messages.names() == {"executions.drive": 1}
        ticket = tickets.check(token)
        assert (ticket.execution_id, ticket.workspace_id, ticket.resume) == (execution.pk, api.workspace.pk, False)
        assert ticket.holder == f"key:{api.key.pk}"

    def test_addresses_told_over_https_are_secure_too(self, api: Api, greeting: Workflow) -> None:
        """A page that came by https may open no plain WebSocket."""
        path = f"/api/v1/workflows/{greeting.pk}/execute"

        response = api.client.post(path, content_type="application/json", headers={"X-API-Key": api.text}, secure=True)

        realtime = data(response, 202)["realtime"]
        assert realtime["websocket_url"].startswith("wss://testserver/ws/executions/")
        assert realtime["events_url"].startswith("https://testserver/api/v1/executions/")

    @pytest.mark.parametrize("body", [None, {}, {"inputs": None, "version": None, "wait": None, "tags": None}])
    def test_workflow_executed_without_anything_takes_the_defaults(
        self, api: Api, greeting: Workflow, body: Any
    ) -> None:
        """No body, an empty one and explicit nulls are the same."""
        answer = data(api.post(f"/workflows/{greeting.pk}/execute", body), 202)

        execution = Execution.objects.get(pk=answer["execution_id"])
        assert (execution.inputs, execution.tags, execution.version.number) == ({}, [], 1)

    def test_version_and_entry_that_are_named_are_the_ones_that_run(self, api: Api) -> None:
        """Any version by number, any root by id."""
        workflow = WorkflowFactory(workspace=api.workspace)
        two_roots = definition()
        two_roots["nodes"]["other"] = two_roots["nodes"]["start"]
        two_roots["entryPoint"] = "start"
        first = WorkflowVersionFactory(workflow=workflow, definition=two_roots)
        WorkflowVersionFactory(workflow=workflow, number=2)

        answer = data(api.post(f"/workflows/{workflow.pk}/execute", {"version": 1, "entry": "other"}), 202)

        execution = Execution.objects.get(pk=answer["execution_id"])
        assert (execution.version, execution.entry) == (first, "other")

    def test_entry_that_is_no_root_is_refused_and_names_the_roots(self, api: Api, greeting: Workflow) -> None:
        """Starting in the middle is another thing (a rerun)."""
        response = api.post(f"/workflows/{greeting.pk}/execute", {"entry": "hello"})

        details = error(response, 400, "validation_error")["details"]
        assert (details["fields"][0]["field"], details["entries"]) == ("entry", ["who"])
        assert not Execution.objects.exists()

    def test_run_that_is_to_stop_after_a_node_is_told_so(self, api: Api) -> None:
        """What follows that node takes no part, and is not counted either."""
        version = publish("start -> a -> b", workspace=api.workspace)

        answer = data(api.post(f"/workflows/{version.workflow_id}/execute", {"until_node": "a"}), 202)

        shown = data(api.get(f"/executions/{answer['execution_id']}"))
        assert (shown["until_node"], shown["progress"]["total"]) == ("a", 2)

    @pytest.mark.parametrize(
        ("until", "why"),
        [
            ("nope", "'nope' is not reached from 'start'"),
            ("c", "'c' is not reached from 'start'"),  # another trigger leads there
            ("b", "'b' is inside the body of 'loop'"),
        ],
    )
    def test_run_cannot_stop_after_a_node_that_it_does_not_reach(self, api: Api, until: str, why: str) -> None:
        """The answer names the field, what is wrong with it, and what it can be."""
        version = publish(
            "start -> a -> loop, loop:body -> b, start2 -> c", workspace=api.workspace, entryPoint="start"
        )

        response = api.post(f"/workflows/{version.workflow_id}/execute", {"until_node": until})

        details = error(response, 400, "validation_error")["details"]
        message = f"{why}; this run can stop after: start, a, loop"
        assert details == {"fields": [{"field": "until_node", "message": message}], "nodes": ["start", "a", "loop"]}
        assert not Execution.objects.exists()

    def test_version_that_is_not_there_is_a_404(self, api: Api, greeting: Workflow) -> None:
        """Nothing else runs in its place."""
        response = api.post(f"/workflows/{greeting.pk}/execute", {"version": 2})

        assert error(response, 404, "resource_not_found")["details"] == {"resource": "Version", "id": "2"}
        assert not Execution.objects.exists()

    def test_workflow_that_was_never_published_is_a_409_with_what_is_in_the_way(self, api: Api) -> None:
        """The author sees what to mend without another call."""
        broken = {"nodes": {"a": {"type": "no.such.type", "name": "A", "config": {}}}, "edges": []}
        workflow = WorkflowFactory(workspace=api.workspace, definition=broken)

        response = api.post(f"/workflows/{workflow.pk}/execute")

        issues = error(response, 409, "not_published")["details"]["issues"]
        assert [(issue["code"], issue["node_id"]) for issue in issues] == [("UNKNOWN_NODE_TYPE", "a")]

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({"inputs": []}, "inputs"),
            ({"version": 0}, "version"),
            ({"version": 2**31}, "version"),
            ({"wait": 61}, "wait"),
            ({"wait": -1}, "wait"),
            ({"tags": "a"}, "tags"),
            ({"until_node": ""}, "until_node"),
            ({"input": {}}, "input"),
        ],
    )
    def test_execution_malformed_is_refused_by_field(self, api: Api, greeting: Workflow, body: Any, field: str) -> None:
        """Refused before anything is stored."""
        response = api.post(f"/workflows/{greeting.pk}/execute", body)

        details = error(response, 400, "validation_error")["details"]
        assert [wrong["field"] for wrong in details["fields"]] == [field]
        assert not Execution.objects.exists()

    def test_execution_sent_again_with_its_key_is_the_same_run(self, api: Api, greeting: Workflow) -> None:
        """The answer was lost, the run was not: it comes back, ticket and all."""
        first = api.post(f"/workflows/{greeting.pk}/execute", {"inputs": {"name": "Ada"}}, Idempotency_Key="k")
        second = api.post(f"/workflows/{greeting.pk}/execute", {"inputs": {"name": "Ada"}}, Idempotency_Key="k")

        assert data(first, 202) == data(second, 202)
        assert Execution.objects.count() == 1

    def test_execution_of_a_person_is_theirs(self, greeting: Workflow) -> None:
        """Who started a run is remembered; a key is nobody."""
        member = MemberFactory(workspace=greeting.workspace)
        browser = Api(WorkspaceFactory()).client
        browser.force_login(member.user)

        answer = browser.post(f"/api/v1/workflows/{greeting.pk}/execute", {}, content_type="application/json")

        execution = Execution.objects.get(pk=data(answer, 202)["execution_id"])
        assert execution.started_by == member.user
        assert tickets.check(data(answer, 202)["realtime"]["token"]).holder == f"user:{member.user.pk}"


def end_all() -> None:
    """As a worker would: the rows are all that the waiting looks at."""
    now = timezone.now()
    Execution.objects.update(status=RunStatus.COMPLETED, outputs={"said": "Hello, Ada!"}, started_at=now, ended_at=now)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("redis_client")  # what is committed is also told there
class TestWait:
    def test_run_that_is_over_in_time_is_answered_whole(self, messages: Messages, monkeypatch: Any) -> None:
        """200, with everything that a 202 has besides."""
        api = Api(WorkspaceFactory())
        workflow = create_workflow(api.workspace.pk, name="Greeting", definition=GREETING)[0]
        monkeypatch.setattr("executions.waiting.sleep", lambda _: end_all())

        answer = data(api.post(f"/workflows/{workflow.pk}/execute", {"inputs": {"name": "Ada"}, "wait": 5}))

        assert (answer["status"], answer["outputs"]) == ("completed", {"said": "Hello, Ada!"})
        assert answer["execution_id"] == answer["id"]
        assert sorted(answer["realtime"]) == ["events_url", "token", "websocket_url"]
        assert answer["progress"] == {"completed": 2, "total": 2, "percentage": 100}

    def test_run_that_takes_longer_is_answered_as_started(self, messages: Messages) -> None:
        """202 after the wait: the caller follows it from there."""
        api = Api(WorkspaceFactory())
        workflow = create_workflow(api.workspace.pk, name="Greeting", definition=GREETING)[0]
        began = time.monotonic()

        answer = data(api.post(f"/workflows/{workflow.pk}/execute", {"wait": 0.2}), 202)

        assert 0.2 <= time.monotonic() - began < 5
        assert answer["status"] == "pending"

    def test_run_that_responds_is_answered_at_once_and_goes_on(
        self, messages: Messages, monkeypatch: Any, settings: Settings
    ) -> None:
        """The first response is the one; its status is data, since this answer's own status is about the run."""
        settings.FLOWMAESTRO_LANES = ["drive"]  # the effect waits for another worker
        api = Api(WorkspaceFactory())
        nodes = {
            "ok": {"config": {"statusCode": 418, "body": {"for": "{{inputs.who}}"}, "headers": {"X-Tea": "green"}}},
            "late": {"config": {"body": "too late"}},
        }
        version = publish(
            "start -> ok -> late -> call",
            workspace=api.workspace,
            nodes=nodes,
            types={"ok": "response", "late": "response", "call": "test.count", "start": "trigger"},
        )
        monkeypatch.setattr("executions.waiting.sleep", lambda _: messages.deliver(messages.waiting.pop(0)))

        body = {"inputs": {"who": "Ada"}, "wait": 5}
        answer = data(api.post(f"/workflows/{version.workflow_id}/execute", body))

        assert (answer["status"], answer["outputs"], answer["execution_id"]) == ("running", None, answer["id"])
        assert answer["response"] == {"status": 418, "body": {"for": "Ada"}, "headers": {"X-Tea": "green"}}
        assert data(api.get(f"/executions/{answer['id']}"))["response"] == answer["response"]

    def test_run_waited_for_again_with_its_key_is_the_same_and_over_by_then(self, messages: Messages) -> None:
        """The stored answer says which run; the wait is for that one."""
        api = Api(WorkspaceFactory())
        workflow = create_workflow(api.workspace.pk, name="Greeting", definition=GREETING)[0]
        body = {"inputs": {"name": "Ada"}, "wait": 0.05}

        first = data(api.post(f"/workflows/{workflow.pk}/execute", body, Idempotency_Key="k"), 202)
        end_all()
        second = data(api.post(f"/workflows/{workflow.pk}/execute", body, Idempotency_Key="k"), 200)

        assert second["execution_id"] == first["execution_id"]
        assert second["outputs"] == {"said": "Hello, Ada!"}
        assert Execution.objects.count() == 1

    @pytest.mark.parametrize("headers", [{}, {"Idempotency_Key": "k"}])
    def test_run_that_was_committed_is_never_answered_with_a_5xx(
        self, monkeypatch: Any, caplog: Any, headers: dict[str, str]
    ) -> None:
        """What follows the commit may fail, the sweep makes up for it; told of it, a client would start another."""
        api = Api(WorkspaceFactory())
        workflow = create_workflow(api.workspace.pk, name="Greeting", definition=GREETING)[0]

        def broken(_: Any) -> None:
            raise RuntimeError("the broker's client has a bug")

        monkeypatch.setattr("executions.dispatch._send", broken)

        answer = data(api.post(f"/workflows/{workflow.pk}/execute", {}, **headers), 202)

        assert Execution.objects.get().pk == UUID(answer["execution_id"])
        assert "the broker's client has a bug" in caplog.text

    @pytest.mark.parametrize("failure", [OperationalError("gone"), RuntimeError("a bug of ours")])
    def test_run_that_was_started_is_never_answered_with_a_5xx(
        self, messages: Messages, monkeypatch: Any, caplog: Any, failure: Exception
    ) -> None:
        """The published client would send the POST again, and start it twice."""
        api = Api(WorkspaceFactory())
        workflow = create_workflow(api.workspace.pk, name="Greeting", definition=GREETING)[0]

        def broken(*args: Any, **options: Any) -> bool:
            raise failure

        monkeypatch.setattr("executions.views.wait_for_answer", broken)

        answer = data(api.post(f"/workflows/{workflow.pk}/execute", {"wait": 5}), 202)

        assert Execution.objects.get().pk == UUID(answer["execution_id"])
        assert f"execution {answer['execution_id']} was started, but could not be waited for" in caplog.text
