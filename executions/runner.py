"""One attempt of one node: its configuration resolved, its handler called, what came of it made fit for its row.

The only place where an exception of a handler becomes an outcome.
"""

from __future__ import annotations

import json
import logging
import math
import random
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Protocol, TypeVar
from uuid import UUID

from django.db import connection
from pydantic import ValidationError

from executions import outputs
from executions.attempts import Attempt, in_flight
from executions.core import Delegated, Failed, NodeStatus, Outcome, Retrying, Succeeded, Tested
from executions.core.context import Reads, Values, containers_read, lookup, nodes_read, reads_any
from executions.core.failure import INTERNAL_ERROR, describe, judge_error
from executions.core.opening import Opening, empty, opening
from executions.core.retry import next_delay, policy_of
from executions.core.scopes import inside, where
from executions.hotpath import Recorded
from executions.plans import Prepared
from handlers import (
    ConfigError,
    Effect,
    HandlerError,
    JSONObject,
    NodeConfig,
    NodeInput,
    NodeOutput,
    SelectPort,
    StartChild,
    VariableWrite,
)
from workflows.core import EvaluationError, PlanNode, resolve_config, truth
from workflows.core.plan import Source
from workflows.fields import dumps

logger = logging.getLogger(__name__)

_SHOWN: Final = 16_384  # characters of a resolved configuration that are kept for people


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """Which attempt of which node this is."""

    row_id: UUID
    execution_id: UUID
    workspace_id: UUID
    node_id: str
    scope: str = ""
    number: int = 1
    lost: int = 0  # attempts before it whose worker died: they do not count as tries
    history: str | None = None  # JSON text of the attempts before
    is_claimed: bool = True  # its row says so; False: it runs within a turn and gets its row when it is over


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What an attempt came to: for its row, and for the scheduler."""

    recorded: Recorded
    outcome: Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """The node starts a run of its own, and waits for its end."""

    child: StartChild
    outcome: Delegated


class Sources(Protocol):
    """Where the values come from that a node refers to."""

    @property
    def inputs(self) -> str:
        """The run's inputs, JSON text."""

    def outputs(self, visits: Collection[tuple[str, str]]) -> Mapping[tuple[str, str], str]:
        """JSON texts of the outputs of those *visits* (scope, node) that ran and have one."""

    def variables(self) -> JSONObject:
        """The workflow variables."""

    def container(self, scope: str, node_id: str, index: int, needs: Collection[str]) -> JSONObject:
        """The context of iteration or branch *index* of an open container, with what *needs* names in it."""


def run(prepared: Prepared, visit: Visit, sources: Sources, *, at: datetime, announced: bool) -> Ran | Started:
    """Run one attempt that started *at*. Never raises for what a node does, only for *sources* that cannot be read.

    While an effect runs it holds no database connection: a hundred that wait must not take a hundred.
    """
    node = prepared.graph.node(visit.node_id)
    attempt = Attempt(visit.execution_id, visit.node_id, visit.scope, seconds=node.timeout_ms / 1000)
    report = _Report(prepared, visit, attempt, at, announced)
    if visit.is_claimed:
        in_flight.add(visit.row_id, visit.number, attempt)
    try:
        values = read(prepared, visit.scope, node.reads, sources, at)  # what it raises is an outage, not the node's
        return report.guarded(lambda: _run(prepared, visit, sources, values, report))
    finally:
        if visit.is_claimed:
            in_flight.remove(visit.row_id, visit.number)


def open_container(prepared: Prepared, visit: Visit, sources: Sources, *, at: datetime) -> Opening | Ran:
    """What a container begins with, or how it failed to. Raises for *sources* that cannot be read."""
    node = prepared.graph.node(visit.node_id)
    if not prepared.graph.bodies[node.id].nodes:
        return empty(node.id, visit.scope, at=at)
    values = read(prepared, visit.scope, node.reads, sources, at)
    report = _report(prepared, visit, at)

    def begin() -> Opening:
        config = _checked(prepared, visit.node_id, _resolved(prepared, visit, values, report))
        return opening(node.id, visit.scope, config, at=at)

    return report.guarded(begin)


def test_condition(
    prepared: Prepared, visit: Visit, sources: Sources, *, index: int, started_at: datetime, at: datetime
) -> Tested | Ran:
    """Whether a loop goes on, as its condition sees iteration *index*. Raises for *sources* that cannot be read."""
    node = prepared.graph.node(visit.node_id)
    values = read(prepared, inside(visit.scope, node.id, index), node.deferred_reads, sources, at)
    condition = prepared.condition(node.id)

    def test() -> Tested:
        met = truth(condition, lookup(node.deferred_reads, values))
        return Tested(node_id=node.id, scope=visit.scope, is_met=met)

    return _report(prepared, visit, started_at).guarded(test)


