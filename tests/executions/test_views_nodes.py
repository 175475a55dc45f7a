from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from executions.core import EventType, NodeStatus, RunStatus
from executions.core.scopes import path
from tests.doors import Api, data, error
from tests.executions.rows import NOON, large_run, run_of
from tests.executions.runs import publish
from tests.factories import (
    EventFactory,
    ExecutionFactory,
    NodeRunFactory,
    WorkflowFactory,
    WorkflowVersionFactory,
    WorkspaceFactory,
    definition,
)


@pytest.fixture
def api(db: None) -> Api:
    return Api(WorkspaceFactory())


def test_node_with_a_large_output_has_it_and_a_list_its_size(api: Api) -> None:
    run = large_run(api.workspace)

    shown, (listed,) = [data(api.get(f"/executions/{run.pk}/nodes{path}")) for path in ("/start", "")]

    assert (shown["output"], shown["output_omitted"]) == ("x" * 299_998, None)
    assert (listed["output"], listed["output_omitted"]) == (None, 300_000)


def test_nodes_are_told_with_what_they_were_given_and_gave_back(api: Api) -> None:
    """Those that were not visited have a status, and nothing else."""
    workflow = WorkflowFactory(workspace=api.workspace, definition=definition("start", "end"))
    run = ExecutionFactory(version=WorkflowVersionFactory(workflow=workflow), status=RunStatus.RUNNING)
    NodeRunFactory(
        execution=run,
        status=NodeStatus.COMPLETED,
        attempt=2,
        input={"a": 1},
        output=[1, None],
        port="true",
        logs=[["2026-05-04T12:00:00+00:00", "info", "hello"]],
        ready_at=NOON,
        started_at=NOON,
        ended_at=NOON + timedelta(milliseconds=20),
    )

    start, end = data(api.get(f"/executions/{run.pk}/nodes"))

    assert start == {
        "node_id": "start",
        "scope": "",
        "name": "Start",
        "type": "trigger",
        "status": "completed",
        "handled": False,
        "kept": False,
        "attempt": 2,
        "attempts": [],
        "due_at": None,
        "port": "true",
        "input": {"a": 1},
        "output": [1, None],
        "output_omitted": None,
        "error": None,
        "usage": None,
        "logs": [{"at": "2026-05-04T12:00:00+00:00", "level": "info", "message": "hello"}],
        "ready_at": "2026-05-04T12:00:00Z",
        "started_at": "2026-05-04T12:00:00Z",
        "completed_at": "2026-05-04T12:00:00.020000Z",
        "duration_ms": 20,
    }
    assert (end["node_id"], end["status"], end["attempt"], end["output"], end["logs"]) == (
        "end",
        "pending",
        0,
        None,
        [],
    )
    assert data(api.get(f"/executions/{run.pk}/nodes/start")) == start


def test_node_that_waits_for_its_next_attempt_says_when_and_what_went_before(api: Api) -> None:
    """Once it is tried again, it waits no more; what went before stays."""
    workflow = WorkflowFactory(workspace=api.workspace, definition=definition("start", "end"))
    run = ExecutionFactory(version=WorkflowVersionFactory(workflow=workflow), status=RunStatus.RUNNING)
    past = {
        "attempt": 1,
        "started_at": "2026-05-04T12:00:00+00:00",
        "ended_at": "2026-05-04T12:00:01+00:00",
        "error": {"message": "503", "code": "http_503", "node_id": "start", "attempts": 1},
    }
    tried = {"execution": run, "attempt": 2, "history": [past], "due_at": NOON}
    NodeRunFactory(node_id="start", status=NodeStatus.READY, **tried)
    NodeRunFactory(node_id="end", status=NodeStatus.CANCELLED, **tried)

    waits, cancelled = data(api.get(f"/executions/{run.pk}/nodes"))

    assert (waits["status"], waits["attempt"], waits["due_at"]) == ("ready", 2, "2026-05-04T12:00:00Z")
    assert cancelled["due_at"] is None
    assert waits["attempts"] == cancelled["attempts"] == [past]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, ["start", "loop", "loop[0]/a", "loop[1]/a", "loop[0]/b", "loop[1]/c"]),
        ({"scope": ""}, ["start", "loop"]),
        ({"scope": "loop[1]"}, ["loop[1]/a", "loop[1]/c"]),
        ({"node_id": ""}, ["start", "loop", "loop[0]/a", "loop[1]/a", "loop[0]/b", "loop[1]/c"]),
        ({"node_id": "a"}, ["loop[0]/a", "loop[1]/a"]),
        ({"node_id": "loop"}, ["loop"]),
        ({"node_id": "c", "scope": "loop[1]"}, ["loop[1]/c"]),
        ({"node_id": "c", "scope": "loop[0]"}, []),
        ({"node_id": "a", "scope": ""}, []),
        ({"node_id": "nope"}, []),
    ],
)
def test_nodes_filtered_are_those_that_fit(api: Api, query: dict[str, str], found: list[str]) -> None:
    """By node, by scope or by both; what was skipped in a body is found like what ran."""
    version = publish("start -> loop, loop:body -> a -> b -> c", workspace=api.workspace)
    run = ExecutionFactory(version=version, status=RunStatus.RUNNING)
    for place, (node_id, scope) in enumerate(
        [("start", ""), ("loop", ""), ("a", "loop[0]"), ("a", "loop[1]"), ("b", "loop[0]")]
    ):
        NodeRunFactory(execution=run, node_id=node_id, scope=scope, ready_at=NOON + timedelta(seconds=place))
    EventFactory(execution=run, type=EventType.NODE_SKIPPED, node_id="c", scope="loop[1]", data={})

    listed = data(api.get(f"/executions/{run.pk}/nodes", query))

    assert [path(node["scope"], node["node_id"]) for node in listed] == found


