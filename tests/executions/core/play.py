"""Runs over the pure core alone: nodes answer by script, in any order, on a clock that the test owns.

A visit is named as people name it: `a` at the top level, `loop[1]/a` in the second iteration of loop.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from hypothesis import strategies as st

from executions.core import (
    CancelNode,
    CloseRun,
    CollectResults,
    Command,
    Due,
    EndContainer,
    EventType,
    Failed,
    Graph,
    Kept,
    OpenContainer,
    Opened,
    Outcome,
    Paused,
    Retrying,
    RunNode,
    RunState,
    RunStatus,
    Step,
    Succeeded,
    TestCondition,
    Tested,
    Verdict,
    advance,
    hold,
    judge,
    lay_out,
    release,
    start,
)
from executions.core.opening import empty, opening
from executions.core.scopes import path
from executions.core.state import STATUS
from handlers import TIMEOUT_PORT, HandlerError, JSONObject, VariableWrite
from handlers.nodes.containers import ITEMS_KEYS, LoopConfig, ParallelConfig
from tests.graphs import catalogue, draw
from workflows.core import Plan, PlanNode, build_plan, parse_definition
from workflows.core.plan import ContainerKind, OnErrorStrategy

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SOON = timedelta(seconds=5)  # when an attempt that failed is tried again


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


@dataclass(frozen=True)
class Again:
    """The attempt failed, and there will be another."""


@dataclass(frozen=True)
class Waits:
    """It waits for something outside, and then gives *answer*: as any node, or Late when nobody came."""

    answer: Any = None


@dataclass(frozen=True)
class Late:
    """It expired, and its `timeout` edge is taken."""


@dataclass(frozen=True)
class Times:
    """How often a container runs whose drawing refers to something."""

    total: int


@dataclass(frozen=True)
class While:
    """How often a container runs that is told by values: its condition holds so often, it has so many items."""

    below: int


def graph_of(drawing: str, **more: Any) -> Graph:
    return lay_out(plan_of(drawing, **more))


def plan_of(drawing: str, **more: Any) -> Plan:
    return build_plan(parse_definition(draw(drawing, **more)), catalogue=catalogue)


def outcome(graph: Graph, visit: str, answer: Any = None, *, at: datetime = NOW, attempt: int = 1) -> Outcome:
    """What a worker would report of *visit* that gave *answer*: None, a Port, a Boom, a Write or Again."""
    scope, _, node_id = visit.rpartition("/")
    told: dict[str, Any] = {
        "node_id": node_id,
        "scope": scope,
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
        case Again():
            return Retrying(error={"message": "not yet"}, due_at=at + SOON, **told)
        case Waits():
            return Paused(node_id=node_id, scope=scope, waitpoint={"id": visit})
        case Late():
            return Succeeded(port=TIMEOUT_PORT, expired=True, **told)
        case Port(name):
            return Succeeded(port=name, **told)
        case Write(name, how, value):
            return Succeeded(writes=(VariableWrite(name=name, how=how, value=value),), **told)
    return Succeeded(**told)


class Played:
    """A run as far as it has been played: what containers need is answered at once, what nodes do is reported."""

    def __init__(
        self,
        graph: Graph,
        answers: Mapping[str, Any] | None = None,
        *,
        entry: str | None = None,
        until: str | None = None,
        kept: Mapping[str, Kept] | None = None,
    ) -> None:
        self.graph, self.answers = graph, answers or {}
        self.steps: list[Step] = []
        self.ran: list[str] = []  # visits in the order in which they were handed out
        self.out: list[str] = []  # those of them that have not reported
        self.due: list[str] = []  # visits between two attempts
        self.waiting: list[str] = []  # visits that wait for something outside
        self.opened: list[str] = []  # containers
        self.tested: list[tuple[str, int]] = []  # loops, and the index their condition saw
        self.collected: dict[str, int] = {}  # container → how many results
        self.ended: dict[str, Verdict] = {}  # containers that failed
        self.withdrawn: list[str] = []  # rows that are not wanted any more
        self.most_out = 0
        self.close: CloseRun | None = None
        self._attempts: dict[str, int] = {}
        self._obey(start(graph, entry=entry or graph.plan.entry, until=until, now=NOW, kept=kept))

    @property
    def state(self) -> RunState:
        return self.steps[-1].state

    @property
    def statuses(self) -> dict[str, str]:
        marks = self.state.scopes[""].marks
        return {node.id: STATUS[mark].value for node, mark in zip(self.graph.top.nodes, marks, strict=True)}

    @property
    def events(self) -> list[EventType]:
        return [event.type for step in self.steps for event in step.events]

    @property
    def skipped(self) -> list[str]:
        told = [event for step in self.steps for event in step.events if event.type is EventType.NODE_SKIPPED]
        return [path(event.scope, str(event.node_id)) for event in told]

    def told(self, visit: str) -> Outcome:
        """What a visit that is out will report."""
        return outcome(self.graph, visit, self._answer(visit), attempt=self._attempts[visit])

    def report(self, *visits: str) -> Played:
        """These visits, which are out, report at once."""
        outcomes = [self.told(visit) for visit in visits]
        for visit in visits:
            self.out.remove(visit)
        self.due += [path(told.scope, told.node_id) for told in outcomes if isinstance(told, Retrying)]
        self.waiting += [path(told.scope, told.node_id) for told in outcomes if isinstance(told, Paused)]
        return self.fold(*outcomes)

    def answer(self, *visits: str) -> Played:
        """What these visits wait for has come."""
        outcomes = []
        for visit in visits:
            self.waiting.remove(visit)
            waits = self._answer(visit)
            outcomes.append(outcome(self.graph, visit, waits.answer))
        return self.fold(*outcomes)

    def hold(self) -> Played:
        self._obey(hold(self.graph, self.state, now=NOW))
        return self

    def release(self) -> Played:
        self._obey(release(self.graph, self.state, now=NOW))
        return self.fold()

    def fall_due(self, *visits: str) -> Played:
        """The wait of these visits is over."""
        outcomes = []
        for visit in visits:
            self.due.remove(visit)
            scope, _, node_id = visit.rpartition("/")
            outcomes.append(Due(node_id=node_id, scope=scope))
        return self.fold(*outcomes)

    def fold(self, *outcomes: Outcome) -> Played:
        self._obey(self.advance(outcomes))
        return self

    def advance(self, outcomes: Sequence[Outcome]) -> Step:
        """The only place where anything is reported."""
        return advance(self.graph, self.state, outcomes, now=NOW)

    def to_end(self, *, order: Random | None = None, hold: Sequence[str] = ()) -> Played:
        """*order* shuffles what reports first; what is in *hold* reports when nothing else is out."""
        while self.close is None:
            ready = [visit for visit in self.out if visit not in hold] or self.out
            if order and self.waiting and (not ready or order.random() < 0.3):
                self.answer(*order.sample(self.waiting, order.randint(1, len(self.waiting))))
            elif not ready and self.due:
                self.fall_due(order.choice(self.due) if order else self.due[0])
            elif not ready:
                assert self.waiting, f"the run is stuck: {self.state}"
                assert self.state.status is RunStatus.PAUSED
                self.answer(self.waiting[0])
            elif order:
                self.report(*order.sample(ready, order.randint(1, len(ready))))
            else:
                self.report(ready[0])
        return self

    # ---- obeying
    def _answer(self, visit: str) -> Any:
        """By visit, else by node; of a list, the one of its attempt, the last over and over."""
        answer = self.answers.get(visit, self.answers.get(visit.rpartition("/")[2]))
        if isinstance(answer, list):
            return answer[min(self._attempts[visit], len(answer)) - 1]
        return answer

    def _obey(self, step: Step) -> None:
        self.steps.append(step)
        outcomes = [found for command in step.commands if (found := self._obeyed(command)) is not None]
        self.most_out = max(self.most_out, step.state.in_flight())
        if outcomes:
            self._obey(self.advance(outcomes))

    def _obeyed(self, command: Command) -> Outcome | None:
        if isinstance(command, CloseRun):
            assert self.close is None
            self.close = command
            if command.status is not RunStatus.COMPLETED:  # whatever is open is withdrawn with the run
                self.waiting.clear()
            return None
        visit = path(command.scope, command.node_id)
        match command:
            case RunNode():
                assert visit not in self.out
                self.out.append(visit)
                self.ran.append(visit)
                self._attempts[visit] = command.attempt
            case OpenContainer():
                self.opened.append(visit)
                return self._open(command, visit)
            case TestCondition():
                answer = self._answer(visit)
                if isinstance(answer, Boom):
                    return outcome(self.graph, visit, answer)
                self.tested.append((visit, command.index))
                met = command.index < answer.below
                return Tested(node_id=command.node_id, scope=command.scope, index=command.index, is_met=met)
            case CollectResults():
                self.collected[visit] = command.count
                return outcome(self.graph, visit)
            case EndContainer():
                self.ended[visit] = command.verdict
            case CancelNode():
                self._withdraw(visit)
        return None

    def _withdraw(self, visit: str) -> None:
        self.withdrawn.append(visit)
        for waits in (self.due, self.waiting):
            if visit in waits:
                waits.remove(visit)

    def _open(self, command: OpenContainer, visit: str) -> Outcome:
        node, answer = self.graph.node(command.node_id), self._answer(visit)
        if not self.graph.bodies[node.id].nodes:
            return empty(node.id, command.scope, at=NOW).opened
        if isinstance(answer, Boom):
            return outcome(self.graph, visit, answer)
        if isinstance(answer, Times):
            width = 1 if node.container is ContainerKind.LOOP else node.config.get("maxConcurrency", 20)
            told: dict[str, Any] = {"started_at": NOW, "total": answer.total, "width": width}
            return Opened(node_id=node.id, scope=command.scope, **told)
        kind = LoopConfig if node.container is ContainerKind.LOOP else ParallelConfig
        config = kind.model_validate(_told(node.config, self._answer(visit)))
        try:
            return opening(node.id, command.scope, config, at=NOW).opened
        except HandlerError as error:
            return outcome(self.graph, visit, Boom(str(error)))


def _told(config: JSONObject, answer: Any) -> JSONObject:
    """The configuration of a container with the values that its references come to."""
    if not isinstance(answer, While):
        return config
    told = {"count": answer.below} | dict.fromkeys(ITEMS_KEYS, ["item"] * answer.below)
    return {key: told[key] if key in told and isinstance(value, str) else value for key, value in config.items()}


def play(
    graph: Graph,
    answers: Mapping[str, Any] | None = None,
    *,
    order: Random | None = None,
    entry: str | None = None,
    until: str | None = None,
    hold: Sequence[str] = (),
) -> Played:
    """A run from start to end."""
    return Played(graph, answers, entry=entry, until=until).to_end(order=order, hold=hold)


def scripts(graph: Graph, *, failures: bool = False) -> st.SearchStrategy[dict[str, Any]]:
    """An answer for every node: one of its ports, another attempt, and a failure where it is handled (or anywhere)."""
    answers = {}
    for node in graph.plan.nodes:
        takes_failures = failures or graph.has_error_edge(node.id)
        if node.container is not None:
            answers[node.id] = _of_container(node, takes_failures=takes_failures)
            continue
        body = graph.bodies[node.parent or ""]
        ports = {arc.port for arc in body.out[body.position[node.id]] if arc.port}
        choices: list[Any] = [Port(port) for port in sorted(ports)] or [None]
        if takes_failures:
            choices.append(Boom(node.id))
        answers[node.id] = st.sampled_from(choices) | st.sampled_from(choices).map(lambda last: [Again(), last])
    return st.fixed_dictionaries(answers)


def _of_container(node: PlanNode, *, takes_failures: bool) -> st.SearchStrategy[Any]:
    if node.config.get("loopType") in ("while", "doWhile"):
        told: st.SearchStrategy[Any] = st.builds(While, st.integers(0, 2))
    else:
        told = st.builds(Times, st.integers(0, 3))
    return told | st.just(Boom(node.id)) if takes_failures else told
