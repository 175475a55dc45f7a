from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
from django.contrib.staticfiles import finders
from django.core.management import call_command
from django.test import Client
from drf_spectacular.generators import SchemaGenerator

from tests.doors import Api, data
from tests.factories import (
    CredentialFactory,
    ExecutionFactory,
    NodeRunFactory,
    SnapshotFactory,
    VariableFactory,
    VoteFactory,
    WaitpointFactory,
    WorkflowFactory,
    WorkflowVersionFactory,
    WorkspaceFactory,
    WorkspaceFileFactory,
)


@pytest.fixture(scope="module")
def schema() -> Any:
    return SchemaGenerator().get_schema(request=None, public=True)


def operations(schema: Any) -> Iterator[tuple[str, str, Any]]:
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def test_schema_is_valid_and_complete_in_the_generators_eyes(tmp_path: Any) -> None:
    """Not one warning: a warning is an operation or a field that nobody described."""
    written = tmp_path / "schema.yaml"

    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(written))

    assert written.read_text().startswith("openapi: 3.1.0\n")


def test_answers_are_all_in_the_envelope(schema: Any) -> None:
    """What a generated client expects is what comes: `data` and `meta`, with `pagination` for lists."""
    shapes, downloads = set(), []
    for path, method, operation in operations(schema):
        for status, answer in operation["responses"].items():
            if [*answer["content"]] == ["application/octet-stream"]:  # of a file
                downloads.append((path, method, status))
                continue
            content = answer["content"]["application/json"]["schema"]
            parts = _resolved(schema, content)["required"]
            shapes.add((_kind(status, path), tuple(parts)))
            assert next(iter(answer["content"])) == "application/json", (path, method)

    assert shapes == {
        ("success", ("data", "meta")),
        ("success", ("data", "pagination", "meta")),
        ("error", ("error", "meta")),
    }
    assert downloads == [("/api/v1/files/content/{path}", "get", "200"), ("/f/{signed}", "get", "200")]


def test_operations_all_have_a_summary_their_scopes_and_their_errors(schema: Any) -> None:
    """Complete means: what it does, which scopes it wants, and how it can fail."""
    unnamed = [path for path, _, operation in operations(schema) if not operation.get("summary")]
    guarded = [(path, operation) for path, _, operation in operations(schema) if path.startswith("/api/")]

    assert unnamed == []
    for path, operation in guarded:
        assert re.search(r"Scopes: `[a-z-]+:[a-z]+`", operation["description"]), path
        assert {"401", "403", "default"} <= operation["responses"].keys(), path
        assert ("404" in operation["responses"]) is ("{" in path), path
        opened_by = [sorted(requirement) for requirement in operation["security"] if "ticket" not in requirement]
        assert opened_by == [["apiKeyBearer"], ["apiKeyHeader"], ["session"]], path


def test_ticket_opens_what_a_live_page_asks_for(schema: Any) -> None:
    """And nothing else of the API."""
    opened = {path for path, _, operation in operations(schema) if {"ticket": []} in operation.get("security", [])}

    assert opened == {
        f"/api/v1/executions/{{id}}{path}" for path in ("", "/nodes", "/nodes/{node_id}", "/resume", "/timeline")
    }


def test_operation_ids_are_those_that_clients_were_generated_with(schema: Any) -> None:
    """A generator names methods after them: one that changes breaks who uses it."""
    ids = sorted(operation["operationId"] for path, _, operation in operations(schema) if "realtime" not in path)

    assert {
        *("workflows_list", "workflows_create", "workflows_retrieve", "workflows_partial_update", "workflows_destroy"),
        *("workflows_validate", "workflows_publish", "workflows_versions", "workflows_version", "workflows_execute"),
        *("variables_list", "variables_create", "variables_retrieve", "variables_partial_update", "variables_destroy"),
        *("credentials_list", "credentials_create", "credentials_retrieve", "credentials_partial_update"),
        *("credentials_destroy", "credentials_kinds", "credentials_test", "credentials_authorize"),
        *("executions_list", "executions_retrieve", "executions_nodes", "executions_node", "executions_cancel"),
        "executions_timeline",
        *("executions_pause", "executions_resume", "executions_snapshots", "executions_snapshot", "events_create"),
        *("waitpoints_list", "waitpoints_create", "waitpoints_retrieve", "waitpoints_complete", "waitpoints_links"),
        "waitpoints_public",
        *("executions_retry", "executions_rerun"),
        *("files_list", "files_upload", "files_links", "files_download", "files_store", "files_remove"),
        *("files_linked", "files_linked_store"),
        *("node_types_list", "node_types_retrieve", "health_live", "health_ready"),
    } <= set(ids)
    assert len(ids) == len(set(ids))


