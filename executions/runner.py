"""One attempt of one node: its configuration resolved, its handler called, what came of it made fit for its row.

The only place where an exception of a handler becomes an outcome.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Protocol
from uuid import UUID

from django.db import connection
from pydantic import ValidationError

from executions import outputs
from executions.attempts import Attempt, in_flight
from executions.core import Failed, NodeStatus, Outcome, Succeeded, judge
from executions.core.context import Values, lookup, nodes_read, reads
from executions.core.failure import INTERNAL_ERROR
from executions.hotpath import Recorded
from executions.plans import Prepared
from handlers import ConfigError, Effect, HandlerError, JSONObject, NodeInput, NodeOutput, VariableWrite
from workflows.core import EvaluationError, resolve_config
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
    is_claimed: bool = True  # its row says so; False: it runs within a turn and gets its row when it is over


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What an attempt came to: for its row, and for the scheduler."""

    recorded: Recorded
    outcome: Outcome


class Sources(Protocol):
    """Where the values come from that a node refers to."""

    @property
    def inputs(self) -> str:
        """The run's inputs, JSON text."""

    def outputs(self, scope: str, nodes: set[str]) -> Mapping[str, str]:
        """JSON texts of the outputs of those of *nodes* that ran and have one."""

    def variables(self) -> JSONObject:
        """The workflow variables."""


def run(prepared: Prepared, visit: Visit, sources: Sources, *, at: datetime, announced: bool) -> Ran:
    """Run one attempt that started *at*. Never raises for what a node does, only for *sources* that cannot be read.

    While an effect runs it holds no database connection: a hundred that wait must not take a hundred.
    """
    node = prepared.graph.node(visit.node_id)
    attempt = Attempt(visit.execution_id, visit.node_id, visit.scope, seconds=node.timeout_ms / 1000)
    report = _Report(prepared, visit, attempt, at, announced)
    if visit.is_claimed:
        in_flight.add(visit.row_id, visit.number, attempt)
    try:
        values = _values(prepared, visit, sources, at)  # what it raises is an outage, and no failure of the node
        return _run(prepared, visit, sources, values, report)
    finally:
        if visit.is_claimed:
            in_flight.remove(visit.row_id, visit.number)


def _run(prepared: Prepared, visit: Visit, sources: Sources, values: Values, report: _Report) -> Ran:
    node = prepared.graph.node(visit.node_id)
    try:
        resolved = resolve_config(prepared.config(visit.node_id), lookup(node, values))
        for name in resolved.unknown:
            report.attempt.log("warning", f"{{{{{name}}}}} names nothing that this node can see")
        if node.reads:  # otherwise it is as drawn
            report.shown = _shown(resolved.config)
        if node.effect is Effect.EFFECT:
            connection.close()
        return report.succeeded(_call(prepared, visit, sources, report, resolved.config))
    except HandlerError as error:
        return report.failed(str(error), str(error.code), outputs.plain(error.details))
    except EvaluationError as error:
        return report.failed(str(error), error.code)
    except Exception as error:
        logger.exception("node %s of run %s: a bug in its handler", visit.node_id, visit.execution_id)
        return report.failed(f"{type(error).__name__}: {error}", INTERNAL_ERROR)


def _values(prepared: Prepared, visit: Visit, sources: Sources, at: datetime) -> Values:
    """Only what the node refers to is read, and every attempt gets its own copy."""
    node, now_ms = prepared.graph.node(visit.node_id), int(at.timestamp() * 1000)
    if not node.reads:
        return Values(outputs={}, variables={}, inputs={}, env={}, now_ms=now_ms)
    names = nodes_read(node)
    texts = sources.outputs(visit.scope, names) if names else {}
    return Values(
        outputs={name: json.loads(text) for name, text in texts.items()},
        variables=sources.variables() if reads(node, Source.VARIABLE, Source.VAR) else {},
        inputs=json.loads(sources.inputs) if reads(node, Source.INPUTS, Source.INPUT, Source.ABSENT) else {},
        env={},
        now_ms=now_ms,
    )


def _call(prepared: Prepared, visit: Visit, sources: Sources, report: _Report, config: Mapping[str, Any]) -> NodeOutput:
    node_type = prepared.node_type(visit.node_id)
    try:
        checked = node_type.handler.Config.model_validate(config)
    except ValidationError as invalid:
        raise ConfigError(_sentence(invalid)) from invalid
    told = NodeInput(
        config=checked,
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
    except Exception as error:
        if report.attempt.is_called_off:  # whatever it looked like to the handler whose socket was closed
            report.attempt.check_cancelled()
        if isinstance(error, HandlerError) and error.output is not None:
            # It was worth another attempt. There is none left, so it is an answer like any other (`handlers.errors`).
            return error.output
        raise


@dataclass(slots=True)
class _Report:
    """Turns what an attempt came to into what is stored of it and what the scheduler is told."""

    prepared: Prepared
    visit: Visit
    attempt: Attempt
    started_at: datetime
    announced: bool
    shown: str | None = None

    def succeeded(self, output: NodeOutput) -> Ran:
        """Raises HandlerError for an output that cannot be stored."""
        data = outputs.encoded(output.data)
        port = None if output.signal is None else outputs.checked_port(output.signal.port)
        writes = [[write.name, write.how, write.value] for write in output.writes]
        changes = outputs.encoded(writes) if writes else None
        usage = None if output.usage is None else outputs.encoded(output.usage.to_json())
        ended_at = datetime.now(UTC)
        return Ran(
            recorded=self._recorded(
                NodeStatus.COMPLETED,
                ended_at,
                output=data,
                port=port,
                writes=changes,
                usage=usage,
            ),
            outcome=Succeeded(
                port=port,
                writes=_read_back(changes) if changes else (),
                usage=None if usage is None else json.loads(usage),
                **self._told(ended_at),
            ),
        )

    def failed(self, message: str, code: str, details: JSONObject | None = None) -> Ran:
        ended_at = datetime.now(UTC)
        verdict = judge(
            self.prepared.graph.node(self.visit.node_id),
            has_error_edge=self.prepared.graph.has_error_edge(self.visit.node_id),
            message=message,
            code=code,
            attempt=self.visit.number,
            at=ended_at,
            details=details,
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

    def _recorded(
        self, status: NodeStatus, ended_at: datetime, *, handled: bool = False, **texts: str | None
    ) -> Recorded:
        return Recorded(
            id=self.visit.row_id,
            attempt=self.visit.number,
            status=status,
            handled=handled,
            started_at=self.started_at,
            ended_at=ended_at,
            input=self.shown,
            logs=dumps(self.attempt.logs) if self.attempt.logs else None,
            **texts,
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
