"""Where a run stands: one letter per node of each open scope, the ports that were chosen, the workflow variables.

An edge has no state of its own: it is read off the letter of the node it comes from (`EDGES`). So nothing can disagree,
and a run of a thousand nodes is a kilobyte. A scope that is over leaves nothing but a count in its container's frame:
a loop of ten thousand iterations is as small as one of two.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum, StrEnum
from typing import Any, Final

from executions.core.errors import StateTooNew
from executions.core.scopes import TOP
from executions.core.statuses import NodeStatus, PauseReason, RunStatus
from handlers import JSONObject
from workflows.core.plan import EdgeType

FORMAT: Final = 3  # 2 had no pauses; 1 no frames, and the run's error beside its scopes

PENDING: Final = ord(".")
OUT: Final = ord("o")  # takes no part in this run, not even in joins
QUEUED: Final = ord("q")  # ready, but above the run's cap
GIVEN: Final = ord("g")  # handed out: its row is ready or running
OPEN: Final = ord("b")  # a container with a body under way
CHILD: Final = ord("k")  # waits for the run it started
RESTING: Final = ord("z")  # waits for the run it started, which is paused
WAITING: Final = ord("w")  # waits for something outside
RETRYING: Final = ord("r")  # failed, and will be tried again when its time has come
COMPLETED: Final = ord("c")
EXPIRED: Final = ord("e")  # completed because nobody answered in time
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
    OPEN: NodeStatus.RUNNING,
    CHILD: NodeStatus.RUNNING,
    RESTING: NodeStatus.RUNNING,
    WAITING: NodeStatus.WAITING,
    RETRYING: NodeStatus.READY,
    COMPLETED: NodeStatus.COMPLETED,
    EXPIRED: NodeStatus.COMPLETED,
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


_UNKNOWN: Final = dict.fromkeys(EdgeType, Edge.UNKNOWN)
_DEAD: Final = dict.fromkeys(EdgeType, Edge.DEAD)

# The edges out of a node, by its letter; of a completed node's PORT edges, see `edge`.
EDGES: Final[Mapping[int, Mapping[EdgeType, Edge]]] = {
    PENDING: _UNKNOWN,
    QUEUED: _UNKNOWN,
    GIVEN: _UNKNOWN,
    OPEN: _UNKNOWN,
    CHILD: _UNKNOWN,
    RESTING: _UNKNOWN,
    WAITING: _UNKNOWN,
    RETRYING: _UNKNOWN,
    COMPLETED: _DEAD | {EdgeType.SUCCESS: Edge.TAKEN},
    EXPIRED: _DEAD,
    HANDLED: _DEAD | {EdgeType.ERROR: Edge.TAKEN},
    FAILED: _UNKNOWN,  # what depends on it never runs, joins included
    SKIPPED: _DEAD,
    PASSED: _DEAD | {EdgeType.SUCCESS: Edge.TAKEN},
    CANCELLED: _UNKNOWN,
    OUT: dict.fromkeys(EdgeType, Edge.ABSENT),
}


def edge(mark: int, kind: EdgeType, *, drawn: str | None, chosen: str | None) -> Edge:
    """What an edge out of a node with this letter is: drawn from one of its ports, of which it has chosen one."""
    if kind is EdgeType.PORT and mark in (COMPLETED, EXPIRED):
        return Edge.TAKEN if chosen == drawn else Edge.DEAD
    return EDGES[mark][kind]


class Tests(StrEnum):
    """When a loop asks its condition whether to go on."""

    BEFORE = "before"
    AFTER = "after"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScopeState:
    """The nodes of one scope, in plan order."""

    marks: bytes  # a letter per node
    ports: Mapping[int, str] = field(default_factory=dict)  # place of a completed node → the port it chose
    attempts: Mapping[int, int] = field(
        default_factory=dict
    )  # place of a node that is tried again → which attempt next
    error: JSONObject | None = None  # an unhandled failure in it, which decides how it ends: see `fail_scope`
    halted: bool = False  # nothing new starts in it


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameState:
    """An open container: how many iterations or branches it has opened, and how many are to come."""

    started_at: datetime
    total: int | None  # None: its condition says when it is over
    width: int = 1  # open at the same time, at most
    limit: int | None = None  # opened in all, at most
    tests: Tests | None = None
    collects_failures: bool = False  # a failed branch is a result; otherwise it is the container's failure
    opened: int = 0
    running: int = 0
    is_asking: bool = False  # the shell is to test its condition, or to put its results together
    error: JSONObject | None = None  # how its first failed iteration or branch ended


@dataclass(frozen=True, slots=True, kw_only=True)
class RunState:
    """Everything that has been folded of a run. Outputs stay in their rows."""

    status: RunStatus
    started_at: datetime
    scopes: Mapping[str, ScopeState]  # open scopes by path; "" is the top level
    frames: Mapping[str, FrameState] = field(default_factory=dict)  # open containers by path
    variables: JSONObject = field(default_factory=dict)
    has_responded: bool = False  # a caller who waited for a response has it
    until: str | None = None  # the node it goes no further than
    held: bool = False  # somebody asked that nothing new starts
    was_released: bool = False  # it is not held any more, and nobody has looked yet what can start
    paused_at: datetime | None = None
    paused_ms: int = 0  # of the pauses that are over

    @property
    def error(self) -> JSONObject | None:
        """An unhandled failure at the top level: it decides how the run ends."""
        return self.scopes[TOP].error

    def is_out(self, place: int, scope: str) -> bool:
        """Whether that node was handed out and is not folded yet."""
        return scope in self.scopes and self.scopes[scope].marks[place] == GIVEN

    def in_flight(self) -> int:
        """Nodes handed out and not folded yet."""
        return self._count(GIVEN)

    def is_awaited(self) -> bool:
        """Whether something may be on its way to it that is no node in flight: a child's end, a retry, an answer."""
        return any(self._count(mark) for mark in (CHILD, RESTING, RETRYING, WAITING))

    def has_children(self) -> bool:
        return bool(self._count(CHILD) or self._count(RESTING))

    def has_resting(self) -> bool:
        """Whether a run that it started is paused."""
        return bool(self._count(RESTING))

    def is_waiting(self) -> bool:
        """Whether a node of it waits for something outside."""
        return bool(self._count(WAITING))

    @property
    def pause_reason(self) -> PauseReason | None:
        """Why it is paused; None when it is not."""
        return PauseReason.of(held=self.held) if self.status is RunStatus.PAUSED else None

    def ends_at(self, timeout_ms: int | None) -> datetime | None:
        """When it will have taken too long. None: never; and not while it is paused."""
        if timeout_ms is None or self.paused_at is not None:
            return None
        return self.started_at + timedelta(milliseconds=timeout_ms + self.paused_ms)

    def lets_go_on(self) -> bool:
        """Whether a worker may go on from its node without asking: nothing is stopped, nothing waits for a place."""
        if self.until is not None or self.held:
            return False
        return not any(scope.halted or QUEUED in scope.marks for scope in self.scopes.values())

    def _count(self, mark: int) -> int:
        return sum(scope.marks.count(mark) for scope in self.scopes.values())

    def dump(self) -> JSONObject:
        return {
            "format": FORMAT,
            "status": self.status.value,
            "started_at": self.started_at.isoformat(),
            "scopes": {path: _dump_scope(scope) for path, scope in self.scopes.items()},
            "frames": {path: _dump_frame(frame) for path, frame in self.frames.items()},
            "variables": self.variables,
            "has_responded": self.has_responded,
            "until": self.until,
            **self._dump_pause(),
        }

    def _dump_pause(self) -> JSONObject:
        """Only what there is to say: most runs are never paused."""
        told: JSONObject = {"paused_ms": self.paused_ms} if self.paused_ms else {}
        if self.paused_at is not None:
            told["paused_at"] = self.paused_at.isoformat()
        return told | {name: True for name in ("held", "was_released") if getattr(self, name)}