def completed(prepared: Prepared, visit: Visit, output: str | HandlerError, *, at: datetime) -> Ran:
    """A visit that started *at* ends with *output*, JSON text, or fails: of a container, or of a node with a child."""
    report = _report(prepared, visit, at)
    if isinstance(output, HandlerError):
        return report.failed(str(output), str(output.code), outputs.plain(output.details))
    return report.ended(output)


def read(prepared: Prepared, scope: str, reads: Reads, sources: Sources, at: datetime) -> Values:
    """What *reads* refers to, and nothing else, as a node in *scope* sees it; every attempt gets its own copy."""
    now_ms = int(at.timestamp() * 1000)
    if not reads:
        return Values(outputs={}, variables={}, inputs={}, env={}, now_ms=now_ms)
    visits = [(prepared.graph.home(node_id, scope), node_id) for node_id in nodes_read(reads)]
    texts = sources.outputs(visits) if visits else {}
    containers = {}
    for container, needs in containers_read(reads).items():
        outer, index = where(scope, container)
        containers[container] = sources.container(outer, container, index, needs)
    return Values(
        outputs={node_id: json.loads(text) for (_, node_id), text in texts.items()},
        containers=containers,
        variables=sources.variables() if reads_any(reads, Source.VARIABLE, Source.VAR) else {},
        inputs=json.loads(sources.inputs) if reads_any(reads, Source.INPUTS, Source.INPUT, Source.ABSENT) else {},
        env={},
        now_ms=now_ms,
    )


def _report(prepared: Prepared, visit: Visit, at: datetime) -> _Report:
    """Of a visit that the engine makes itself: it has been announced, and no time limit is upon it."""
    attempt = Attempt(visit.execution_id, visit.node_id, visit.scope, seconds=math.inf)
    return _Report(prepared, visit, attempt, at, announced=True)


def _run(prepared: Prepared, visit: Visit, sources: Sources, values: Values, report: _Report) -> Ran | Started:
    config = _resolved(prepared, visit, values, report)
    if prepared.graph.node(visit.node_id).effect is Effect.EFFECT:
        connection.close()
    output = _call(prepared, visit, sources, report, config)
    if isinstance(output.signal, StartChild):
        started = Delegated(node_id=visit.node_id, scope=visit.scope, started_at=report.started_at)
        return Started(child=output.signal, outcome=started)
    return report.succeeded(output)


def _resolved(prepared: Prepared, visit: Visit, values: Values, report: _Report) -> Mapping[str, Any]:
    node = prepared.graph.node(visit.node_id)
    resolved = resolve_config(prepared.config(visit.node_id), lookup(node.reads, values))
    for name in resolved.unknown:
        report.attempt.log("warning", f"{{{{{name}}}}} names nothing that this node can see")
    if node.reads:  # otherwise it is as drawn
        report.shown = _shown(resolved.config)
    return resolved.config


def _checked(prepared: Prepared, node_id: str, config: Mapping[str, Any]) -> NodeConfig:
    try:
        return prepared.node_type(node_id).handler.Config.model_validate(config)
    except ValidationError as invalid:
        raise ConfigError(_sentence(invalid)) from invalid


def _call(prepared: Prepared, visit: Visit, sources: Sources, report: _Report, config: Mapping[str, Any]) -> NodeOutput:
    node_type = prepared.node_type(visit.node_id)
    told = NodeInput(
        config=_checked(prepared, visit.node_id, config),
        inputs=json.loads(sources.inputs) if node_type.takes_inputs else {},
        execution_id=visit.execution_id,
        workspace_id=visit.workspace_id,
        node_id=visit.node_id,
        scope=visit.scope,
        attempt=visit.number,
        now=report.started_at,
    )
    try:
        return node_type.handler.run(told, report.attempt)
    except Exception:
        if report.attempt.is_called_off:  # whatever it looked like to the handler whose socket was closed
            report.attempt.check_cancelled()
        raise


T = TypeVar("T")


