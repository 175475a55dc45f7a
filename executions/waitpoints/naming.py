"""What a run waits for, by the names that people give it. Runs that it started are part of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.db.models import QuerySet

from executions.core.scopes import TOP, path
from executions.models import Execution, Waitpoint
from executions.waited_for import family
from handlers import PauseKind

_ITERATION: Final = re.compile(r"[^\[\]]+\[[0-9]+\]")  # of a loop, or a branch of a parallel: `loop1[0]`


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A waitpoint, and its path as seen from the run that was asked about."""

    waitpoint: Waitpoint
    path: str


def open_in(execution: Execution, *, kind: PauseKind | None = None, node_id: str | None = None) -> list[Named]:
    """What is waited for in *execution* and the runs that it started, by path."""
    prefixes = family(execution)
    waitpoints = _light(Waitpoint.objects.open().filter(execution__in=prefixes))
    if kind is not None:
        waitpoints = waitpoints.filter(kind=kind)
    if node_id is not None:
        waitpoints = waitpoints.filter(node_id=node_id)
    return sorted(_named(waitpoints, prefixes), key=lambda named: named.path)


def by_id(execution: Execution, waitpoint_id: UUID) -> Waitpoint | None:
    """The waitpoint of that id, if it is one of *execution* or of a run within it."""
    waitpoint = _light(Waitpoint.objects.of(execution.workspace_id)).filter(pk=waitpoint_id).first()
    if waitpoint is None or waitpoint.execution_id is None:
        return None
    return waitpoint if _is_within(waitpoint.execution_id, execution.pk) else None


def by_path(execution: Execution, name: str) -> Waitpoint | None:
    """What the node of that path waits for, or has waited for last: `loop1[0]/ask`, `call/ask` of a run within it."""
    *outer, node_id = name.split("/")
    execution_id, scope = execution.pk, TOP
    for step in outer:
        if _ITERATION.fullmatch(step):
            scope = path(scope, step)
            continue
        children = Execution.objects.filter(parent=execution_id, parent_node=step, parent_scope=scope)
        child = children.values_list("pk", flat=True).first()
        if child is None:
            return None
        execution_id, scope = child, TOP
    visits = _light(Waitpoint.objects.filter(execution=execution_id, node_id=node_id, scope=scope))
    return visits.order_by("-created_at", "-pk").first()


def last_of(execution: Execution, node_id: str) -> Waitpoint | None:
    """What a node of that id, in any scope and any run within *execution*, has waited for last."""
    waitpoints = _light(Waitpoint.objects.filter(execution__in=family(execution, is_live=False), node_id=node_id))
    return waitpoints.order_by("-created_at", "-pk").first()


def _light(waitpoints: QuerySet[Waitpoint]) -> QuerySet[Waitpoint]:
    """Without what was asked and answered: a parallel may wait for thousands."""
    return waitpoints.only("workspace", "execution", "node_id", "scope", "kind", "status")


def _named(waitpoints: QuerySet[Waitpoint], prefixes: Mapping[UUID, str]) -> list[Named]:
    return [
        Named(
            waitpoint=waitpoint,
            path=f"{prefixes[waitpoint.execution_id]}{path(waitpoint.scope, str(waitpoint.node_id))}",
        )
        for waitpoint in waitpoints
        if waitpoint.execution_id is not None
    ]


def _is_within(execution_id: UUID | None, outer: UUID) -> bool:
    while execution_id is not None:
        if execution_id == outer:
            return True
        execution_id = Execution.objects.values_list("parent", flat=True).get(pk=execution_id)
    return False
