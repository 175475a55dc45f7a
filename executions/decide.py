"""What a turn comes to: the scheduler's commands are obeyed, the pure nodes run; nothing is written yet."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import monotonic
from typing import Final
from uuid import UUID

from django.conf import settings

from executions import containers, dispatch, family, hotpath, outage, pauses, runner, store
from executions.changes import Changes
from executions.core import (
    Burst,
    CancelNode,
    CollectResults,
    Command,
    EndContainer,
    NodeStatus,
    OpenContainer,
    Outcome,
    Paused,
    Respond,
    RunNode,
    RunState,
    Step,
    TestCondition,
    segment_end,
    started,
)
from executions.core.events import without_overtaken
from executions.core.opening import Opening
from executions.core.scopes import TOP, around, path
from executions.core.state import QUEUED
from executions.in_hand import InHand
from executions.models import Waitpoint
from executions.report import Ran, Visit
from executions.store import Run
from handlers import Effect, HandlerError, Pause, PauseKind
from workflows.core import PlanNode
from workflows.core.plan import ContainerKind
from workflows.fields import dumps
from workflows.ids import uuid7

BURST_FOR: Final = 0.25  # seconds of pure nodes in one transaction; the lock is held meanwhile, a cancel waits for it


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """An effect node that we claimed."""

    row_id: UUID
    node_id: str
    scope: str
    attempt: int
    history: str | None
    started_at: datetime
    asked_at: float = field(default_factory=monotonic)  # monotonic seconds, before it was written


@dataclass(slots=True, kw_only=True)
class Decision:
    """A step whose commands have been obeyed as far as can be, and where its effects go."""

    burst: Burst
    changes: Changes
    ready: list[dispatch.Ready] = field(default_factory=list)  # to be sent once they are written
    wave: bool = False  # they are all that is out of the run
    held: Held | None = None  # to be run here once it is written
    children: list[family.Child] = field(default_factory=list)

    @property
    def step(self) -> Step:
        return self.burst.step()


def decide(run: Run, step: Step, changes: Changes, *, in_line: bool) -> Decision:
    """Obey until only effects are left. *changes* are those of the fold; *in_line*: the caller may run an effect."""
    changes.events += step.events
    run.environment = None
    burst = Burst(run.prepared.graph, step, now=datetime.now(UTC))
    decision, ends = Decision(burst=burst, changes=changes), monotonic() + BURST_FOR
    effects: list[RunNode] = []
    while True:
        outcomes: list[Outcome] = []
        for command in burst.commands:
            if isinstance(command, RunNode) and not _runs_here(run, command, ends):
                effects.append(command)
            elif (outcome := _obey(run, decision, command)) is not None:
                outcomes.append(outcome)
        if not outcomes:
            break
        burst.advance(outcomes, now=datetime.now(UTC))
        changes.events += burst.events
    if len(run.prepared.graph.bodies) > 1:
        changes.events = without_overtaken(changes.events)
    if decision.burst.state.status.is_final:  # also one that became late meanwhile: nothing starts after its end
        decision.children.clear()
        return decision
    if len(effects) == 1 and in_line and run.prepared.graph.node(effects[0].node_id).lane in settings.FLOWMAESTRO_LANES:
        _hold(run, decision, effects[0], datetime.now(UTC))
    else:
        _share_out(run, decision, effects, datetime.now(UTC))
        state = decision.burst.state
        decision.wave = state.in_flight() == len(effects) and not state.is_awaited()
    return decision


def _runs_here(run: Run, command: RunNode, ends: float) -> bool:
    """Whether a node runs within the turn: a first attempt of a pure one, while there is time."""
    node = run.prepared.graph.node(command.node_id)
    return node.delegates or node.pauses or (node.effect is Effect.PURE and command.attempt == 1 and monotonic() < ends)


def _obey(run: Run, decision: Decision, command: Command) -> Outcome | None:
    """Do what can be done at once. Returns what there is to report."""
    changes, now = decision.changes, datetime.now(UTC)
    match command:
        case RunNode():
            return _run_pure(run, decision, command, now)
        case OpenContainer():
            return _open(run, decision, command, now)
        case TestCondition():
            visit, sources = _visit(run, command), InHand(run, decision.burst, changes)
            frame = decision.burst.state.frames[path(command.scope, command.node_id)]
            tested = runner.test_condition(
                run.prepared, visit, sources, index=command.index, started_at=frame.started_at, at=now
            )
            return _end(run, changes, visit, tested) if isinstance(tested, Ran) else tested
        case CollectResults():
            return _collect(run, changes, command)
        case EndContainer():
            verdict = command.verdict
            output = dumps(verdict.output) if verdict.handled else None  # of the definition, or short: for its row
            run.keep(command.scope, command.node_id, output)
            changes.end(
                hotpath.Ended(
                    node_id=command.node_id,
                    scope=command.scope,
                    status=verdict.status,
                    ended_at=command.ended_at,
                    handled=verdict.handled,
                    output=output,
                    error=dumps(verdict.error),
                )
            )
        case CancelNode():
            node = run.prepared.graph.node(command.node_id)
            if node.pauses:
                changes.withdraw(command.scope, command.node_id)
            elif node.delegates:
                changes.orphaned.append((command.scope, command.node_id))
            changes.end(
                hotpath.Ended(node_id=command.node_id, scope=command.scope, status=NodeStatus.CANCELLED, ended_at=now)
            )
        case Respond():
            changes.response = store.answer(run, command)
    return None


def _run_pure(run: Run, decision: Decision, command: RunNode, now: datetime) -> Outcome:
    changes, node, visit = decision.changes, run.prepared.graph.node(command.node_id), _visit(run, command)
    sources = InHand(run, decision.burst, changes)
    ran = runner.run(run.prepared, visit, sources, at=now, announced=False)
    if isinstance(ran, runner.Asked):
        return _ask(run, decision, command, ran.pause, now)
    if isinstance(ran, Ran):
        run.keep(command.scope, node.id, ran.recorded.output)
        changes.bear(_row(node, command, visit.row_id, ran.recorded.status, now, ended=ran.recorded))
        return ran.outcome
    changes.bear(_row(node, command, visit.row_id, NodeStatus.RUNNING, now, is_ours=False))
    changes.events.append(started(run.prepared.graph, node.id, attempt=1, at=now, scope=command.scope))
    try:
        child = outage.retried(lambda: family.plan_child(run, node.id, command.scope, ran.child))
        decision.children.append(child)
    except HandlerError as error:
        return _end(run, changes, visit, runner.completed(run.prepared, visit, error, at=now))
    return ran.outcome


def _ask(run: Run, decision: Decision, command: RunNode, pause: Pause, now: datetime) -> Outcome:
    changes, node, visit = decision.changes, run.prepared.graph.node(command.node_id), (command.scope, command.node_id)
    row = _row(node, command, uuid7(), NodeStatus.WAITING, now, is_ours=False)
    changes.events.append(started(run.prepared.graph, node.id, attempt=1, at=now, scope=command.scope))
    is_attached = pause.kind is PauseKind.TOKEN and pause.key is not None
    token = _free_token(str(pause.key), changes, run.workspace_id) if is_attached else None
    if is_attached and token is None:
        error = HandlerError(f"there is no token {pause.key!r} here that nobody else waits for", code="not_found")
        changes.bear(row)
        failed = _visit(run, command)
        return _end(run, changes, failed, runner.completed(run.prepared, failed, error, at=now))
    whose = {"execution_id": run.id, "workspace_id": run.workspace_id}
    waitpoint = pauses.waitpoint_of(pause, visit, **whose, at=now, token=token)
    changes.ask(row, waitpoint)
    return Paused(node_id=node.id, scope=command.scope, waitpoint=pauses.told(waitpoint))


def _free_token(key: str, changes: Changes, workspace_id: UUID) -> Waitpoint | None:
    """The token made by hand that a pause can have to itself: it is one visit's only."""
    token = pauses.free_token(key, workspace_id)
    return None if token is None or any(each.pk == token.pk for each in changes.waitpoints) else token


