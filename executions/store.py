"""A run in one worker's hands: taken under its lock, changed by steps, written with its events."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from executions import hotpath, outage, pauses, run_outputs, signals
from executions.changes import Changes
from executions.core import (
    CloseRun,
    Due,
    Failed,
    NodeStatus,
    Outcome,
    Parts,
    Respond,
    Retrying,
    RunEvent,
    RunState,
    RunStatus,
    Step,
    Succeeded,
    load_state,
)
from executions.core.scopes import path
from executions.frames import Bulk, Told
from executions.models import Execution, NodeRun
from executions.plans import Prepared, prepared
from handlers import JSONValue, VariableWrite
from workflows.fields import dumps
from workflows.variables.services import Environment

_KEPT = 4 * 1024 * 1024  # characters of outputs in one hand; what was let go is read again from its row


_BROKEN_OFF = (RunStatus.FAILED, RunStatus.CANCELLED)  # ends that leave rows which are not wanted any more


@dataclass(slots=True, kw_only=True)
class Run:
    """What we hold of a run: its state as of version *ver*, and the outputs that came through our hands."""

    id: UUID
    workspace_id: UUID
    prepared: Prepared
    entry: str
    until: str | None  # the node it goes no further than
    inputs: str  # JSON text
    drive_failures: int  # drives that raised, one after the other, before this one
    parent_id: UUID | None
    depth: int  # parents above it
    state: RunState | None  # None: no drive has looked at it yet
    ver: int
    seq: int
    replayed: list[Any] | None = None  # of a run that begins with what another left: `Execution.replayed`
    outputs: dict[hotpath.Visit, str] = field(default_factory=dict)  # JSON texts
    widths: dict[hotpath.Visit, int] = field(
        default_factory=dict
    )  # of outputs that stayed in their rows, in characters
    items: dict[hotpath.Visit, list[JSONValue]] = field(default_factory=dict)  # of containers that we opened
    environment: Environment | None = None  # of the workspace, as of this turn
    waiting: dict[hotpath.Visit, hotpath.WaitingRow] | None = None  # rows between two attempts, once they are known

    def keep(self, scope: str, node_id: str, text: str | None) -> None:
        if text is not None:
            self.outputs[scope, node_id] = text

    def waiting_row(self, scope: str, node_id: str) -> hotpath.WaitingRow:
        """The row of a node that is to be tried again."""
        if self.waiting is None:
            self.waiting = outage.retried(lambda: hotpath.waiting(self.id))
        return self.waiting[scope, node_id]

    def let_go(self) -> None:
        """Forget what nobody will ask us for: of scopes that are over; and outputs, when they become many."""
        if self.state is not None and len(self.prepared.graph.bodies) > 1:
            scopes, frames = self.state.scopes, self.state.frames
            self.outputs = {visit: text for visit, text in self.outputs.items() if visit[0] in scopes}
            self.items = {visit: items for visit, items in self.items.items() if path(*visit) in frames}
        self.waiting = None
        self.widths.clear()
        if sum(map(len, self.outputs.values())) > _KEPT:
            self.outputs.clear()


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """Numbered events of a write, to be sent when it is committed."""

    execution_id: UUID
    workspace_id: UUID
    told: Told

    def send(self) -> None:
        signals.events_recorded.send(
            sender=None, execution_id=self.execution_id, workspace_id=self.workspace_id, frames=self.told
        )


def take(execution_id: UUID, *, wait: bool) -> Run | None:
    """The run, locked for this transaction; None when there is none or, unless *wait*, somebody else has it."""
    row = hotpath.lock(execution_id, wait=wait)
    if row is None:
        return None
    return Run(
        id=execution_id,
        workspace_id=row.workspace_id,
        prepared=prepared(row.version_id),
        entry=row.entry,
        until=row.until,
        parent_id=row.parent_id,
        depth=row.depth,
        inputs=row.inputs,
        drive_failures=row.drive_failures,
        state=None if row.state is None else load_state(row.state),
        ver=row.ver,
        seq=row.seq,
        replayed=row.replayed,
    )


def read_inbox(run: Run, *, now: datetime) -> tuple[list[Outcome], list[UUID]]:
    """The outcomes that are not folded yet, in the order in which they came, and the rows of those that are final."""
    rows = hotpath.inbox(run.id)
    outcomes: list[Outcome] = []
    run.waiting = {}
    for row in rows:
        if row.due_at is not None:
            run.waiting[row.scope, row.node_id] = hotpath.WaitingRow(row.id, row.attempt, row.history)
            outcomes += _postponed(row, row.due_at, now)
            continue
        run.keep(row.scope, row.node_id, row.output)
        if row.output is None and row.output_width is not None:
            run.widths[row.scope, row.node_id] = row.output_width
        outcomes.append(_outcome(row))
    return outcomes, [row.id for row in rows if row.due_at is None]


def write(
    run: Run,
    step: Step,
    changes: Changes,
    *,
    now: datetime,
    owner: int | None = None,
    done: hotpath.Recorded | None = None,
    folded: Sequence[UUID] = (),
) -> tuple[bool, News | None]:
    """Write a step over the version *run* was taken at; *run* then is what was written.

    Returns whether the outcome *done* was recorded, and the news to send; None where somebody else drove meanwhile.
    """
    closing, told = _closing(run, step), Told(run.id, run.seq, changes.events)
    if closing is not None and closing.status is RunStatus.RUNNING and closing.deadline_at is not None:
        changes.moments.append(closing.deadline_at)
    if step.state.status in (*_BROKEN_OFF, RunStatus.PAUSED) or changes.touches_waitpoints:
        with transaction.atomic(savepoint=False):  # within a turn, the turn's own
            return _written(run, step, changes, closing, told, now=now, owner=owner, done=done, folded=folded)
    return _written(run, step, changes, closing, told, now=now, owner=owner, done=done, folded=folded)


def _written(
    run: Run,
    step: Step,
    changes: Changes,
    closing: hotpath.Closing | None,
    told: Told,
    *,
    now: datetime,
    owner: int | None,
    done: hotpath.Recorded | None,
    folded: Sequence[UUID],
) -> tuple[bool, News | None]:
    recorded, moved = hotpath.save(
        run.id,
        ver=run.ver,
        state=dumps(step.state.dump()),
        lets_go_on=step.state.lets_go_on(),
        now=now,
        owner=owner,
        done=done,
        folded=folded,
        born=list(changes.born.values()),
        ended=changes.ended,
        again=changes.again,
        chunks=changes.chunks,
        response=changes.response,
        told=told,
        closing=closing,
    )
    if not moved:
        return recorded, None
    if changes.touches_waitpoints:
        pauses.write(run.id, changes, now=now)
    if step.state.status in _BROKEN_OFF:
        cancel_nodes(run.id, now=now)
        if changes.waitpoints or (run.state is not None and run.state.is_waiting()):
            pauses.withdraw_all(run.id, now=now)
    if step.state.status is RunStatus.PAUSED:
        pauses.snap(run.id, run.prepared.version_id, seq=told.last, state=step.state.dump(), now=now)
    bulk: dict[hotpath.Visit | None, Bulk] = dict(run.widths.items())
    bulk.update(run.outputs.items())
    if closing and closing.outputs is not None:
        bulk[None] = closing.outputs.characters if isinstance(closing.outputs, Parts) else closing.outputs
    told.bulk = bulk
    run.state, run.ver, run.seq = step.state, run.ver + 1, told.last
    run.let_go()
    if run.drive_failures:
        Execution.objects.filter(pk=run.id).update(drive_failures=0)
        run.drive_failures = 0
    return recorded, News(execution_id=run.id, workspace_id=run.workspace_id, told=told)


def answer(run: Run, command: Respond) -> str:
    """What a `response` node said: JSON text for who waits for it."""
    visit = (command.scope, command.node_id)
    return run.outputs.get(visit) or outage.retried(lambda: hotpath.outputs(run.id, [visit]))[visit]


def cancel_nodes(execution_id: UUID, *, now: datetime) -> None:
    """What is ready or running is not wanted any more: its claim or its outcome will find no row."""
    alive = [NodeStatus.READY, NodeStatus.RUNNING]
    NodeRun.objects.filter(execution=execution_id, folded=False, status__in=alive).update(
        status=NodeStatus.CANCELLED, folded=True, ended_at=now
    )
    # Outcomes that came in after the last fold are part of the record, not of the run.
    NodeRun.objects.filter(execution=execution_id, folded=False).update(folded=True)


def announce(execution_id: UUID, workspace_id: UUID, after: int, event: RunEvent) -> None:
    """Tell whoever listens of a single event that was written by hand, after number *after*."""
    News(execution_id=execution_id, workspace_id=workspace_id, told=Told(execution_id, after, [event])).send()


def _closing(run: Run, step: Step) -> hotpath.Closing | None:
    """What the run's own row becomes, when this step starts or ends it."""
    for command in step.commands:
        if isinstance(command, CloseRun):
            return hotpath.Closing(
                status=command.status,
                started_at=step.state.started_at,
                ended_at=command.at,
                outputs=run_outputs.closing(run.id, command, in_hand=run.outputs),
                error=None if command.error is None else dumps(command.error),
            )
    if run.state is None or run.state.status is not step.state.status:
        state = step.state
        ends_at = state.ends_at(run.prepared.graph.plan.timeout_ms)
        return hotpath.Closing(status=state.status, started_at=state.started_at, deadline_at=ends_at)
    return None


def _postponed(row: hotpath.InboxRow, due_at: datetime, now: datetime) -> Iterator[Outcome]:
    """A row between two attempts. Where the state knows that already, the first of these is not news to it."""
    yield Retrying(
        node_id=row.node_id,
        scope=row.scope,
        attempt=row.attempt - 1,
        started_at=row.started_at,
        ended_at=row.ended_at,
        announced=row.announced,
        error=row.error,
        due_at=due_at,
    )
    if due_at <= now:
        yield Due(node_id=row.node_id, scope=row.scope)


def _outcome(row: hotpath.InboxRow) -> Outcome:
    told = {name: getattr(row, name) for name in ("node_id", "scope", "attempt", "started_at", "ended_at", "announced")}
    if row.status == NodeStatus.COMPLETED:
        writes = tuple(VariableWrite(name=name, how=how, value=value) for name, how, value in row.writes or ())
        return Succeeded(port=row.port, writes=writes, usage=row.usage, continued=row.continued, **told)
    return Failed(error=row.error, handled=row.handled, **told)


__all__ = ["News", "Run", "announce", "answer", "cancel_nodes", "read_inbox", "take", "write"]
