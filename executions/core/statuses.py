"""What a run and a node run can be, and every step from one to the next. Code, tests and README read these tables."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from executions.core.errors import IllegalTransition


class RunStatus(StrEnum):
    """What a run can be. Where it goes from there: RUN_TRANSITIONS."""

    PENDING = "pending"  # stored; no drive has looked at it yet
    RUNNING = "running"
    PAUSED = "paused"  # waits for somebody; holds rows only
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        return not RUN_TRANSITIONS[self]


class NodeStatus(StrEnum):
    """What a node of a run can be. Where it goes from there: NODE_TRANSITIONS."""

    PENDING = "pending"  # not reached; has no row
    READY = "ready"  # to be claimed by a worker
    RUNNING = "running"  # claimed: a worker's lease stands behind it
    WAITING = "waiting"  # paused
    COMPLETED = "completed"
    FAILED = "failed"
    SKIPPED = "skipped"  # behind dead edges, or disabled; has no row
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        return not NODE_TRANSITIONS[self]


class PauseReason(StrEnum):
    """Why a run is paused."""

    WAITING = "waiting"  # for an answer, an event, a moment, of its own or of a run that it started
    REQUESTED = "requested"  # somebody wants it; it may have been waiting, too

    @classmethod
    def of(cls, *, held: bool) -> PauseReason:
        return cls.REQUESTED if held else cls.WAITING


class WaitpointStatus(StrEnum):
    """What a waitpoint can be: open, then one of the others for good."""

    OPEN = "open"
    COMPLETED = "completed"  # answered, or its moment has come
    EXPIRED = "expired"  # nobody answered in time
    WITHDRAWN = "withdrawn"  # its run is over, or its branch was stopped


RUN_TRANSITIONS: Final[Mapping[RunStatus, frozenset[RunStatus]]] = {
    RunStatus.PENDING: frozenset({RunStatus.RUNNING, RunStatus.FAILED, RunStatus.CANCELLED}),
    RunStatus.RUNNING: frozenset({RunStatus.PAUSED, RunStatus.COMPLETED, RunStatus.FAILED, RunStatus.CANCELLED}),
    RunStatus.PAUSED: frozenset({RunStatus.RUNNING, RunStatus.FAILED, RunStatus.CANCELLED}),
    RunStatus.COMPLETED: frozenset(),
    RunStatus.FAILED: frozenset(),
    RunStatus.CANCELLED: frozenset(),
}

NODE_TRANSITIONS: Final[Mapping[NodeStatus, frozenset[NodeStatus]]] = {
    NodeStatus.PENDING: frozenset({NodeStatus.READY, NodeStatus.SKIPPED, NodeStatus.CANCELLED}),
    NodeStatus.READY: frozenset({NodeStatus.RUNNING, NodeStatus.CANCELLED}),
    NodeStatus.RUNNING: frozenset(
        {
            NodeStatus.COMPLETED,
            NodeStatus.FAILED,
            NodeStatus.WAITING,
            NodeStatus.READY,  # a retry, or its worker was lost
            NodeStatus.CANCELLED,
        }
    ),
    NodeStatus.WAITING: frozenset({NodeStatus.COMPLETED, NodeStatus.FAILED, NodeStatus.CANCELLED}),
    NodeStatus.COMPLETED: frozenset(),
    NodeStatus.FAILED: frozenset(),
    NodeStatus.SKIPPED: frozenset(),
    NodeStatus.CANCELLED: frozenset(),
}


def step_run(old: RunStatus, new: RunStatus) -> RunStatus:
    """*new*, when a run may go there from *old*. Raises IllegalTransition."""
    if new not in RUN_TRANSITIONS[old]:
        raise IllegalTransition(old, new)
    return new


def step_node(old: NodeStatus, new: NodeStatus) -> NodeStatus:
    """*new*, when a node may go there from *old*. Raises IllegalTransition."""
    if new not in NODE_TRANSITIONS[old]:
        raise IllegalTransition(old, new)
    return new