def test_bodies_and_answers_are_all_typed(schema: Any) -> None:
    """No operation takes or gives something nobody described."""
    untyped = [
        name
        for name, component in schema["components"]["schemas"].items()
        if not component.get("properties") and not component.get("enum")
    ]

    assert untyped == []


def test_body_described_refuses_unknown_fields_and_takes_nulls(schema: Any) -> None:
    """As the server does: see workflows.http.serializers.Body."""
    body = schema["components"]["schemas"]["ExecuteRequest"]

    assert body["additionalProperties"] is False
    assert {name: field["type"] for name, field in body["properties"].items()} == {
        "inputs": ["object", "null"],
        "version": ["integer", "null"],
        "entry": ["string", "null"],
        "until_node": ["string", "null"],
        "tags": ["array", "null"],
        "wait": ["number", "null"],
    }


def test_version_described_is_a_number_or_a_word(schema: Any) -> None:
    """What it takes besides a number is listed, for a generator to offer."""
    body = schema["components"]["schemas"]["RerunRequest"]

    number, word, null = body["properties"]["version"]["oneOf"]
    assert (number["type"], word["enum"], null["type"]) == ("integer", ["original", "newest"], "null")
    assert sorted(body["properties"]) == ["from_node", "inputs", "until_node", "version"]


def test_examples_are_taken_by_the_server_and_in_the_envelope(schema: Any, db: None) -> None:
    """Who copies an example gets no error."""
    api = Api(WorkspaceFactory())
    example = schema["paths"]["/api/v1/workflows"]["post"]["requestBody"]["content"]["application/json"]["examples"]

    created = data(api.post("/workflows", example["AGreeting"]["value"]), 201)

    assert (created["version"], [issue for issue in created["issues"] if issue["severity"] == "error"]) == (1, [])


@pytest.mark.parametrize(
    ("path", "operation"),
    [
        ("/workflows", ("/api/v1/workflows", "get")),
        ("/workflows/{workflow}", ("/api/v1/workflows/{id}", "get")),
        ("/workflows/{workflow}/versions", ("/api/v1/workflows/{id}/versions", "get")),
        ("/workflows/{workflow}/versions/1", ("/api/v1/workflows/{id}/versions/{number}", "get")),
        ("/variables", ("/api/v1/variables", "get")),
        ("/variables/{variable}", ("/api/v1/variables/{id}", "get")),
        ("/files", ("/api/v1/files", "get")),
        ("/files?prefix=a%00", ("/api/v1/files", "get")),
        ("/credentials", ("/api/v1/credentials", "get")),
        ("/credentials/kinds", ("/api/v1/credentials/kinds", "get")),
        ("/credentials/{credential}", ("/api/v1/credentials/{id}", "get")),
        ("/credentials/{tested}", ("/api/v1/credentials/{id}", "get")),
        ("/executions", ("/api/v1/executions", "get")),
        ("/executions/{execution}", ("/api/v1/executions/{id}", "get")),
        ("/executions/{execution}/nodes", ("/api/v1/executions/{id}/nodes", "get")),
        ("/executions/{execution}/nodes/start", ("/api/v1/executions/{id}/nodes/{node_id}", "get")),
        ("/executions/{execution}/snapshots", ("/api/v1/executions/{id}/snapshots", "get")),
        ("/executions/{execution}/snapshots/1", ("/api/v1/executions/{id}/snapshots/{seq}", "get")),
        ("/waitpoints", ("/api/v1/waitpoints", "get")),
        ("/waitpoints/{waitpoint}", ("/api/v1/waitpoints/{id}", "get")),
        ("/waitpoints/{vote}", ("/api/v1/waitpoints/{id}", "get")),
        ("/waitpoints/{event}", ("/api/v1/waitpoints/{id}", "get")),
        ("/node-types", ("/api/v1/node-types", "get")),
        ("/node-types/llm", ("/api/v1/node-types/{type}", "get")),
        ("/nope", ("/api/v1/workflows", "get")),
    ],
)
def test_answers_given_are_as_described(schema: Any, db: None, path: str, operation: tuple[str, str]) -> None:
    """The description is checked against what the server really says, errors included."""
    api = Api(WorkspaceFactory())
    version = WorkflowVersionFactory(workflow=WorkflowFactory(workspace=api.workspace))
    execution = ExecutionFactory(version=version)
    NodeRunFactory(execution=execution)
    variable = VariableFactory(workspace=api.workspace, secret=True)
    WorkspaceFileFactory(workspace=api.workspace)
    SnapshotFactory(execution=execution)
    waitpoint = WaitpointFactory(execution=execution, prompt="Well?", schema={"type": "number"})
    vote = VoteFactory(waitpoint__execution=execution).waitpoint
    event = WaitpointFactory(execution=execution, kind="event", key="paid", due_at=waitpoint.created_at)
    keys = {"workflow": version.workflow_id, "execution": execution.pk, "variable": variable.pk}

    credential = CredentialFactory(workspace=api.workspace)
    test = {"tested_at": waitpoint.created_at, "test_succeeded": False, "test_message": "No."}
    keys |= {"credential": credential.pk, "tested": CredentialFactory(workspace=api.workspace, **test).pk}

    response = api.get(path.format(**keys, waitpoint=waitpoint.pk, vote=vote.pk, event=event.pk))

    validate(schema, operation, response)


