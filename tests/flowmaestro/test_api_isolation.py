from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from drf_spectacular.generators import SchemaGenerator

from executions.core import RunStatus
from executions.models import Execution
from handlers import PauseKind
from tests.doors import Api, data, error
from tests.factories import (
    CredentialFactory,
    ExecutionFactory,
    NodeRunFactory,
    SnapshotFactory,
    VariableFactory,
    WaitpointFactory,
    WorkflowFactory,
    WorkflowVersionFactory,
    WorkspaceFactory,
)
from workflows.models import Workflow

# Every address that names an object, with a body that would be good for its owner.
OBJECTS = [
    ("GET", "/workflows/{workflow}", None),
    ("PATCH", "/workflows/{workflow}", {"name": "Mine now"}),
    ("DELETE", "/workflows/{workflow}", None),
    ("POST", "/workflows/{workflow}/publish", {}),
    ("GET", "/workflows/{workflow}/versions", None),
    ("GET", "/workflows/{workflow}/versions/1", None),
    ("POST", "/workflows/{workflow}/execute", {}),
    ("GET", "/variables/{variable}", None),
    ("PATCH", "/variables/{variable}", {"value": "mine now"}),
    ("DELETE", "/variables/{variable}", None),
    ("GET", "/credentials/{credential}", None),
    ("PATCH", "/credentials/{credential}", {"name": "Mine now"}),
    ("POST", "/credentials/{credential}/test", None),
    ("GET", "/credentials/{credential}/authorize", None),
    ("DELETE", "/credentials/{credential}", None),
    ("GET", "/executions/{execution}", None),
    ("GET", "/executions/{execution}/nodes", None),
    ("GET", "/executions/{execution}/nodes/start", None),
    ("GET", "/executions/{execution}/timeline", None),
    ("POST", "/executions/{execution}/cancel", {}),
    ("POST", "/executions/{paused}/pause", None),
    ("POST", "/executions/{paused}/resume", {"node_id": "ask", "input": 7}),
    ("GET", "/executions/{paused}/snapshots", None),
    ("GET", "/executions/{paused}/snapshots/1", None),
    ("GET", "/waitpoints/{waitpoint}", None),
    ("POST", "/waitpoints/{token}/complete", {"input": 7}),
    ("POST", "/waitpoints/{waitpoint}/links", {}),
    ("POST", "/executions/{execution}/retry", {}),
    ("POST", "/executions/{execution}/rerun", {}),
]
# What a test of it says is the credential's, whatever it is.
GIVEN_BY_NOBODY = {"client_id": "shop", "token_url": "http://127.0.0.1:1/token", "authorize_url": "https://id.example"}
WHEN_OVER = ("/retry", "/rerun")  # what only a run that is over can be asked for
# What each of the keys in these paths names.
RESOURCES = {
    "workflow": "Workflow",
    "variable": "Variable",
    "credential": "Credential",
    "execution": "Execution",
    "paused": "Execution",
    "waitpoint": "Waitpoint",
    "token": "Waitpoint",
}
# Those that name none, or what belongs to nobody.
COMMON = [
    ("GET", "/workflows"),
    ("POST", "/workflows"),
    ("POST", "/workflows/validate"),
    ("GET", "/variables"),
    ("POST", "/variables"),
    ("GET", "/credentials"),
    ("GET", "/credentials/kinds"),
    ("POST", "/credentials"),
    # Files are named by a path, which every workspace has for itself: tests/workflows/files.
    ("GET", "/files"),
    ("POST", "/files"),
    ("POST", "/files/links"),
    ("GET", "/files/content/{file}"),
    ("PUT", "/files/content/{file}"),
    ("DELETE", "/files/content/{file}"),
    ("GET", "/executions"),
    ("POST", "/executions/bulk"),  # tests/executions/test_bulk_views.py
    ("GET", "/waitpoints"),
    ("POST", "/waitpoints"),
    ("POST", "/events"),
    ("GET", "/node-types"),
    ("GET", "/node-types/{type}"),
    ("GET", "/node-types/integration/providers"),
    ("GET", "/node-types/integration/providers/{name}"),
]
ELSEWHERE = ("}/events", "}/ticket")  # realtime's own, tested there


@pytest.fixture
def owner(db: None) -> Api:
    return Api(WorkspaceFactory())


