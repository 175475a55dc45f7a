"""What the events of a run say of its containers and their bodies: as much as there are nodes, however many iterations.

By events and not by rows, so that whoever folds the events has the same: a row may be ahead of what was told of it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.db.models import Count, Max, QuerySet

from executions.core import EventType
from executions.models import Event

_BEGINNINGS: Final = (EventType.NODE_STARTED, EventType.NODE_SKIPPED)


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitCounts:
    """How many visits of a node have ended, and how."""

    completed: int = 0
    failed: int = 0
    skipped: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How many iterations or branches of a container are over."""

    done: int
    total: int | None  # None: a condition says when it is over


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What was told of one node."""

    counts: VisitCounts = field(default_factory=VisitCounts)
    scope: str | None = None  # in which it began, or was skipped, last
    progress: Progress | None = None  # of a container: the last that was told of it in that scope


def told_of_nodes(execution_id: UUID, *, upto: int | None = None) -> dict[str, Told]:
    """By node id, what the events up to number *upto* say; None: all of them.

    Two queries, and two more when a container in a body last moved elsewhere than where it began last.
    """
    events = Event.objects.filter(execution=execution_id, node_id__isnull=False)
    if upto is not None:
        events = events.filter(seq__lte=upto)
    times: defaultdict[str, dict[str, int]] = defaultdict(dict)  # by node and type: how often, and when last
    last: defaultdict[str, dict[str, int]] = defaultdict(dict)
    kinds = events.order_by().values_list("node_id", "type").annotate(Count("seq"), Max("seq"))
    for node_id, kind, count, seq in kinds:
        times[node_id][kind], last[node_id][kind] = count, seq
    begun = {node_id: max(seqs.get(kind, 0) for kind in _BEGINNINGS) for node_id, seqs in last.items()}
    moved = {node_id: seqs.get(EventType.NODE_PROGRESS, 0) for node_id, seqs in last.items()}
    found = _read(events, {*begun.values(), *moved.values()} - {0})
    elsewhere = [
        node for node, seq in moved.items() if seq and begun[node] and found[seq].scope != found[begun[node]].scope
    ]
    if elsewhere:
        there = events.filter(type=EventType.NODE_PROGRESS, node_id__in=elsewhere).order_by()
        scopes = {found[begun[node]].scope for node in elsewhere}
        by_scope = there.filter(scope__in=scopes).values_list("node_id", "scope").annotate(Max("seq"))
        moved |= {node: seq for node, scope, seq in by_scope if scope == found[begun[node]].scope}
        found |= _read(events, {moved[node] for node in elsewhere})
    return {node_id: _told(times[node_id], found.get(begun[node_id]), found.get(moved[node_id])) for node_id in last}


class _Read(NamedTuple):
    scope: str
    data: Any


def _read(events: QuerySet[Event], numbers: Collection[int]) -> dict[int, _Read]:
    rows = events.filter(seq__in=numbers).values_list("seq", "scope", "data")
    return {seq: _Read(scope, data) for seq, scope, data in rows}


def _told(times: Mapping[str, int], begun: _Read | None, moved: _Read | None) -> Told:
    counts = VisitCounts(
        completed=times.get(EventType.NODE_COMPLETED, 0),
        failed=times.get(EventType.NODE_FAILED, 0),
        skipped=times.get(EventType.NODE_SKIPPED, 0),
    )
    if begun is None:
        return Told(counts=counts)
    done = moved.data["done"] if moved is not None and moved.scope == begun.scope else None
    total = begun.data.get("total")  # only a container has one
    progress = None if done is None and total is None else Progress(done=done or 0, total=total)
    return Told(counts=counts, scope=begun.scope, progress=progress)
