"""What a failure means for its node: decided by the plan alone, so the worker that saw it can record it for good."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from executions.core.statuses import NodeStatus
from handlers import JSONObject, JSONValue
from workflows.core.plan import OnErrorStrategy, PlanNode

CANCELLED_CODE: Final = "cancelled"
WORKER_LOST: Final = "worker_lost"
INTERNAL_ERROR: Final = "internal_error"
TIMEOUT: Final = "timeout"
LOOP_LIMIT: Final = "loop_limit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """How a node that failed for the last time is recorded."""

    status: NodeStatus  # COMPLETED when its onError makes an output of the failure
    handled: bool
    output: JSONValue
    error: JSONObject


def judge(
    node: PlanNode,
    *,
    has_error_edge: bool,
    message: str,
    code: str,
    attempt: int,
    at: datetime,
    details: JSONObject | None = None,
) -> Verdict:
    """The error edge comes before `onError`; with neither, the failure is unhandled and has no output."""
    error = describe(node.id, message=message, code=code, attempt=attempt, at=at, details=details)
    return judge_error(node, has_error_edge=has_error_edge, error=error)


def describe(
    node_id: str | None, *, message: str, code: str, attempt: int, at: datetime, details: JSONObject | None = None
) -> JSONObject:
    """An error as it is stored and shown."""
    return {
        "message": message,
        "code": code,
        "node_id": node_id,
        "attempts": attempt,
        "at": at.isoformat(),
        "details": details or {},
    }


def judge_error(node: PlanNode, *, has_error_edge: bool, error: JSONObject) -> Verdict:
    """As `judge`, for an error that is described already: that of a body, which becomes its container's."""
    told: JSONObject = {"error": error}
    if has_error_edge:
        return Verdict(status=NodeStatus.FAILED, handled=True, output=told, error=error)
    match node.on_error:
        case OnErrorStrategy.CONTINUE:
            return Verdict(status=NodeStatus.COMPLETED, handled=True, output=told, error=error)
        case OnErrorStrategy.FALLBACK:
            return Verdict(status=NodeStatus.COMPLETED, handled=True, output=node.fallback_value, error=error)
        case OnErrorStrategy.FAIL | OnErrorStrategy.GOTO:
            return Verdict(status=NodeStatus.FAILED, handled=False, output=None, error=error)