@pytest.fixture
def theirs(owner: Api) -> dict[str, str]:
    """Ids of objects of the owner's workspace."""
    version = WorkflowVersionFactory(workflow=WorkflowFactory(workspace=owner.workspace, name="Theirs"))
    execution = ExecutionFactory(version=version)
    NodeRunFactory(execution=execution)
    variable = VariableFactory(workspace=owner.workspace)
    waitpoint = WaitpointFactory(execution=ExecutionFactory(version=version, status=RunStatus.PAUSED))
    SnapshotFactory(execution=waitpoint.execution)
    token = WaitpointFactory(execution=waitpoint.execution, node_id="token", kind=PauseKind.TOKEN)
    return {
        "workflow": str(version.workflow_id),
        "execution": str(execution.pk),
        "paused": str(waitpoint.execution_id),
        "variable": str(variable.pk),
        "credential": str(CredentialFactory(workspace=owner.workspace, kind="oauth2", filled=GIVEN_BY_NOBODY).pk),
        "waitpoint": str(waitpoint.pk),
        "token": str(token.pk),
    }


def call(api: Api, method: str, path: str, body: Any) -> Any:
    send = {"GET": api.get, "DELETE": api.delete}.get(method)
    return send(path) if send else getattr(api, method.lower())(path, body)


def test_endpoints_are_all_in_the_tables_above() -> None:
    """An endpoint that is added is tested for isolation, or fails this."""
    paths = SchemaGenerator().get_schema(request=None, public=True)["paths"]

    described = {
        (method.upper(), re.sub(r"\{.*?\}", "{}", path.removeprefix("/api/v1")))
        for path, methods in paths.items()
        for method in methods
        if path.startswith("/api/v1/") and not path.endswith(ELSEWHERE)
    }

    tested = [*COMMON, *((method, path) for method, path, _ in OBJECTS)]
    assert described == {(method, re.sub(r"\{.*?\}|(?<=/)1$|(?<=/)start$", "{}", path)) for method, path in tested}


@pytest.mark.parametrize(("method", "path", "body"), OBJECTS)
def test_object_of_another_workspace_is_a_404_as_if_it_were_not_there(
    owner: Api, theirs: dict[str, str], method: str, path: str, body: Any
) -> None:
    """The answer does not tell whether it exists, and nothing happens to it. Its owner is served."""
    stranger = Api(WorkspaceFactory())
    [key] = re.findall(r"{(.*?)}", path)
    path = path.format(**theirs)
    if path.endswith(WHEN_OVER):
        Execution.objects.update(status=RunStatus.FAILED, ended_at=timezone.now())

    refused = call(stranger, method, path, body)
    served = call(owner, method, path, body)

    assert error(refused, 404, "resource_not_found")["details"] == {
        "resource": RESOURCES[key],
        "id": theirs[key],
    }
    assert 200 <= served.status_code < 300, served.content


def test_objects_of_another_workspace_are_as_they_were_after_a_stranger_tried(
    owner: Api, theirs: dict[str, str]
) -> None:
    """A 404 that had an effect would be worse than a 200."""
    stranger = Api(WorkspaceFactory())
    paths = [f"/{RESOURCES[name].lower()}s/{key}" for name, key in theirs.items()]
    before = [data(owner.get(path)) for path in paths]

    for method, path, body in OBJECTS:
        call(stranger, method, path.format(**theirs), body)

    assert [data(owner.get(path)) for path in paths] == before


def test_lists_show_nothing_of_another_workspace(theirs: dict[str, str]) -> None:
    """Not even that there is something."""
    stranger = Api(WorkspaceFactory())

    listed = [stranger.get(f"/{resource.lower()}s").json() for resource in set(RESOURCES.values())]

    assert [(body["data"], body["pagination"]["total_count"]) for body in listed] == [([], 0)] * len(listed)


def test_workflow_created_by_a_stranger_is_theirs(owner: Api, theirs: dict[str, str]) -> None:
    """No body can name another workspace."""
    stranger = Api(WorkspaceFactory())

    refused = stranger.post("/workflows", {"name": "x", "definition": {}, "workspace_id": str(owner.workspace.pk)})

    assert error(refused, 400, "validation_error")["details"]["fields"][0]["field"] == "workspace_id"
    assert Workflow.objects.count() == 1


@pytest.mark.parametrize(("method", "path"), [*COMMON, *((method, path) for method, path, _ in OBJECTS)])
def test_endpoint_wants_a_key_and_a_scope(owner: Api, theirs: dict[str, str], method: str, path: str) -> None:
    """Nothing of the API is open: without a key 401, with one that may nothing 403, and neither has an effect."""
    path = path.format(**theirs, type="input", name="slack", file="a.txt")
    powerless = Api(owner.workspace, scopes=[])

    nobody = Client().generic(method, f"/api/v1{path}", b"{}", content_type="application/json")
    refused = call(powerless, method, path, {})

    assert error(nobody, 401, "invalid_api_key")["code"] == "invalid_api_key"
    assert error(refused, 403, "insufficient_scope")["details"]["your_scopes"] == []