@dataclass(slots=True)
class _Report:
    """Turns what an attempt came to into what is stored of it and what the scheduler is told."""

    prepared: Prepared
    visit: Visit
    attempt: Attempt
    started_at: datetime
    announced: bool
    shown: str | None = None

    def guarded(self, action: Callable[[], T]) -> T | Ran:
        """What *action* returns; what it raises becomes an outcome."""
        try:
            return action()
        except HandlerError as error:
            return self._postponed(error) or self._given_up(error)
        except EvaluationError as error:
            return self.failed(str(error), error.code)
        except Exception as error:
            logger.exception("node %s of run %s: a bug in its handler", self.visit.node_id, self.visit.execution_id)
            return self.failed(f"{type(error).__name__}: {error}", INTERNAL_ERROR)

    def succeeded(self, output: NodeOutput) -> Ran:
        """Raises HandlerError for an output that cannot be stored."""
        port = output.signal.port if isinstance(output.signal, SelectPort) else None
        port = None if port is None else outputs.checked_port(port)
        writes = [[write.name, write.how, write.value] for write in output.writes]
        return self.ended(
            outputs.encoded(output.data),
            port=port,
            writes=outputs.encoded(writes) if writes else None,
            usage=None if output.usage is None else outputs.encoded(output.usage.to_json()),
        )

    def ended(
        self, output: str, *, port: str | None = None, writes: str | None = None, usage: str | None = None
    ) -> Ran:
        ended_at = datetime.now(UTC)
        return Ran(
            recorded=self._recorded(
                NodeStatus.COMPLETED, ended_at, output=output, port=port, writes=writes, usage=usage
            ),
            outcome=Succeeded(
                port=port,
                writes=_read_back(writes) if writes else (),
                usage=None if usage is None else json.loads(usage),
                **self._told(ended_at),
            ),
        )

    def failed(self, message: str, code: str, details: JSONObject | None = None) -> Ran:
        ended_at = datetime.now(UTC)
        verdict = judge_error(
            self._node,
            has_error_edge=self.prepared.graph.has_error_edge(self.visit.node_id),
            error=self._describe(message, code, ended_at, details),
        )
        output = dumps(verdict.output) if verdict.handled else None
        recorded = self._recorded(
            verdict.status, ended_at, handled=verdict.handled, output=output, error=dumps(verdict.error)
        )
        if verdict.status is NodeStatus.COMPLETED:
            return Ran(recorded=recorded, outcome=Succeeded(**self._told(ended_at)))
        return Ran(
            recorded=recorded,
            outcome=Failed(error=verdict.error, handled=verdict.handled, **self._told(ended_at)),
        )

    @property
    def _node(self) -> PlanNode:
        return self.prepared.graph.node(self.visit.node_id)

    def _postponed(self, error: HandlerError) -> Ran | None:
        """Another attempt, when the failure may pass and the node has one left."""
        if not error.retryable or not self.prepared.node_type(self.visit.node_id).retries:
            return None
        tries = self.visit.number - self.visit.lost
        delay = next_delay(policy_of(self._node), tries, jitter=random.random(), retry_after=error.retry_after)  # noqa: S311
        if delay is None:
            return None
        ended_at = datetime.now(UTC)
        due_at = ended_at + timedelta(seconds=delay)
        told = self._describe(str(error), str(error.code), ended_at, outputs.plain(error.details))
        past = json.loads(self.visit.history or "[]")
        past.append(
            {
                "attempt": self.visit.number,
                "started_at": self.started_at.isoformat(),
                "ended_at": ended_at.isoformat(),
                "error": told,
            }
        )
        recorded = self._recorded(NodeStatus.READY, ended_at, error=dumps(told), due_at=due_at, history=dumps(past))
        return Ran(recorded=recorded, outcome=Retrying(error=told, due_at=due_at, **self._told(ended_at)))

    def _given_up(self, error: HandlerError) -> Ran:
        if error.output is not None and not self.attempt.is_called_off:
            # It was worth another attempt. There is none left, so it is an answer like any other (`handlers.errors`).
            answer = error.output
            return self.guarded(lambda: self.succeeded(answer))
        return self.failed(str(error), str(error.code), outputs.plain(error.details))

    def _describe(self, message: str, code: str, at: datetime, details: JSONObject | None) -> JSONObject:
        return describe(
            self.visit.node_id, message=message, code=code, attempt=self.visit.number, at=at, details=details
        )

    def _recorded(self, status: NodeStatus, ended_at: datetime, *, handled: bool = False, **more: Any) -> Recorded:
        return Recorded(
            id=self.visit.row_id,
            attempt=self.visit.number,
            status=status,
            handled=handled,
            started_at=self.started_at,
            ended_at=ended_at,
            input=self.shown,
            logs=dumps(self.attempt.logs) if self.attempt.logs else None,
            **{"history": self.visit.history, **more},
        )

    def _told(self, ended_at: datetime) -> dict[str, Any]:
        return {
            "node_id": self.visit.node_id,
            "scope": self.visit.scope,
            "attempt": self.visit.number,
            "started_at": self.started_at,
            "ended_at": ended_at,
            "announced": self.announced,
        }


def _read_back(changes: str) -> tuple[VariableWrite, ...]:
    """As their row will give them, so that a run has the same variables whether it is in our hands or in its rows."""
    return tuple(VariableWrite(name=name, how=how, value=value) for name, how, value in json.loads(changes))


def _sentence(invalid: ValidationError) -> str:
    """Every field that is wrong, in a line."""
    parts = []
    for error in invalid.errors(include_url=False):
        place = ".".join(str(part) for part in error["loc"]) or "config"
        parts.append(f"{place}: {error['msg'].removeprefix('Value error, ')}")
    return "; ".join(parts)


def _shown(config: Mapping[str, Any]) -> str:
    """The resolved configuration for people: a long one is cut, and says so."""
    try:
        text = dumps(config)
    except (TypeError, ValueError):
        return json.dumps({"unreadable": "the resolved configuration is not JSON"})
    if len(text) <= _SHOWN:
        return text
    return dumps({"preview": text[:_SHOWN], "characters": len(text), "cut": True})