def test_node_skipped_in_a_body_is_shown_by_its_address(api: Api) -> None:
    """What a list shows can be asked for by itself."""
    version = publish("start -> loop, loop:body -> a", workspace=api.workspace)
    run = ExecutionFactory(version=version, status=RunStatus.RUNNING)
    EventFactory(execution=run, type=EventType.NODE_SKIPPED, node_id="a", scope="loop[1]", data={})

    shown = data(api.get(f"/executions/{run.pk}/nodes/a", {"scope": "loop[1]"}))

    assert (shown["node_id"], shown["scope"], shown["status"]) == ("a", "loop[1]", "skipped")


@pytest.mark.parametrize("where", ["nodes", "nodes/start"])
def test_nodes_filtered_by_nonsense_are_a_400(api: Api, where: str) -> None:
    """No text in a database holds a NUL."""
    run = run_of(api.workspace)

    response = api.get(f"/executions/{run.pk}/{where}", {"scope": "a\0"})

    assert [wrong["field"] for wrong in error(response, 400, "validation_error")["details"]["fields"]] == ["scope"]


@pytest.mark.parametrize("number", [1, 3])
def test_nodes_listed_cost_the_same_however_many(api: Api, django_assert_num_queries: Any, number: int) -> None:
    """The key, the run, its state, its rows, and the bulk of those on the page. The plan is the process's."""
    nodes = ["start", "middle", "end"][:number]
    workflow = WorkflowFactory(workspace=api.workspace, definition=definition(*nodes))
    run = ExecutionFactory(version=WorkflowVersionFactory(workflow=workflow))
    for node_id in nodes:
        NodeRunFactory(execution=run, node_id=node_id, history=[], due_at=NOON)
    api.get(f"/executions/{run.pk}/nodes")

    with django_assert_num_queries(5):
        listed = data(api.get(f"/executions/{run.pk}/nodes"))

    assert [node["node_id"] for node in listed] == nodes


def test_nodes_come_in_pages(api: Api) -> None:
    """A run of a thousand nodes is not one answer."""
    workflow = WorkflowFactory(workspace=api.workspace, definition=definition("start", "middle", "end"))
    run = ExecutionFactory(version=WorkflowVersionFactory(workflow=workflow))

    response = api.get(f"/executions/{run.pk}/nodes", {"page": "2", "per_page": "2"})

    assert [node["node_id"] for node in data(response)] == ["end"]
    assert response.json()["pagination"]["total_count"] == 3


@pytest.mark.parametrize("path", ["nope", "start?scope=loop1[0]"])
def test_node_that_is_not_there_is_a_404(api: Api, path: str) -> None:
    """By its id, and by its scope."""
    run = run_of(api.workspace)

    response = api.get(f"/executions/{run.pk}/nodes/{path}")

    assert error(response, 404, "resource_not_found")["details"]["resource"] == "Node"
