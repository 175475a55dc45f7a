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
    assert edge_looks([SUCCESS, PORT, ERROR], {"a": standing, "b": PENDING}) == [success, port, error]


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
