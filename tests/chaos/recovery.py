"""How long runs stood still after an accident: from moments in their rows, once everything is over."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final
from uuid import UUID

from executions.models import Event, Execution, NodeRun, Waitpoint
from handlers import PauseKind

# Longer than the longest thing that a run of ours does or waits for, on a machine that is busy.
USUAL: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Accident:
    """What was done to the site."""

    kind: str
    begun: datetime
    over: datetime  # when the server answered again; of what happens to a worker: when it began


@dataclass(frozen=True, slots=True)
class Standstill:
    """A run in which nothing happened for longer than usual, or a node that had to be run again."""

    execution_id: UUID
    begun: datetime
    ended: datetime
    accident: Accident | None  # the last that can have been the reason

    @property
    def recovery(self) -> timedelta:
        """Since the accident, where it fell into the time: it may have struck what was just coming back."""
        since = self.begun if self.accident is None else max(self.begun, self.accident.over)
        return max(self.ended - since, timedelta())


def standstills(
    execution_id: UUID,
    moments: Iterable[datetime],
    answered: Iterable[datetime],
    accidents: Sequence[Accident],
    *,
    bound: timedelta,
) -> list[Standstill]:
    """Those of one run, at whose *moments* something happened; *answered* are those at which somebody outside did it.

    An accident may be the reason if it fell into the standstill, or came before it by no more than *bound*.
    """
    found, outside = [], frozenset(answered)
    for begun, ended in pairwise(sorted({*moments, *outside})):
        if ended - begun > USUAL and ended not in outside:
            reasons = [accident for accident in accidents if begun - bound <= accident.over and accident.begun < ended]
            last = max(reasons, key=lambda accident: accident.begun, default=None)
            found.append(Standstill(execution_id, begun, ended, last))
    return found


def run_again(execution_id: UUID, accidents: Sequence[Accident]) -> list[Standstill]:
    """Nodes of a run whose worker was lost: from the accident until another had claimed them."""
    lost = NodeRun.objects.filter(execution__in=[*family(execution_id)], lost__gt=0, started_at__isnull=False)
    found = []
    for started_at in lost.values_list("started_at", flat=True):
        last = max((each for each in accidents if each.begun < started_at), key=lambda each: each.begun, default=None)
        if last is not None:
            found.append(Standstill(execution_id, last.over, started_at, last))
    return found


def moments(execution_id: UUID) -> list[datetime]:
    """When something happened in a run, or in one that it started."""
    runs = [*family(execution_id)]
    found: list[datetime | None] = []
    for row in Execution.objects.filter(pk__in=runs).values_list("created_at", "started_at", "ended_at"):
        found += row
    for row in NodeRun.objects.filter(execution__in=runs).values_list("started_at", "ended_at"):
        found += row
    for row in Waitpoint.objects.filter(execution__in=runs).values_list("created_at", "due_at", "closed_at"):
        found += row
    found += Event.objects.filter(execution__in=runs).values_list("at", flat=True)
    return [moment for moment in found if moment is not None]


def answered(execution_id: UUID) -> list[datetime]:
    """When somebody answered what it asked."""
    waitpoints = Waitpoint.objects.filter(execution__in=[*family(execution_id)], closed_at__isnull=False)
    return list(waitpoints.exclude(kind=PauseKind.TIMER).values_list("closed_at", flat=True))


def family(execution_id: UUID) -> Iterator[UUID]:
    """A run, and those that it started."""
    yield execution_id
    for child in Execution.objects.filter(parent=execution_id).values_list("pk", flat=True):
        yield from family(child)
