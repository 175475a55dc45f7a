"""Where a run stands: one letter per node, the ports that were chosen, the workflow variables. A compact value.

An edge has no state of its own: it is read off the letter of the node it comes from (`EDGES`). So nothing can disagree,
and a run of a thousand nodes is a kilobyte.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any, Final

from executions.core.errors import StateTooNew
from executions.core.statuses import NodeStatus, RunStatus
from handlers import JSONObject
from workflows.core.plan import EdgeType

FORMAT: Final = 1

PENDING: Final = ord(".")
OUT: Final = ord("o")  # takes no part in this run, not even in joins
QUEUED: Final = ord("q")  # ready, but above the run's cap
GIVEN: Final = ord("g")  # handed out: its row is ready or running
COMPLETED: Final = ord("c")
HANDLED: Final = ord("h")  # failed, and has an error edge
FAILED: Final = ord("f")  # failed, unhandled
SKIPPED: Final = ord("s")  # behind dead edges
PASSED: Final = ord("p")  # disabled: skipped, yet passes on
CANCELLED: Final = ord("x")  # never ran, or was running when the run ended

STATUS: Final[Mapping[int, NodeStatus]] = {
    PENDING: NodeStatus.PENDING,
    OUT: NodeStatus.PENDING,
    QUEUED: NodeStatus.READY,
    GIVEN: NodeStatus.RUNNING,
    COMPLETED: NodeStatus.COMPLETED,
    HANDLED: NodeStatus.FAILED,
    FAILED: NodeStatus.FAILED,
    SKIPPED: NodeStatus.SKIPPED,
    PASSED: NodeStatus.SKIPPED,
    CANCELLED: NodeStatus.CANCELLED,
}


class Edge(Enum):
    """What is known of an edge."""

    UNKNOWN = "unknown"
    TAKEN = "taken"
    DEAD = "dead"
    ABSENT = "absent"  # its source takes no part: the edge counts for nothing


# The edges out of a node, by its letter. A PORT edge of a completed node is taken when it is the port that was chosen.
EDGES: Final[Mapping[int, Mapping[EdgeType, Edge]]] = {
    PENDING: dict.fromkeys(EdgeType, Edge.UNKNOWN),
    QUEUED: dict.fromkeys(EdgeType, Edge.UNKNOWN),
    GIVEN: dict.fromkeys(EdgeType, Edge.UNKNOWN),
    COMPLETED: {EdgeType.SUCCESS: Edge.TAKEN, EdgeType.PORT: Edge.DEAD, EdgeType.ERROR: Edge.DEAD},
    HANDLED: {EdgeType.SUCCESS: Edge.DEAD, EdgeType.PORT: Edge.DEAD, EdgeType.ERROR: Edge.TAKEN},
    FAILED: dict.fromkeys(EdgeType, Edge.UNKNOWN),  # what depends on it never runs, joins included
    SKIPPED: dict.fromkeys(EdgeType, Edge.DEAD),
    PASSED: {EdgeType.SUCCESS: Edge.TAKEN, EdgeType.PORT: Edge.DEAD, EdgeType.ERROR: Edge.DEAD},
    CANCELLED: dict.fromkeys(EdgeType, Edge.UNKNOWN),
    OUT: dict.fromkeys(EdgeType, Edge.ABSENT),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ScopeState:
    """The nodes of one scope, in plan order."""

    marks: bytes  # a letter per node
    ports: Mapping[int, str] = field(default_factory=dict)  # place of a completed node → the port it chose


@dataclass(frozen=True, slots=True, kw_only=True)
class RunState:
    """Everything that has been folded of a run. Outputs stay in their rows."""

    status: RunStatus
    started_at: datetime
    scopes: Mapping[str, ScopeState]  # open scopes by path; "" is the top level
    variables: JSONObject = field(default_factory=dict)
    error: JSONObject | None = None  # the first unhandled failure: it decides how the run ends

    def in_flight(self) -> int:
        """Nodes handed out and not folded yet."""
        return sum(scope.marks.count(GIVEN) for scope in self.scopes.values())

    def dump(self) -> JSONObject:
        return {
            "format": FORMAT,
            "status": self.status.value,
            "started_at": self.started_at.isoformat(),
            "scopes": {
                path: [scope.marks.decode("ascii"), {str(place): port for place, port in scope.ports.items()}]
                for path, scope in self.scopes.items()
            },
            "variables": self.variables,
            "error": self.error,
        }


def load_state(data: Mapping[str, Any]) -> RunState:
    """The state of its JSON form. Raises StateTooNew for a format this release does not know."""
    if data["format"] > FORMAT:
        raise StateTooNew(f"state format {data['format']}, this release reads up to {FORMAT}")
    return RunState(
        status=RunStatus(data["status"]),
        started_at=datetime.fromisoformat(data["started_at"]),
        scopes={
            path: ScopeState(marks=marks.encode("ascii"), ports={int(place): port for place, port in ports.items()})
            for path, (marks, ports) in data["scopes"].items()
        },
        variables=data["variables"],
        error=data["error"],
    )
