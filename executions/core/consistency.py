"""Whether what is stored of a scope can have come about: its letters by its edges, and its rows by its letters. Pure.

A run that was folded properly has no flaw, at any moment: state and rows are written together. What follows an outcome
is not in the state before it is folded, so rows may be ahead of it, and these are told by not being folded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from executions.core.draft import Scope, coming_to
from executions.core.graph import Body
from executions.core.scopes import TOP
from executions.core.state import (
    CANCELLED,
    CHILD,
    COMPLETED,
    EXPIRED,
    FAILED,
    GIVEN,
    HANDLED,
    OPEN,
    OUT,
    PASSED,
    PENDING,
    QUEUED,
    RESTING,
    RETRYING,
    SKIPPED,
    STATUS,
    WAITING,
    Edge,
    ScopeState,
)
from executions.core.statuses import NodeStatus
from workflows.core.plan import EdgeType

_NOT_STARTED: Final = (PENDING, OUT, SKIPPED, PASSED, CANCELLED)
_WITHOUT_ROW: Final = (*_NOT_STARTED, QUEUED)
_ON: Final = (Edge.TAKEN, Edge.ABSENT)  # of all edges together: the node runs


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenRow:
    """What the row of a visit says."""

    status: NodeStatus
    folded: bool
    handled: bool = False
    port: str | None = None
    is_held: bool = False  # a worker stands behind it
    is_postponed: bool = False  # it waits for its next attempt

    @property
    def mark(self) -> int:
        """The letter of a visit that has ended so; of one that has not, that it is out."""
        match self.status:
            case NodeStatus.COMPLETED:
                return COMPLETED
            case NodeStatus.FAILED:
                return HANDLED if self.handled else FAILED
            case NodeStatus.CANCELLED:
                return CANCELLED
        return GIVEN


@dataclass(frozen=True, slots=True, kw_only=True)
class Flaw:
    """What is wrong with one node of a scope."""

    node_id: str
    told: str  # a clause: `it was started …`


def letter_flaws(body: Body, scope: ScopeState, *, is_held: bool = False) -> Iterator[Flaw]:
    """Nodes whose letter does not follow from the letters of those before them: joins that fired too early or never.

    *is_held*: in this run nothing new starts just now.
    """
    walked = _walked(body, scope)
    for place, (node, mark) in enumerate(zip(body.nodes, scope.marks, strict=True)):
        coming = coming_to(walked, place)
        if mark not in _NOT_STARTED and coming not in _ON:
            what = "behind edges that are all dead" if coming is Edge.DEAD else "before all its edges were known"
            yield Flaw(node_id=node.id, told=f"it was started {what}")
        elif mark not in _NOT_STARTED and node.disabled:
            yield Flaw(node_id=node.id, told="it was started although it is disabled")
        elif mark == PENDING and coming is not Edge.UNKNOWN and not (scope.halted or is_held):
            what = "skipped" if coming is Edge.DEAD else "started"
            yield Flaw(node_id=node.id, told=f"all its edges are known, and it was not {what}")
        elif mark == SKIPPED and coming is not Edge.DEAD:
            yield Flaw(node_id=node.id, told="it was skipped although not all its edges are dead")
        elif mark == PASSED and not (coming in _ON and node.disabled):
            yield Flaw(
                node_id=node.id, told="it was passed over although it is not disabled, or not behind a taken edge"
            )


def row_flaws(body: Body, scope: ScopeState, rows: Mapping[str, SeenRow], *, is_over: bool) -> Iterator[Flaw]:
    """Nodes whose row, by node id, is not what their letter says. *is_over*: the run is."""
    for node, mark in zip(body.nodes, scope.marks, strict=True):
        row = rows.get(node.id)
        if row is None:
            if mark not in _WITHOUT_ROW:
                yield Flaw(node_id=node.id, told=f"the run knows it as {STATUS[mark]}, and it has no row")
        elif not _agree(mark, row, is_over=is_over):
            unfolded = "" if row.folded else ", which is not folded"
            yield Flaw(
                node_id=node.id, told=f"the run knows it as {STATUS[mark]}, and its row is {row.status}{unfolded}"
            )


def inferred(body: Body, rows: Mapping[str, SeenRow], *, halted: bool) -> ScopeState | None:
    """The state of a scope that is over, and forgotten, as its rows by node id tell it; None where they do not.

    A node without a row is skipped where the edges say so; else it stays pending. *halted*: the scope was stopped on
    its way, so that not all of it was started.
    """
    scope = _walked(body, ScopeState(marks=bytes([PENDING]) * len(body.nodes)))
    for place, node in enumerate(body.nodes):  # in plan order: those before it come first
        row = rows.get(node.id)
        if row is not None:
            if node.pauses and any(arc.type is EdgeType.PORT for arc in body.out[place]):
                return None  # by which port it went on, or whether it expired, is not in its row
            scope.marks[place] = row.mark
            if row.port is not None:
                scope.ports[place] = row.port
            continue
        coming = coming_to(scope, place)
        if coming is Edge.DEAD:
            scope.marks[place] = SKIPPED
        elif coming in _ON and node.disabled:
            scope.marks[place] = PASSED
    scope.halted = halted
    return scope.freeze()


def _agree(mark: int, row: SeenRow, *, is_over: bool) -> bool:
    if row.status is NodeStatus.WAITING:
        return mark == WAITING or is_over
    if row.folded:
        # What came in after the last fold is part of the record, not of the run.
        is_late = is_over and mark == CANCELLED and row.status in (NodeStatus.COMPLETED, NodeStatus.FAILED)
        return is_late or (row.status.is_final and row.mark == (COMPLETED if mark == EXPIRED else mark))
    if is_over:
        return True  # that it has not ended is wrong by itself, whatever its letter
    if mark in (OPEN, CHILD, RESTING):
        return row.status is NodeStatus.RUNNING and not row.is_held
    if mark in (QUEUED, RETRYING):
        return row.is_postponed
    # Pending: its worker went on to it by itself, and the outcome that says so is not folded either.
    return mark in (GIVEN, PENDING) and (row.is_held or row.status is not NodeStatus.RUNNING)


def _walked(body: Body, scope: ScopeState) -> Scope:
    return Scope(path=TOP, body=body, marks=bytearray(scope.marks), ports=dict(scope.ports), attempts={})