def test_answers_to_answers_are_as_described(schema: Any, db: None) -> None:
    """Of every door, and its refusals."""
    api = Api(WorkspaceFactory())
    version = WorkflowVersionFactory(workflow=WorkflowFactory(workspace=api.workspace))
    waitpoint = WaitpointFactory(execution__version=version, schema={"type": "number"})
    run, token = waitpoint.execution, data(api.post("/waitpoints", {}), 201)
    resume = ("/api/v1/executions/{id}/resume", "post")
    path = f"/executions/{run.pk}/resume"
    public = data(api.get(f"/waitpoints/{waitpoint.pk}"))["public_url"]

    for operation, response in (
        (resume, api.post(path, {"input": "x"})),
        (resume, api.post(path, {})),
        (("/p/{signed}", "post"), Client().post(public, b'"x"', content_type="application/json")),
        (resume, api.post(path, {"input": 7})),
        (resume, api.post(path, {"node_id": "ask", "input": 7})),
        (("/p/{signed}", "post"), Client().post(public, b"7", content_type="application/json")),
        (("/api/v1/waitpoints", "post"), api.post("/waitpoints", {"prompt": "Well?"})),
        (("/api/v1/waitpoints/{id}/links", "post"), api.post(f"/waitpoints/{token['id']}/links", {})),
        (("/p/{signed}", "post"), Client().post(token["public_url"], b"7", content_type="application/json")),
        (("/api/v1/waitpoints/{id}/complete", "post"), api.post(f"/waitpoints/{token['id']}/complete", {})),
        (("/api/v1/events", "post"), api.post("/events", {"type": "paid"})),
        (("/api/v1/executions/{id}/pause", "post"), api.post(f"/executions/{run.pk}/pause")),
    ):
        validate(schema, operation, response)


def test_schema_is_served_as_json_and_as_yaml_to_everybody() -> None:
    """It tells no secret, and a generator has no key."""
    client = Client()  # of everybody: the folder has a fixture of that name, which has a key
    as_json = client.get("/api/schema")
    as_yaml = client.get("/api/schema", headers={"Accept": "application/vnd.oai.openapi"})

    assert as_json.json()["openapi"] == "3.1.0"
    assert as_yaml.content.startswith(b"openapi: 3.1.0")


@pytest.mark.parametrize("path", ["/api/docs", "/api/redoc"])
def test_pages_about_the_api_ask_no_other_host_for_anything(path: str) -> None:
    """They work without the internet, and tell nobody who reads them."""
    response = Client().get(path)

    page = response.content.decode()
    assert re.findall(r"""(?:src|href)=["'](?:https?:)?//""", page) == []
    assert "script-src" not in response["Content-Security-Policy"]  # hence default-src 'self': no inline script
    assert re.findall(r"<script(?![^>]*\ssrc=)", page) == []
    for address in re.findall(r"""<(?:script|link)[^>]*(?:src|href)=["'](/[^"']+)""", page):
        path = address.removeprefix("/static/")
        assert Client().get(address).status_code == 200 if path == address else finders.find(path), address


def validate(schema: Any, operation: tuple[str, str], response: Any) -> None:
    described = schema["paths"][operation[0]][operation[1]]["responses"]
    status = str(response.status_code) if str(response.status_code) in described else "default"
    shape = {**described[status]["content"]["application/json"]["schema"], "components": schema["components"]}
    jsonschema.Draft202012Validator(json.loads(json.dumps(shape))).validate(response.json())


def _kind(status: str, path: str) -> str:
    del path
    return "success" if status.startswith("2") else "error"


def _resolved(schema: Any, shape: Any) -> Any:
    while "$ref" in shape:
        shape = schema["components"]["schemas"][shape["$ref"].rpartition("/")[2]]
    return shape
