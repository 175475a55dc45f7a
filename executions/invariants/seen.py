"""Runs as they are stored at one moment: the state of each, and the rows that it should agree with."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias
from uuid import UUID

import django.db
import psycopg
from django.db.models import Count, Q

from executions.core import Graph, NodeStatus, RunState, RunStatus, load_state
from executions.core.consistency import SeenRow
from executions.core.scopes import TOP
from executions.invariants.findings import Finding, Invariant
from executions.models import Execution, NodeRun, Waitpoint
from executions.plans import prepared
from executions.quarantine import MOST_FAILURES

Visit: TypeAlias = tuple[str, str]  # scope, node

MOST_ROWS: Final = 5_000  # of a run that is over; of one with more, the top level only is read
_ROW: Final = ("execution_id", "scope", "node_id", "status", "folded", "handled", "port", "owner", "due_at")


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenRun:
    id: UUID
    status: RunStatus
    graph: Graph
    state: RunState
    rows: Mapping[str, Mapping[str, SeenRow]]  # by scope, by node id
    waitpoints: Collection[Visit]  # of visits that somebody may answer, or has, and the run does not know yet
    children: Collection[Visit]  # of visits that have started a run

    @property
    def is_over(self) -> bool:
        return self.status.is_final


def read(runs: Sequence[UUID]) -> Iterator[SeenRun | Finding]:
    """Each of *runs* that has a state, or what is wrong with that. One that is quarantined has the state it had.

    Of a run that lives, the rows of open scopes are read, and all that are not folded; of one that is over, all.
    """
    seen: dict[UUID, tuple[RunStatus, Graph, RunState]] = {}
    names = ("pk", "status", "version_id", "drive_failures", "state__state")
    for run, told, version_id, failures, data in Execution.objects.filter(pk__in=runs).values_list(*names):
        status = RunStatus(told)
        if status is RunStatus.FAILED and failures >= MOST_FAILURES:
            continue
        try:
            state = None if data is None else load_state(data)
            graph = prepared(version_id).graph
        except (django.db.Error, psycopg.Error):
            raise
        except Exception as error:  # noqa: BLE001 -- whatever is wrong with it, the others are to be looked at
            wrong = f"It cannot be read: {type(error).__name__}: {error}."
            yield Finding(code=Invariant.READABLE, execution_id=run, wrong=wrong)
            continue
        by_state = RunStatus.PENDING if state is None else state.status
        if by_state is not status:
            wrong = f"It is {status}, and its state says {by_state}."
            yield Finding(code=Invariant.STATUS, execution_id=run, wrong=wrong)
        elif state is not None:
            seen[run] = status, graph, state
    live = [run for run, (status, _, _) in seen.items() if not status.is_final]
    rows, waitpoints, children = _rows(seen, live), _waitpoints(live), _children(live)
    for run, (status, graph, state) in seen.items():
        yield SeenRun(
            id=run,
            status=status,
            graph=graph,
            state=state,
            rows=rows[run],
            waitpoints=waitpoints[run],
            children=children[run],
        )


def _rows(
    seen: Mapping[UUID, tuple[RunStatus, Graph, RunState]], live: Collection[UUID]
) -> Mapping[UUID, Mapping[str, Mapping[str, SeenRow]]]:
    is_open = {scope for run in live for scope in seen[run][2].scopes}
    over = seen.keys() - live
    counts = NodeRun.objects.filter(execution__in=over).values_list("execution").annotate(Count("pk"))
    large = {run for run, count in counts if count > MOST_ROWS}
    found = (
        NodeRun.objects.filter(Q(folded=False) | Q(scope__in=is_open), execution__in=live),
        NodeRun.objects.filter(execution__in=over - large),
        NodeRun.objects.filter(execution__in=large, scope=TOP),
    )
    rows: defaultdict[UUID, defaultdict[str, dict[str, SeenRow]]] = defaultdict(lambda: defaultdict(dict))
    for each in found:
        for run, scope, node, status, folded, handled, port, owner, due_at in each.values_list(*_ROW):
            rows[run][scope][node] = SeenRow(
                status=NodeStatus(status),
                folded=folded,
                handled=handled,
                port=port,
                is_held=owner is not None,
                is_postponed=status == NodeStatus.READY and due_at is not None,
            )
    return rows


def _waitpoints(live: Collection[UUID]) -> Mapping[UUID, set[Visit]]:
    visits: defaultdict[UUID, set[Visit]] = defaultdict(set)
    unfolded = Waitpoint.objects.filter(execution__in=live, folded=False)
    for run, scope, node in unfolded.values_list("execution_id", "scope", "node_id"):
        if run is not None:
            visits[run].add((scope, str(node)))
    return visits


def _children(live: Collection[UUID]) -> Mapping[UUID, set[Visit]]:
    visits: defaultdict[UUID, set[Visit]] = defaultdict(set)
    started = Execution.objects.filter(parent__in=live)
    for run, scope, node in started.values_list("parent_id", "parent_scope", "parent_node"):
        if run is not None:
            visits[run].add((str(scope), str(node)))
    return visits
