"""What a turn comes to: the pure nodes are run, the effects get their place; nothing is written yet."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import monotonic
from typing import Final
from uuid import UUID

from django.conf import settings

from executions import dispatch, hotpath, outage, runner
from executions.core import NodeStatus, RunEvent, RunNode, RunState, Step, advance, started
from executions.core.scheduler import TOP
from executions.core.state import COMPLETED, HANDLED, QUEUED
from executions.store import Run
from handlers import Effect, JSONObject
from workflows.core import PlanNode
from workflows.ids import uuid7

BURST_FOR: Final = 0.25  # seconds of pure nodes in one transaction; the lock is held meanwhile, a cancel waits for it


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """An effect node that we claimed."""

    row_id: UUID
    node_id: str
    started_at: datetime


@dataclass(slots=True, kw_only=True)
class Decision:
    """A step with its pure nodes run, and where its effects go."""

    step: Step
    events: list[RunEvent]
    born: list[hotpath.NewRow] = field(default_factory=list)
    ready: list[dispatch.Ready] = field(default_factory=list)  # to be sent once they are written
    wave: bool = False  # they are all that is out of the run
    held: Held | None = None  # to be run here once it is written


@dataclass(frozen=True, slots=True)
class InHand:
    """Values of a run in our hands: what went through them, and the rows for the rest."""

    run: Run
    state: RunState

    @property
    def inputs(self) -> str:
        return self.run.inputs

    def outputs(self, scope: str, nodes: set[str]) -> Mapping[str, str]:
        position, marks = self.run.prepared.graph.position, self.state.scopes[scope].marks
        ran = {node for node in nodes if marks[position[node]] in (COMPLETED, HANDLED)}
        known = {node: self.run.outputs[node] for node in ran if node in self.run.outputs}
        if unknown := ran - known.keys():
            known |= outage.retried(lambda: hotpath.outputs(self.run.id, scope, unknown))
        return known

    def variables(self) -> JSONObject:
        """A copy: what a handler does to its configuration is not done to the run."""
        return deepcopy(self.state.variables)


def decide(run: Run, step: Step, *, in_line: bool) -> Decision:
    """Run what is pure until only effects are left. *in_line*: a single effect may be run by the caller."""
    decision = Decision(step=step, events=list(step.events))
    ends = monotonic() + BURST_FOR
    effects: list[RunNode] = []
    while runnable := [command for command in decision.step.commands if isinstance(command, RunNode)]:
        outcomes = []
        for command in runnable:
            node = run.prepared.graph.node(command.node_id)
            if node.effect is Effect.PURE and monotonic() < ends:
                visit = runner.Visit(
                    row_id=uuid7(),
                    execution_id=run.id,
                    workspace_id=run.workspace_id,
                    node_id=node.id,
                    scope=command.scope,
                    is_claimed=False,
                )
                sources, now = InHand(run, decision.step.state), datetime.now(UTC)
                ran = runner.run(run.prepared, visit, sources, at=now, announced=False)
                run.keep(node.id, ran.recorded.output)
                decision.born.append(_row(node, command, visit.row_id, ran.recorded.status, now, ended=ran.recorded))
                outcomes.append(ran.outcome)
            else:
                effects.append(command)
        if not outcomes:
            break
        decision.step = advance(run.prepared.graph, decision.step.state, outcomes, now=datetime.now(UTC))
        decision.events += decision.step.events
    if len(effects) == 1 and in_line and run.prepared.graph.node(effects[0].node_id).lane in settings.FLOWMAESTRO_LANES:
        _hold(run, decision, effects[0], datetime.now(UTC))
    else:
        _share_out(run, decision, effects, datetime.now(UTC))
        decision.wave = decision.step.state.in_flight() == len(effects)
    return decision


def _hold(run: Run, decision: Decision, command: RunNode, now: datetime) -> None:
    """Claim a single effect for ourselves in the write that makes its row."""
    node, row_id = run.prepared.graph.node(command.node_id), uuid7()
    decision.born.append(_row(node, command, row_id, NodeStatus.RUNNING, now))
    decision.events.append(started(run.prepared.graph, node.id, attempt=1, at=now))
    decision.held = Held(row_id=row_id, node_id=node.id, started_at=now)


def _share_out(run: Run, decision: Decision, commands: list[RunNode], now: datetime) -> None:
    """Several effects become rows that others claim."""
    graph = run.prepared.graph
    together = {graph.position[command.node_id] for command in commands}
    followers = {arc.other for place in together for arc in graph.out[place]}
    # Those that wait for every node handed out here; another may be ready while the slowest of these still runs.
    last = {place for place in followers if together <= {into.other for into in graph.into[place]}}
    # What waits under the cap is to start as soon as one of these has ended.
    is_capped = QUEUED in decision.step.state.scopes[TOP].marks
    for command in commands:
        node, row_id = graph.node(command.node_id), uuid7()
        decision.born.append(_row(node, command, row_id, NodeStatus.READY, now))
        folds_early = is_capped or any(arc.other not in last for arc in graph.out[graph.position[node.id]])
        decision.ready.append(dispatch.Ready(id=row_id, lane=node.lane, cheap=node.cheap, folds_early=folds_early))


def _row(
    node: PlanNode,
    command: RunNode,
    row_id: UUID,
    status: NodeStatus,
    now: datetime,
    *,
    ended: hotpath.Recorded | None = None,
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
    )
