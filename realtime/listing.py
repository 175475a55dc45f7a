"""Runs as the list of them shows each. As many queries for fifty as for one."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db.models import Count, FloatField, Q, Sum, TextField
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Left

from executions.core import RunState, RunStatus, load_state
from executions.core.scopes import TOP
from executions.core.state import OUT, STATUS, WAITING
from executions.core.statuses import PauseReason, WaitpointStatus
from executions.models import Execution, ExecutionState, NodeRun, Waitpoint
from executions.querysets import ExecutionQuerySet
from handlers import PauseKind
from realtime.core import duration, money

PER_PAGE: Final = 50
_SHOWN_INPUT: Final = 140  # characters of a run's inputs
_KEY: Final = re.compile(r"(\d{4}-\d\d-\d\dT[\d:.]+)Z_([0-9a-f-]{36})")
_SHOWN: Final = (
    "workspace_id", "workflow_id", "workflow__name", "version__number", "status", "trigger", "tags", "parent_id",
    "rerun_of_id", "error", "created_at", "started_at", "ended_at",
)  # fmt: skip
_WAITS_FOR: Final = {
    PauseKind.HUMAN: "an answer",
    PauseKind.EVENT: "an event",
    PauseKind.TIMER: "a moment",
    PauseKind.TOKEN: "a token",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A run in the list."""

    execution: Execution
    inputs: str  # the beginning of them; "" when it has none
    began: datetime
    took: str  # without what it was paused
    paused_ms: int
    done: int  # top-level nodes that are through
    total: int  # of those that take part; 0 before its first drive
    because: str  # why it is paused, as it goes on behind that word
    cost: str

    @property
    def is_over(self) -> bool:
        return RunStatus(self.execution.status).is_final

    @property
    def broke_off(self) -> bool:
        return self.execution.status in (RunStatus.FAILED, RunStatus.CANCELLED)

    @property
    def message(self) -> str:
        """Of the error that it failed with."""
        return "" if self.execution.error is None else str(self.execution.error.get("message", ""))

    @property
    def short(self) -> str:
        """The end of its id: the beginning is the time, which those around it share."""
        return str(self.execution.pk)[-8:]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A page of runs, newest first. Keys lead to those before and after, however many there are."""

    entries: tuple[Entry, ...]
    newer: str  # the key for `after`; "": these are the newest
    older: str  # the key for `before`; "": these are the oldest


def listing(executions: ExecutionQuerySet, *, before: str, after: str, now: datetime) -> Listing:
    """The page of *executions* that goes on where a key says; the newest when there is none, or when it is no key."""
    older, newer = _parsed(before), _parsed(after)
    if older is not None:
        rows = executions.filter(created_at__lte=older[0]).filter(Q(created_at__lt=older[0]) | Q(pk__lt=older[1]))
    elif newer is not None:
        rows = executions.filter(created_at__gte=newer[0]).filter(Q(created_at__gt=newer[0]) | Q(pk__gt=newer[1]))
    else:
        rows = executions
    rises = older is None and newer is not None
    ordered = rows.order_by("created_at", "pk") if rises else rows.order_by("-created_at", "-pk")
    text = Left(Cast("inputs", TextField()), _SHOWN_INPUT + 1)
    shown = ordered.select_related("workflow", "version").only(*_SHOWN).annotate(input_text=text)
    found = list(shown[: PER_PAGE + 1])
    has_more, page = len(found) > PER_PAGE, found[:PER_PAGE]
    if rises:
        page.reverse()
    has_newer, has_older = (has_more, True) if rises else (older is not None, has_more)
    return Listing(
        entries=_entries(page, now=now),
        newer=_key(page[0]) if page and has_newer else "",
        older=_key(page[-1]) if page and has_older else "",
    )


def _key(execution: Execution) -> str:
    return f"{execution.created_at.isoformat().removesuffix('+00:00')}Z_{execution.pk}"


def _parsed(key: str) -> tuple[datetime, UUID] | None:
    if (parts := _KEY.fullmatch(key)) is None:
        return None
    try:
        return datetime.fromisoformat(f"{parts[1]}+00:00"), UUID(parts[2])
    except ValueError:
        return None


def _entries(executions: Sequence[Execution], *, now: datetime) -> tuple[Entry, ...]:
    ids = [execution.pk for execution in executions]
    states, costs = _states(ids), _costs(ids)
    waits = _waits([execution.pk for execution in executions if execution.status == RunStatus.PAUSED])
    return tuple(
        _entry(each, states.get(each.pk), waits.get(each.pk, ""), costs.get(each.pk, 0.0), now=now)
        for each in executions
    )


def _entry(execution: Execution, state: RunState | None, waits: str, cost: float, *, now: datetime) -> Entry:
    began, end = execution.started_at or execution.created_at, execution.ended_at or now
    paused = timedelta() if state is None else _paused(state, end)
    marks = [] if state is None else [mark for mark in state.scopes[TOP].marks if mark != OUT]
    text: str = execution.input_text  # type: ignore[attr-defined]  # annotated
    return Entry(
        execution=execution,
        inputs="" if text == "{}" else text if len(text) <= _SHOWN_INPUT else f"{text[:_SHOWN_INPUT]}…",
        began=began,
        took="" if execution.status == RunStatus.PENDING else duration(end - began - paused),
        paused_ms=round(paused.total_seconds() * 1000),
        done=sum(STATUS[mark].is_final for mark in marks),
        total=len(marks),
        because=_because(execution, state, waits),
        cost=money(cost) if cost else "",
    )


def _paused(state: RunState, end: datetime) -> timedelta:
    """All of its pauses. The end of a run is that of its last one, too."""
    last = timedelta() if state.paused_at is None else max(timedelta(), end - state.paused_at)
    return timedelta(milliseconds=state.paused_ms) + last


def _because(execution: Execution, state: RunState | None, waits: str) -> str:
    if state is None or execution.status != RunStatus.PAUSED:
        return ""
    if state.pause_reason is PauseReason.REQUESTED:
        return "on request"
    if not waits:
        return "waits for a run that it started"
    more = sum(scope.marks.count(WAITING) for scope in state.scopes.values()) - 1
    return f"waits for {waits}{f' and {more} more' if more > 0 else ''}"


def _states(ids: Sequence[UUID]) -> Mapping[UUID, RunState]:
    """Of those that a drive has looked at."""
    rows = ExecutionState.objects.filter(pk__in=ids).values_list("pk", "state")
    return {pk: load_state(state) for pk, state in rows if state is not None}


def _waits(ids: Sequence[UUID]) -> Mapping[UUID, str]:
    """What the oldest open waitpoint of each waits for."""
    if not ids:
        return {}
    open_ = Waitpoint.objects.filter(execution__in=ids, status=WaitpointStatus.OPEN)
    first = open_.order_by("execution", "created_at", "pk").distinct("execution")
    return {pk: _WAITS_FOR[PauseKind(kind)] for pk, kind in first.values_list("execution", "kind") if pk is not None}


def _costs(ids: Sequence[UUID]) -> Mapping[UUID, float]:
    """US dollars, of the models whose price is known."""
    cost = Cast(KeyTextTransform("cost_usd", "usage"), FloatField())
    used = NodeRun.objects.filter(execution__in=ids, usage__isnull=False)
    sums = used.values_list("execution").annotate(total=Sum(cost), priced=Count(cost))
    return {pk: total for pk, total, priced in sums if priced}
