from __future__ import annotations

import pytest

from executions.core import NodeStatus
from realtime.core import Look, Standing, edge_looks
from workflows.core.plan import EdgeType, PlanEdge

SUCCESS, PORT, ERROR = (
    PlanEdge(source="a", target="b", type=EdgeType.SUCCESS),
    PlanEdge(source="a", target="b", type=EdgeType.PORT, port="true"),
    PlanEdge(source="a", target="b", type=EdgeType.ERROR),
)
BODY = PlanEdge(source="a", target="b", type=EdgeType.BODY)
BACK, BACK_PORT, BACK_ERROR = (
    PlanEdge(source="a", target="b", type=EdgeType.BACK, port=port) for port in (None, "true", "error")
)
TIMEOUT = PlanEdge(source="a", target="b", type=EdgeType.PORT, port="timeout")
BACK_TIMEOUT = PlanEdge(source="a", target="b", type=EdgeType.BACK, port="timeout")
PENDING = Standing(status=NodeStatus.PENDING)


@pytest.mark.parametrize(
    ("standing", "success", "port", "error"),
    [
        (PENDING, "open", "open", "open"),
        (Standing(status=NodeStatus.RUNNING), "open", "open", "open"),
        (Standing(status=NodeStatus.WAITING), "open", "open", "open"),
        (Standing(status=NodeStatus.COMPLETED), "taken", "dead", "dead"),
        (Standing(status=NodeStatus.COMPLETED, port="true"), "taken", "taken", "dead"),
        (Standing(status=NodeStatus.COMPLETED, port="false"), "taken", "dead", "dead"),  # the other port
        (Standing(status=NodeStatus.FAILED, handled=True), "dead", "dead", "taken"),
        (Standing(status=NodeStatus.FAILED), "open", "open", "open"),  # what is behind it never runs, nor is it skipped
        (Standing(status=NodeStatus.CANCELLED), "open", "open", "open"),
        (Standing(status=NodeStatus.SKIPPED), "dead", "dead", "dead"),
        (Standing(status=NodeStatus.SKIPPED, disabled=True), "taken", "dead", "dead"),  # passes on
    ],
)
def test_edge_looks_as_its_source_stands(standing: Standing, success: str, port: str, error: str) -> None:
    """An edge has no state of its own: it is read off the node it comes from."""
    nodes = {"a": standing, "b": PENDING}

    assert edge_looks([SUCCESS, PORT, ERROR], nodes) == [success, port, error]
    assert edge_looks([BACK, BACK_PORT, BACK_ERROR], nodes) == [success, port, error]  # by the way it leaves


@pytest.mark.parametrize(
    ("standing", "success", "timeout"),
    [
        (Standing(status=NodeStatus.WAITING, pauses=True), "open", "open"),
        (Standing(status=NodeStatus.COMPLETED, pauses=True), "taken", "dead"),  # answered
        (Standing(status=NodeStatus.COMPLETED, pauses=True, port="timeout"), "dead", "taken"),
        (Standing(status=NodeStatus.COMPLETED, port="timeout"), "taken", "taken"),  # a case of a switch, of that name
    ],
)
def test_pause_that_expired_leaves_by_its_timeout_and_no_other_edge(
    standing: Standing, success: str, timeout: str
) -> None:
    """Though it is completed."""
    nodes = {"a": standing, "b": PENDING}

    assert standing.is_expired is (success == "dead")
    assert edge_looks([SUCCESS, TIMEOUT], nodes) == edge_looks([BACK, BACK_TIMEOUT], nodes) == [success, timeout]


@pytest.mark.parametrize(
    ("root", "look"),
    [
        (Standing(status=NodeStatus.COMPLETED, port="true"), Look.TAKEN),  # reached, so it passes on
        (Standing(status=NodeStatus.COMPLETED, port="false"), Look.DEAD),  # behind a dead edge: dead like any other
    ],
)
def test_disabled_node_passes_on_only_what_reached_it(root: Standing, look: Look) -> None:
    """Both are skipped; only the edge before tells them apart."""
    edges = [
        PlanEdge(source="off", target="end", type=EdgeType.SUCCESS),  # drawn before the edge that decides about it
        PlanEdge(source="root", target="off", type=EdgeType.PORT, port="true"),
    ]
    nodes = {"root": root, "off": Standing(status=NodeStatus.SKIPPED, disabled=True), "end": PENDING}

    assert edge_looks(edges, nodes)[0] is look


@pytest.mark.parametrize(
    ("container", "first", "look"),
    [
        (NodeStatus.PENDING, NodeStatus.PENDING, Look.OPEN),
        (NodeStatus.RUNNING, NodeStatus.PENDING, Look.OPEN),  # before the first iteration
        (NodeStatus.RUNNING, NodeStatus.RUNNING, Look.TAKEN),
        (NodeStatus.COMPLETED, NodeStatus.COMPLETED, Look.TAKEN),
        (NodeStatus.COMPLETED, NodeStatus.PENDING, Look.DEAD),  # no iteration
        (NodeStatus.COMPLETED, NodeStatus.SKIPPED, Look.DEAD),  # told of a node in a body that was never entered
        (NodeStatus.FAILED, NodeStatus.FAILED, Look.TAKEN),
        (NodeStatus.SKIPPED, NodeStatus.SKIPPED, Look.DEAD),
        (NodeStatus.CANCELLED, NodeStatus.CANCELLED, Look.OPEN),
    ],
)
def test_edge_into_a_body_is_taken_once_there_is_an_iteration(
    container: NodeStatus, first: NodeStatus, look: Look
) -> None:
    """A container that is running is not finished, yet its body runs."""
    assert edge_looks([BODY], {"a": Standing(status=container), "b": Standing(status=first)}) == [look]


def test_disabled_container_passes_on_whatever_leads_back_to_it() -> None:
    """Whether it was reached was settled before its body was."""
    edges = [
        PlanEdge(source="in", target="loop", type=EdgeType.BACK),
        PlanEdge(source="loop", target="end", type=EdgeType.SUCCESS),
    ]
    nodes = {"in": PENDING, "loop": Standing(status=NodeStatus.SKIPPED, disabled=True), "end": PENDING}

    assert edge_looks(edges, nodes) == [Look.OPEN, Look.TAKEN]
