"""When what of a run ran, waited and stood still: bars of a drawing, as many as a screen can show."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from django.db import connection

from executions.core import EventType, NodeStatus
from executions.core.scopes import TOP
from executions.models import Event, Execution, NodeRun, Waitpoint

SLICES: Final = 120  # of the run's time; visits of a body that began in the same one are told as one
_MOST_WAITS: Final = 1000  # the oldest; a screen has no room for more


class SpanKind(StrEnum):
    """What went on for some time."""

    RAN = "ran"
    FAILED = "failed"  # an attempt that failed; the last one, too
    RETRY = "retry"  # between two attempts
    WAIT = "wait"  # for something outside


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    kind: SpanKind
    began_ms: int  # after the run began
    ended_ms: int | None  # None: it goes on
    count: int = 1  # visits that it stands for


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    began: datetime
    ended: datetime | None
    pauses: tuple[tuple[int, int | None], ...]  # milliseconds after the run began; None: it is paused
    nodes: dict[str, tuple[Span, ...]]  # by node, of those that began; in the order of their beginnings


def timeline_of(execution: Execution, *, now: datetime) -> Timeline:
    """Four queries, and an answer that grows with the nodes: of the visits in bodies, SLICES for each node at most."""
    began = execution.started_at or execution.created_at
    clock = _Clock(began)
    spans: dict[str, list[Span]] = {}
    for node_id, found in _visits(execution, clock):
        spans.setdefault(node_id, []).extend(found)
    for node_id, span in _visits_in_bodies(execution, clock, execution.ended_at or now):
        spans.setdefault(node_id, []).append(span)
    for node_id, span in _waits(execution, clock):
        spans.setdefault(node_id, []).append(span)
    return Timeline(
        began=began,
        ended=execution.ended_at,
        pauses=tuple(_pauses(execution, clock)),
        nodes={node_id: tuple(sorted(found, key=lambda span: span.began_ms)) for node_id, found in spans.items()},
    )


@dataclass(frozen=True, slots=True)
class _Clock:
    began: datetime

    def at(self, moment: datetime) -> int:
        return max(0, round((moment - self.began).total_seconds() * 1000))

    def end(self, moment: datetime | None) -> int | None:
        return None if moment is None else self.at(moment)


def _visits(execution: Execution, clock: _Clock) -> Iterable[tuple[str, list[Span]]]:
    """The attempts of nodes at the top level, and what is between them."""
    columns = ("node_id", "status", "history", "due_at", "started_at", "ended_at")
    rows = NodeRun.objects.filter(execution=execution, scope=TOP, kept=False, started_at__isnull=False)
    for node_id, status, history, due_at, started_at, ended_at in rows.values_list(*columns):
        found: list[Span] = []
        for attempt in history or ():
            start, end = (datetime.fromisoformat(attempt[name]) for name in ("started_at", "ended_at"))
            _close_gap(found, clock.at(start))
            found.append(Span(kind=SpanKind.FAILED, began_ms=clock.at(start), ended_ms=clock.at(end)))
            found.append(Span(kind=SpanKind.RETRY, began_ms=clock.at(end), ended_ms=None))
        is_due = status == NodeStatus.READY and due_at is not None
        if is_due and found:  # the last attempt that began is in the history already
            yield node_id, found
            continue
        _close_gap(found, clock.at(started_at))
        kind = SpanKind.FAILED if status == NodeStatus.FAILED else SpanKind.RAN
        over = ended_at or (execution.ended_at if NodeStatus(status).is_final else None)
        found.append(Span(kind=kind, began_ms=clock.at(started_at), ended_ms=clock.end(over)))
        yield node_id, found


def _close_gap(found: list[Span], at: int) -> None:
    if found and found[-1].ended_ms is None:
        gap = found.pop()
        found.append(Span(kind=gap.kind, began_ms=gap.began_ms, ended_ms=max(gap.began_ms, at)))


_IN_SLICES: Final = """
    SELECT node_id, status = 'failed', min(started_at), max(ended_at), bool_or(ended_at IS NULL), count(*)
    FROM executions_noderun
    WHERE execution_id = %(run)s AND scope <> '' AND NOT kept AND started_at IS NOT NULL
    GROUP BY node_id, status = 'failed', floor(extract(epoch FROM started_at - %(began)s) / %(slice)s)
    ORDER BY node_id, min(started_at)
"""


def _visits_in_bodies(execution: Execution, clock: _Clock, ended: datetime) -> Iterable[tuple[str, Span]]:
    seconds = max(0.001, (ended - clock.began).total_seconds())
    with connection.cursor() as cursor:
        cursor.execute(_IN_SLICES, {"run": execution.pk, "began": clock.began, "slice": seconds / SLICES})
        rows = cursor.fetchall()
    for node_id, has_failed, started_at, ended_at, goes_on, count in rows:
        over = execution.ended_at if goes_on else ended_at
        kind = SpanKind.FAILED if has_failed else SpanKind.RAN
        end = clock.end(over)
        yield node_id, Span(kind=kind, began_ms=clock.at(started_at), ended_ms=end, count=count)


def _waits(execution: Execution, clock: _Clock) -> Iterable[tuple[str, Span]]:
    found = Waitpoint.objects.filter(execution=execution).order_by("created_at", "id")
    for node_id, made, closed in found.values_list("node_id", "created_at", "closed_at")[:_MOST_WAITS]:
        end = clock.end(closed or execution.ended_at)
        yield str(node_id), Span(kind=SpanKind.WAIT, began_ms=clock.at(made), ended_ms=end)


def _pauses(execution: Execution, clock: _Clock) -> Iterable[tuple[int, int | None]]:
    kinds = (EventType.EXECUTION_PAUSED, EventType.EXECUTION_RESUMED)
    events = Event.objects.filter(execution=execution, type__in=kinds).order_by("seq").values_list("type", "at")
    since: datetime | None = None
    for kind, at in events:
        if kind == EventType.EXECUTION_PAUSED:
            since = since or at  # paused again before it went on, it is for another reason
        elif since is not None:
            yield clock.at(since), clock.at(at)
            since = None
    if since is not None:
        yield clock.at(since), clock.end(execution.ended_at)
