from __future__ import annotations

import pytest

from executions.core import NodeStatus, judge
from tests.executions.core.play import NOW, plan_of

ERROR = {
    "message": "boom",
    "code": "error",
    "node_id": "a",
    "attempts": 2,
    "at": "2026-01-01T00:00:00+00:00",
    "details": {},
}


@pytest.mark.parametrize(
    ("on_error", "has_error_edge", "status", "handled", "output"),
    [
        (None, False, NodeStatus.FAILED, False, None),
        (None, True, NodeStatus.FAILED, True, {"error": ERROR}),
        ({"strategy": "continue"}, False, NodeStatus.COMPLETED, True, {"error": ERROR}),
        ({"strategy": "fallback", "fallbackValue": 7}, False, NodeStatus.COMPLETED, True, 7),
        (
            {"strategy": "fallback", "fallbackValue": 7},
            True,
            NodeStatus.FAILED,
            True,
            {"error": ERROR},
        ),  # the edge wins
        ({"strategy": "fail"}, False, NodeStatus.FAILED, False, None),
    ],
)
def test_failure_is_judged_by_the_plan(
    on_error: dict[str, object] | None, has_error_edge: bool, status: NodeStatus, handled: bool, output: object
) -> None:
    plan = plan_of("start -> a", nodes={"a": {"onError": on_error}} if on_error else None)

    verdict = judge(plan.nodes[1], has_error_edge=has_error_edge, message="boom", code="error", attempt=2, at=NOW)

    assert (verdict.status, verdict.handled, verdict.output, verdict.error) == (status, handled, output, ERROR)
