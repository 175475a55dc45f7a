from __future__ import annotations

from typing import Any

import pytest

from executions import blobs
from executions.core import NodeStatus
from executions.node_logs import LogLine, NodeLog, node_logs
from executions.node_states import NodeState
from tests.factories import ExecutionFactory, NodeRunFactory


def state(node_id: str, scope: str = "") -> NodeState:
    return NodeState(node_id=node_id, scope=scope, name=node_id, type="trigger", status=NodeStatus.COMPLETED)


@pytest.mark.django_db
def test_logs_are_those_of_the_states_in_their_order() -> None:
    """The order is the reader's; what was not visited has nothing to tell; other scopes are other visits."""
    run = ExecutionFactory()
    NodeRunFactory(execution=run, node_id="b", output={"b": 1})
    row = NodeRunFactory(
        execution=run,
        node_id="a",
        input={"in": 1},
        output="out",
        logs=[["2026-05-04T12:00:00+00:00", "info", "hello"]],
    )
    NodeRunFactory(execution=run, node_id="a", scope="loop1[0]", output="elsewhere")

    logs = node_logs(run, [state("a"), state("never")])

    assert logs == [
        NodeLog(
            state=state("a"),
            ready_at=row.ready_at,
            input={"in": 1},
            output="out",
            logs=(LogLine(at="2026-05-04T12:00:00+00:00", level="info", message="hello"),),
        ),
        NodeLog(state=state("never")),
    ]


@pytest.mark.django_db
def test_logs_of_a_page_are_one_query(django_assert_num_queries: Any) -> None:
    """However many nodes are on it."""
    run = ExecutionFactory()
    names = ["a", "b", "c"]
    for name in names:
        NodeRunFactory(execution=run, node_id=name)

    with django_assert_num_queries(1):
        logs = node_logs(run, [state(name) for name in names])

    assert [log.state.node_id for log in logs] == names


@pytest.mark.django_db
def test_output_that_is_a_blob_is_fetched_when_it_is_asked_for() -> None:
    """A list tells how long it is."""
    run = ExecutionFactory()
    blob = blobs.put('{"a":1}', workspace_id=run.workspace_id, execution_id=run.pk)
    NodeRunFactory(execution=run, node_id="a", output_ref=blob.dump())

    (listed,), (whole,) = node_logs(run, [state("a")]), node_logs(run, [state("a")], whole=True)

    assert [(log.output, log.output_omitted) for log in (listed, whole)] == [(None, 7), ({"a": 1}, None)]
