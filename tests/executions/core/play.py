"""Runs over the pure core alone: nodes answer by script, in any order, on a clock that the test owns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from executions.core import (
    CloseRun,
    EventType,
    Failed,
    Graph,
    Outcome,
    RunNode,
    RunState,
    Step,
    Succeeded,
    advance,
    judge,
    lay_out,
    start,
)
from executions.core.state import STATUS
from handlers import VariableWrite
from tests.graphs import catalogue, draw
from workflows.core import Plan, build_plan, parse_definition
from workflows.core.plan import OnErrorStrategy

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Port:
    name: str


@dataclass(frozen=True)
class Boom:
    message: str = "boom"


@dataclass(frozen=True)
class Write:
    name: str
    how: str
    value: Any


def graph_of(drawing: str, **more: Any) -> Graph:
    return lay_out(plan_of(drawing, **more))


def plan_of(drawing: str, **more: Any) -> Plan:
    return build_plan(parse_definition(draw(drawing, **more)), catalogue=catalogue)


def outcome(graph: Graph, node_id: str, answer: Any = None, *, at: datetime = NOW, attempt: int = 1) -> Outcome:
    """What a worker would report of *node_id* that gave *answer*: None, a Port, a Boom or a Write."""
    told: dict[str, Any] = {
        "node_id": node_id,
        "scope": "",
        "attempt": attempt,
        "started_at": at,
        "ended_at": at + timedelta(milliseconds=5),
    }
    match answer:
        case Boom(message):
            verdict = judge(
                graph.node(node_id),
                has_error_edge=graph.has_error_edge(node_id),
                message=message,
                code="error",
                attempt=attempt,
                at=at,
            )
            if graph.node(node_id).on_error in (OnErrorStrategy.CONTINUE, OnErrorStrategy.FALLBACK):
                return Succeeded(**told)
            return Failed(error=verdict.error, handled=verdict.handled, **told)
        case Port(name):
            return Succeeded(port=name, **told)
        case Write(name, how, value):
            return Succeeded(writes=(VariableWrite(name=name, how=how, value=value),), **told)
    return Succeeded(**told)


@dataclass
class Played:
    graph: Graph
    state: RunState
    ran: list[str] = field(default_factory=list)  # in the order in which they were handed out
    steps: list[Step] = field(default_factory=list)
    close: CloseRun | None = None

    @property
    def statuses(self) -> dict[str, str]:
        marks = self.state.scopes[""].marks
        return {node.id: STATUS[mark].value for node, mark in zip(self.graph.top.nodes, marks, strict=True)}

    @property
    def events(self) -> list[EventType]:
        return [event.type for step in self.steps for event in step.events]


def play(
    graph: Graph,
    answers: Mapping[str, Any] | None = None,
    *,
    order: Random | None = None,
    entry: str | None = None,
    hold: Sequence[str] = (),
) -> Played:
    """A run from start to end. *order* shuffles what reports first; what is in *hold* reports when nothing else is out."""
    answers = answers or {}
    step = start(graph, entry=entry or graph.plan.entry, now=NOW)
    played = Played(graph, step.state)
    out: list[str] = []
    while True:
        played.steps.append(step)
        played.state = step.state
        for command in step.commands:
            if isinstance(command, RunNode):
                out.append(command.node_id)
                played.ran.append(command.node_id)
            elif isinstance(command, CloseRun):
                played.close = command
        if played.close is not None:
            return played
        ready = [node for node in out if node not in hold] or out
        chosen = order.choice(ready) if order else ready[0]
        out.remove(chosen)
        step = advance(graph, played.state, [outcome(graph, chosen, answers.get(chosen))], now=NOW)