def load_state(data: Mapping[str, Any]) -> RunState:
    """The state of its JSON form. Raises StateTooNew for a format this release does not know."""
    if data["format"] > FORMAT:
        raise StateTooNew(f"state format {data['format']}, this release reads up to {FORMAT}")
    scopes = {path: _load_scope(*scope) for path, scope in data["scopes"].items()}
    if data["format"] == 1 and data["error"] is not None:
        scopes[TOP] = replace(scopes[TOP], error=data["error"])
    return RunState(
        status=RunStatus(data["status"]),
        started_at=datetime.fromisoformat(data["started_at"]),
        scopes=scopes,
        frames={path: _load_frame(frame) for path, frame in data.get("frames", {}).items()},
        variables=data["variables"],
        has_responded=data.get("has_responded", False),
        until=data.get("until"),
        held=data.get("held", False),
        was_released=data.get("was_released", False),
        paused_at=datetime.fromisoformat(data["paused_at"]) if "paused_at" in data else None,
        paused_ms=data.get("paused_ms", 0),
    )


def _dump_scope(scope: ScopeState) -> list[Any]:
    """A list that is as long as there is something to say."""
    dumped: list[Any] = [scope.marks.decode("ascii"), {str(place): port for place, port in scope.ports.items()}]
    if scope.attempts or scope.error is not None or scope.halted:
        dumped += [{str(place): number for place, number in scope.attempts.items()}, scope.error, scope.halted]
    return dumped


def _load_scope(
    marks: str,
    ports: Mapping[str, str],
    attempts: Mapping[str, int] | None = None,
    error: JSONObject | None = None,
    halted: bool = False,  # noqa: FBT001, FBT002 -- the positions of a list
) -> ScopeState:
    return ScopeState(
        marks=marks.encode("ascii"),
        ports={int(place): port for place, port in ports.items()},
        attempts={int(place): number for place, number in (attempts or {}).items()},
        error=error,
        halted=halted,
    )


_FRAME: Final = {
    name: each.default for name, each in FrameState.__dataclass_fields__.items() if name not in {"started_at", "total"}
}


def _dump_frame(frame: FrameState) -> JSONObject:
    told = {name: getattr(frame, name) for name, default in _FRAME.items() if getattr(frame, name) != default}
    return {"started_at": frame.started_at.isoformat(), "total": frame.total, **told}


def _load_frame(data: Mapping[str, Any]) -> FrameState:
    tests = data.get("tests")
    more = {"started_at": datetime.fromisoformat(data["started_at"]), "tests": None if tests is None else Tests(tests)}
    return FrameState(**{**data, **more})