def _open(run: Run, decision: Decision, command: OpenContainer, now: datetime) -> Outcome:
    changes, node, visit = decision.changes, run.prepared.graph.node(command.node_id), _visit(run, command)
    sources = InHand(run, decision.burst, changes)
    changes.bear(_row(node, command, visit.row_id, NodeStatus.RUNNING, now, is_ours=False))
    begun = runner.open_container(run.prepared, visit, sources, at=now)
    total = begun.opened.total if isinstance(begun, Opening) else None
    changes.events.append(started(run.prepared.graph, node.id, attempt=1, at=now, scope=command.scope, total=total))
    if not isinstance(begun, Opening):
        return _end(run, changes, visit, begun)
    if {"item", "total"} & run.prepared.needs.get(node.id, frozenset()):
        items = begun.items or []
        changes.chunks += containers.chunks(node.id, command.scope, items, total)
        run.items[command.scope, node.id] = items
    return begun.opened


def _collect(run: Run, changes: Changes, command: CollectResults) -> Outcome:
    visit, node = _visit(run, command), run.prepared.graph.node(command.node_id)
    output: str | HandlerError
    try:
        results = outage.retried(
            lambda: containers.gather(run.id, run.prepared, command.scope, node.id, command.count, changes)
        )
        output = containers.output(node.container or ContainerKind.LOOP, results)
    except HandlerError as error:
        output = error
    return _end(run, changes, visit, runner.completed(run.prepared, visit, output, at=command.started_at))


