from __future__ import annotations

import pytest

from executions.core.errors import IllegalTransition
from executions.core.state import EDGES, STATUS
from executions.core.statuses import NODE_TRANSITIONS, RUN_TRANSITIONS, NodeStatus, RunStatus, step_node, step_run
from workflows.core.plan import EdgeType


def test_every_status_has_its_row_in_its_table() -> None:
    assert set(RUN_TRANSITIONS) == set(RunStatus)
    assert set(NODE_TRANSITIONS) == set(NodeStatus)


def test_every_letter_has_its_row_in_every_table() -> None:
    """A letter without edges would stop a run for ever."""
    assert set(EDGES) == set(STATUS)
    assert {frozenset(row) for row in EDGES.values()} == {frozenset(EdgeType)}


@pytest.mark.parametrize("status", [status for status in RunStatus if status.is_final])
def test_final_run_status_leads_nowhere(status: RunStatus) -> None:
    for other in RunStatus:
        with pytest.raises(IllegalTransition):
            step_run(status, other)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (NodeStatus.RUNNING, NodeStatus.READY),  # a retry, or a lost worker
        (NodeStatus.RUNNING, NodeStatus.WAITING),  # a pause
        (NodeStatus.WAITING, NodeStatus.FAILED),  # it expired
        (NodeStatus.PENDING, NodeStatus.SKIPPED),  # behind dead edges
    ],
)
def test_node_may_step(old: NodeStatus, new: NodeStatus) -> None:
    assert step_node(old, new) is new


def test_completed_node_cannot_run_again() -> None:
    with pytest.raises(IllegalTransition, match="completed → running"):
        step_node(NodeStatus.COMPLETED, NodeStatus.RUNNING)
