"""Whether a run came to what it should, and no node of it ran once too often."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from executions import run_outputs
from executions.core import EventType, NodeStatus, RunStatus
from executions.core.events import FINAL_EVENTS
from executions.core.scopes import path
from executions.models import Event, Execution, NodeRun
from tests.chaos.clients import Asked
from tests.chaos.ledger import Attempts, Visit
from tests.chaos.nodes import EFFECT
from tests.chaos.workloads import Workload


def wrong_with(asked: Asked, attempts: Attempts, *, is_calm: bool) -> list[str]:
    """What is wrong with a run that should be over; *is_calm*: no worker was lost, so no attempt was."""
    run, family = Execution.objects.get(pk=asked.execution_id), asked.ask.family
    if not RunStatus(run.status).is_final:
        return [f"it is {run.status}"]
    found = _differences(run, asked.ask.workload)
    for each in _family(run):
        found += [problem for row in _effects(each) for problem in _repeats(row, attempts, is_calm=is_calm)]
        found += _story(each)
    return found + (family.judge(run.pk) if family.judge else [])


def _differences(run: Execution, wanted: Workload) -> list[str]:
    found = []
    if run.status != wanted.status:
        found.append(f"it is {run.status}, not {wanted.status}: {run.error}")
    outputs, out = run_outputs.read(run) or {}, {} if wanted.out is None else {"out": wanted.out}
    if outputs != out:
        found.append(f"its outputs are {outputs}, not {out}")
    visits = dict(_visits(run, ""))
    differing = {name for name, _ in visits.items() ^ wanted.visits.items()}
    return found + [f"{name} is {visits.get(name)}, not {wanted.visits.get(name)}" for name in sorted(differing)]


def _visits(run: Execution, call: str) -> Iterator[tuple[str, str]]:
    """Visit → status, those of runs that it started below the node that did."""
    for scope, node_id, status in NodeRun.objects.filter(execution=run).values_list("scope", "node_id", "status"):
        yield f"{call}{path(scope, node_id)}", status
    skipped = Event.objects.filter(execution=run, type=EventType.NODE_SKIPPED)
    for scope, node_id in skipped.values_list("scope", "node_id"):
        yield f"{call}{path(scope, str(node_id))}", NodeStatus.SKIPPED
    for child in Execution.objects.filter(parent=run):
        yield from _visits(child, f"{call}{path(str(child.parent_scope), str(child.parent_node))}/")


def _family(run: Execution) -> Iterator[Execution]:
    yield run
    for child in Execution.objects.filter(parent=run):
        yield from _family(child)


def _effects(run: Execution) -> Iterator[NodeRun]:
    yield from NodeRun.objects.filter(execution=run, node_type=EFFECT)


def _repeats(row: NodeRun, attempts: Attempts, *, is_calm: bool) -> Iterator[str]:
    """An attempt is begun at most once, none follows the one that ended the node, and that one was begun."""
    begun = attempts.get(Visit(row.execution_id, row.scope, row.node_id), [])
    where, told = path(row.scope, row.node_id), f"attempts {begun} of {row.attempt} were begun"
    if len(set(begun)) < len(begun):
        yield f"{where}: {told}, one of them again"
    if begun and max(begun) > row.attempt:
        yield f"{where}: {told}: it ran after it was over"
    if begun != sorted(begun):
        yield f"{where}: {told}: one was begun that had been given to others"
    if row.status == NodeStatus.COMPLETED and row.attempt not in begun:
        yield f"{where}: {told}: it is completed, and did not run"
    if is_calm and (row.lost or begun != list(range(1, row.attempt + 1))):
        yield f"{where}: {told}, {row.lost} lost, though nothing was done to any worker"
    tries = 1 + len(row.history or [])
    if row.attempt < tries:
        yield f"{where}: {row.attempt} attempts, and {tries} tries"


def _story(run: Execution) -> Iterator[str]:
    """Its events: numbered without a gap, one end for each visit, and one of the run, the last."""
    events = list(Event.objects.filter(execution=run).order_by("seq"))
    if [event.seq for event in events] != list(range(1, len(events) + 1)):
        yield f"its events are numbered {[event.seq for event in events]}"
    ends = [event.type for event in events if event.type in FINAL_EVENTS]
    if len(ends) != 1 or events[-1].type not in FINAL_EVENTS:
        yield f"its events end {ends}"
    told = [
        (event.scope, event.node_id)
        for event in events
        if event.type in {EventType.NODE_COMPLETED, EventType.NODE_FAILED}
    ]
    for visit in {visit for visit in told if told.count(visit) > 1}:
        yield f"the end of {visit} is told {told.count(visit)} times"
    ended = NodeRun.objects.filter(execution=run, status__in=[NodeStatus.COMPLETED, NodeStatus.FAILED])
    for missing in set(ended.values_list("scope", "node_id")) - set(told):
        yield f"the end of {missing} is not told"


def unfinished(runs: list[UUID]) -> list[UUID]:
    """Those of *runs* that are not over."""
    live = Execution.objects.filter(pk__in=runs).exclude(ended_at__isnull=False)
    return list(live.values_list("pk", flat=True))