def _end(run: Run, changes: Changes, visit: Visit, ran: Ran) -> Outcome:
    """A visit that no worker holds has ended: its row is there already, or will be with this step."""
    run.keep(visit.scope, visit.node_id, ran.recorded.output)
    changes.close(visit.node_id, visit.scope, ran.recorded)
    return ran.outcome


def _hold(run: Run, decision: Decision, command: RunNode, now: datetime) -> None:
    """Claim a single effect for ourselves in the write that makes its row, or takes it up again."""
    node, row_id, history = run.prepared.graph.node(command.node_id), uuid7(), None
    if command.attempt == 1:
        decision.changes.bear(_row(node, command, row_id, NodeStatus.RUNNING, now))
    else:
        row_id, _, history = run.waiting_row(command.scope, command.node_id)
        decision.changes.again.append(
            hotpath.Again(id=row_id, attempt=command.attempt, status=NodeStatus.RUNNING, at=now)
        )
    told = started(run.prepared.graph, node.id, attempt=command.attempt, at=now, scope=command.scope)
    decision.changes.events.append(told)
    decision.held = Held(
        row_id=row_id,
        node_id=node.id,
        scope=command.scope,
        attempt=command.attempt,
        history=history,
        started_at=now,
    )


def _share_out(run: Run, decision: Decision, commands: list[RunNode], now: datetime) -> None:
    """Several effects become rows that others claim."""
    graph, state = run.prepared.graph, decision.burst.state
    ends: dict[tuple[str, str], int] = {}  # visits that are handed out → where the segment ends that each begins
    together: dict[str, set[int]] = {}  # these places, by scope
    for command in commands:
        end = segment_end(graph, graph.node(command.node_id))
        place = ends[command.scope, command.node_id] = graph.body(command.scope).position[end.id]
        together.setdefault(command.scope, set()).add(place)
    # What waits under the cap is to start as soon as one of these has ended.
    is_capped = any(QUEUED in scope.marks for scope in state.scopes.values())
    # Branches of one container, all of which are open: nothing comes between their end and its own.
    containers_here = {around(scope)[:2] for scope in together if scope != TOP}
    is_one_body = TOP not in together and len(containers_here) == 1 and not _is_hungry(state, next(iter(together)))
    waits_for_all: dict[int, bool] = {}  # places at the top level that follow every one of these
    for command in commands:
        node, here, body = graph.node(command.node_id), together[command.scope], graph.body(command.scope)
        followers = [arc.other for arc in body.out[ends[command.scope, node.id]]]
        if command.scope == TOP:  # another follower may be ready while the slowest of these still runs
            for place in followers:
                if place not in waits_for_all:
                    waits_for_all[place] = here <= {into.other for into in body.into[place]}
            is_last = all(waits_for_all[place] for place in followers)
        else:
            is_last = is_one_body and not followers
        if command.attempt == 1:
            row_id = uuid7()
            decision.changes.bear(_row(node, command, row_id, NodeStatus.READY, now))
        else:
            row_id = run.waiting_row(command.scope, node.id).id
            again = hotpath.Again(id=row_id, attempt=command.attempt, status=NodeStatus.READY, at=now)
            decision.changes.again.append(again)
        ready = dispatch.Ready(id=row_id, lane=node.lane, cheap=node.cheap, folds_early=is_capped or not is_last)
        decision.ready.append(ready)


def _is_hungry(state: RunState, scope: str) -> bool:
    """Whether the end of *scope* makes room for another iteration or branch, here or further out."""
    while scope != TOP:
        outer, container, _ = around(scope)
        frame = state.frames[path(outer, container)]
        if frame.total is None or frame.opened < frame.total:
            return True
        scope = outer
    return False


def _visit(run: Run, command: RunNode | OpenContainer | TestCondition | CollectResults) -> Visit:
    return Visit(
        row_id=uuid7(),
        execution_id=run.id,
        workspace_id=run.workspace_id,
        node_id=command.node_id,
        scope=command.scope,
        is_claimed=False,
    )


def _row(
    node: PlanNode,
    command: RunNode | OpenContainer,
    row_id: UUID,
    status: NodeStatus,
    now: datetime,
    *,
    ended: hotpath.Recorded | None = None,
    is_ours: bool = True,
) -> hotpath.NewRow:
    return hotpath.NewRow(
        id=row_id,
        node_id=node.id,
        scope=command.scope,
        node_type=node.type,
        lane=node.lane.value,
        status=status,
        ready_at=now,
        ended=ended,
        is_ours=is_ours,
    )
