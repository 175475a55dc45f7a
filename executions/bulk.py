"""One verb for many runs. What one of them refuses is told of it, and holds up none of the others."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef

from executions.core import ExecutionError, RunStatus
from executions.models import Execution
from executions.querysets import ExecutionQuerySet

# In one transaction, so that a key answers for all of them: a hundred retries take about a second.
MOST: Final = 100


class BulkAction(StrEnum):
    """What can be done to many runs at a time."""

    CANCEL = "cancel"
    RETRY = "retry"
    DELETE = "delete"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """What came of it for one run."""

    id: UUID
    error: Exception | None = None
    started: UUID | None = None  # the run that took over from it


_BROKE_OFF: Final = (RunStatus.FAILED.value, RunStatus.CANCELLED.value)
_OVER: Final = tuple(status.value for status in RunStatus if status.is_final)


def open_to(executions: ExecutionQuerySet, action: BulkAction) -> ExecutionQuerySet:
    """Those of *executions* that *action* is for, so that asking again goes on with the rest.

    Retried are those that broke off and that no run has taken over from.
    """
    match action:
        case BulkAction.CANCEL:
            return executions.live()
        case BulkAction.RETRY:
            broke_off = executions.filter(status__in=_BROKE_OFF)
            return broke_off.exclude(Exists(Execution.objects.filter(rerun_of=OuterRef("pk"))))
        case BulkAction.DELETE:
            return executions.filter(status__in=_OVER)


def each(
    ids: Collection[UUID], act: Callable[[UUID], UUID | None], *, refusals: tuple[type[Exception], ...] = ()
) -> list[Fate]:
    """Do *act* to each of them, and tell what came of it. *act* returns the run that it started, if any.

    In the order of their ids, whatever the order they were given in: two calls that have runs in common wait for one
    another, and not each for the other. *refusals* are told of a run as ExecutionError is.
    """
    return [_one(pk, act, (ExecutionError, *refusals)) for pk in sorted(set(ids))]


def _one(pk: UUID, act: Callable[[UUID], UUID | None], refusals: tuple[type[Exception], ...]) -> Fate:
    try:
        with transaction.atomic():
            return Fate(id=pk, started=act(pk))
    except refusals as error:
        return Fate(id=pk, error=error)


def counts(fates: Sequence[Fate]) -> Mapping[str, int]:
    refused = sum(fate.error is not None for fate in fates)
    return {"matched": len(fates), "succeeded": len(fates) - refused, "failed": refused}
