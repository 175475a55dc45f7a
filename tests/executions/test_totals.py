from __future__ import annotations

import pytest

from executions.core import NodeStatus
from executions.node_states import NodeState
from executions.totals import progress, token_totals
from tests.factories import ExecutionFactory, NodeRunFactory


def nodes(*statuses: NodeStatus) -> list[NodeState]:
    return [
        NodeState(node_id=f"n{number}", scope="", name="", type="trigger", status=status)
        for number, status in enumerate(statuses)
    ]


@pytest.mark.parametrize(
    ("statuses", "completed", "percentage"),
    [
        ([], 0, 0),
        ([NodeStatus.PENDING, NodeStatus.READY, NodeStatus.RUNNING, NodeStatus.WAITING], 0, 0),
        ([NodeStatus.COMPLETED, NodeStatus.FAILED, NodeStatus.SKIPPED, NodeStatus.CANCELLED], 4, 100),
        ([NodeStatus.COMPLETED, NodeStatus.PENDING, NodeStatus.PENDING], 1, 33),
        ([NodeStatus.COMPLETED, NodeStatus.COMPLETED, NodeStatus.PENDING], 2, 67),
    ],
)
def test_progress_counts_what_is_through(statuses: list[NodeStatus], completed: int, percentage: int) -> None:
    """A node that was skipped will not come either: it counts as done."""
    told = progress(nodes(*statuses))

    assert told == {"completed": completed, "total": len(statuses), "percentage": percentage}


@pytest.mark.django_db
def test_tokens_are_summed_over_every_scope_of_this_run_only() -> None:
    """Iterations and branches count each; nodes that counted none count nothing."""
    run, other = ExecutionFactory(), ExecutionFactory()
    used = {"model": "m", "provider": "p", "prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
    for scope in ("", "loop1[0]", "loop1[1]"):
        NodeRunFactory(execution=run, scope=scope, usage=used)
    NodeRunFactory(execution=run, node_id="paid", usage={**used, "cost_usd": 0.25})
    NodeRunFactory(execution=run, node_id="free", usage={**used, "cost_usd": None})
    NodeRunFactory(execution=run, node_id="other")
    NodeRunFactory(execution=other, usage=used)

    totals = token_totals(run.pk)

    assert totals == {
        "prompt_tokens": 50,
        "completion_tokens": 25,
        "total_tokens": 75,
        "cost_usd": 0.25,
        "unpriced_tokens": 60,
    }


@pytest.mark.django_db
def test_tokens_of_a_run_that_used_none_are_zero() -> None:
    """Zero is a number; null would have to be handled by everybody who adds up."""
    run = ExecutionFactory()

    totals = token_totals(run.pk)

    assert set(totals.values()) == {0}
