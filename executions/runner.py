"""One attempt of one node: its configuration resolved, its handler called, what came of it made fit for its row.

The only place where an exception of a handler becomes an outcome.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from time import monotonic
from typing import Any, Final, Protocol, TypeVar

from django.conf import settings
from django.db import connection
from pydantic import ValidationError

from executions import blobs, hotpath, outage, outputs
from executions.attempts import Attempt, in_flight
from executions.core import Delegated, Tested
from executions.core.context import Reads, Values, containers_read, lookup, nodes_read, reads_any
from executions.core.opening import Opening, empty, opening
from executions.core.scopes import inside, where
from executions.faults import Fault, reach
from executions.lending import Loan
from executions.plans import Prepared
from executions.report import Ran, Report, Visit
from handlers import (
    TIMEOUT_PORT,
    ConfigError,
    Effect,
    HandlerError,
    JSONObject,
    NodeConfig,
    NodeInput,
    NodeOutput,
    Pause,
    Resumed,
    StartChild,
)
from handlers.values import is_truthy
from workflows.core import Expression, evaluate, resolve_config
from workflows.core.masking import Mask
from workflows.core.plan import Source
from workflows.encryption import UnreadableSecrets
from workflows.fields import dumps
from workflows.variables.services import Environment

_SHOWN: Final = 16_384  # characters of a resolved configuration that are kept for people
_CERTAIN: Final = 1 / 3  # of a lease, which is renewed that often: a claim that is younger is ours


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """The node starts a run of its own, and waits for its end."""

    child: StartChild
    outcome: Delegated


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The node waits for something outside."""

    pause: Pause  # without secrets


class Sources(Protocol):
    """Where the values come from that a node refers to."""

    @property
    def inputs(self) -> str:
        """The run's inputs, JSON text."""

    def outputs(self, visits: Collection[tuple[str, str]]) -> Mapping[tuple[str, str], str]:
        """JSON texts of the outputs of those *visits* (scope, node) that ran and have one."""

    def variables(self) -> JSONObject:
        """The workflow variables."""

    def environment(self) -> Environment:
        """The variables of the workspace: all that the plan mentions. Raises UnreadableSecrets."""

    def container(self, scope: str, node_id: str, index: int, needs: Collection[str]) -> JSONObject:
        """The context of iteration or branch *index* of an open container, with what *needs* names in it."""


def run(prepared: Prepared, visit: Visit, sources: Sources, *, at: datetime, announced: bool) -> Ran | Started | Asked:
    """Run one attempt that started *at*. Never raises for what a node does, only for what cannot be read or stored.

    While an effect runs it holds no database connection: a hundred that wait must not take a hundred.
    """
    node = prepared.graph.node(visit.node_id)
    attempt = Attempt(visit.execution_id, visit.node_id, visit.scope, seconds=node.timeout_ms / 1000)
    report = Report(prepared, visit, attempt, at, announced)
    if visit.is_claimed:
        in_flight.add(visit.row_id, visit.number, attempt)
    try:
        environment = _environment(sources, report)
        if isinstance(environment, Ran):
            return environment
        # What this raises is an outage, and no failure of the node.
        values = read(prepared, visit.scope, node.reads, sources, environment, at)
        return _placed(report.guarded(lambda: _run(prepared, visit, sources, values, report)), visit)
    finally:
        if visit.is_claimed:
            in_flight.remove(visit.row_id, visit.number)


def run_claimed(prepared: Prepared, visit: Visit, sources: Sources, *, at: datetime, announced: bool) -> Ran:
    """As `run`, for a node that has its row: one that starts a run of its own never waits for a worker."""
    ran = run(prepared, visit, sources, at=at, announced=announced)
    if not isinstance(ran, Ran):
        raise TypeError(f"{visit.node_id} starts a run of its own or pauses, and yet a worker held it")
    return ran


def open_container(prepared: Prepared, visit: Visit, sources: Sources, *, at: datetime) -> Opening | Ran:
    """What a container begins with, or how it failed to. Raises for *sources* that cannot be read."""
    node = prepared.graph.node(visit.node_id)
    if not prepared.graph.bodies[node.id].nodes:
        return empty(node.id, visit.scope, at=at)
    report = _report(prepared, visit, at)
    environment = _environment(sources, report)
    if isinstance(environment, Ran):
        return environment
    values = read(prepared, visit.scope, node.reads, sources, environment, at)

    def begin() -> Opening:
        config = _checked(prepared, visit.node_id, _resolved(prepared, visit, values, report))
        begun = opening(node.id, visit.scope, config, at=at)
        return replace(begun, items=json.loads(report.mask.json(outputs.encoded(begun.items))))

    return report.guarded(begin)


def test_condition(
    prepared: Prepared, visit: Visit, sources: Sources, *, index: int, started_at: datetime, at: datetime
) -> Tested | Ran:
    """Whether a loop goes on, as its condition sees iteration *index*. Raises for *sources* that cannot be read."""
    node = prepared.graph.node(visit.node_id)
    report = _report(prepared, visit, started_at)
    environment = _environment(sources, report)
    if isinstance(environment, Ran):
        return environment
    values = read(prepared, inside(visit.scope, node.id, index), node.deferred_reads, sources, environment, at)

    def test() -> Tested:
        condition = prepared.condition(node.id)
        if isinstance(condition, Expression):
            answer = evaluate(condition, lookup(node.deferred_reads, values), condition=True)
        else:
            answer = condition
        return Tested(node_id=node.id, scope=visit.scope, index=index, is_met=is_truthy(answer))

    return report.guarded(test)


def completed(prepared: Prepared, visit: Visit, output: str | HandlerError, *, at: datetime) -> Ran:
    """A visit that started *at* ends with *output*, JSON text, or fails: of a container, or of a node with a child."""
    report = _report(prepared, visit, at)
    if isinstance(output, HandlerError):
        return report.failed(str(output), str(output.code), outputs.plain(output.details))
    return _placed(report.ended(output), visit)


def expired(prepared: Prepared, visit: Visit, *, at: datetime) -> Ran:
    """A pause that began *at* and that nobody answered in time, where an edge says what then."""
    report = _report(prepared, visit, at)
    return report.ended(dumps({"expired": True}), port=TIMEOUT_PORT, expired=True)


def resume(prepared: Prepared, visit: Visit, resumed: Resumed) -> Ran:
    """What a node comes to when it has what it waited for."""
    report = _report(prepared, visit, resumed.paused_at)
    handler = prepared.node_type(visit.node_id).handler
    return _placed(report.guarded(lambda: report.succeeded(handler.resume(resumed))), visit)


RanT = TypeVar("RanT", Ran, Ran | Started | Asked)


def _placed(ran: RanT, visit: Visit) -> RanT:
    """Its output brought to blob storage, if it is too large for its row. Waits for the storage, as for the database.

    Still in flight meanwhile: what the node has done is not done again because its output has no place yet.
    """
    text = ran.recorded.output if isinstance(ran, Ran) else None
    if not isinstance(ran, Ran) or text is None or outputs.is_inline(text):
        return ran
    blob = outage.retried(lambda: blobs.put(text, workspace_id=visit.workspace_id, execution_id=visit.execution_id))
    return replace(ran, recorded=replace(ran.recorded, output_ref=dumps(blob.dump())))


def read(
    prepared: Prepared, scope: str, reads: Reads, sources: Sources, environment: Environment, at: datetime
) -> Values:
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
        env=environment.values,
        now_ms=now_ms,
    )


def _environment(sources: Sources, report: Report) -> Environment | Ran:
    """What `env` has, its secrets hidden in all that *report* tells from now on."""
    try:
        environment = sources.environment()
    except UnreadableSecrets as error:
        return report.failed(str(error), error.code)
    report.hide(environment.secrets)
    return environment


def _report(prepared: Prepared, visit: Visit, at: datetime) -> Report:
    """Of a visit that the engine makes itself: it has been announced, and no time limit is upon it."""
    attempt = Attempt(visit.execution_id, visit.node_id, visit.scope, seconds=math.inf)
    return Report(prepared, visit, attempt, at, announced=True)


def _run(prepared: Prepared, visit: Visit, sources: Sources, values: Values, report: Report) -> Ran | Started | Asked:
    config = _resolved(prepared, visit, values, report)
    if visit.is_claimed:
        _check_is_ours(visit, report)
    if prepared.graph.node(visit.node_id).effect is Effect.EFFECT:
        connection.close()
    output = _call(prepared, visit, sources, report, config)
    if isinstance(output.signal, StartChild):
        started = Delegated(node_id=visit.node_id, scope=visit.scope, started_at=report.started_at)
        inputs = json.loads(report.mask.json(outputs.encoded(output.signal.inputs)))
        return Started(child=replace(output.signal, inputs=inputs), outcome=started)
    if isinstance(output.signal, Pause):
        return Asked(pause=_without_secrets(output.signal, report))
    return report.succeeded(output)


def _without_secrets(pause: Pause, report: Report) -> Pause:
    """Raises HandlerError where a secret would have to be kept to be compared with."""
    if not report.mask:
        return pause
    hide = report.mask.json
    hidden = {name: json.loads(hide(dumps(getattr(pause, name)))) for name in ("prompt", "schema", "form", "state")}
    if json.loads(hide(dumps(pause.matches))) != pause.matches:
        raise HandlerError(
            "a secret cannot be what an event is matched with: it would have to be stored", code="invalid"
        )
    return replace(pause, **hidden)


def _check_is_ours(visit: Visit, report: Report) -> None:
    """Raises Cancelled for an attempt that has been given to others while this process stood still.

    It would find its outcome refused, but others would have run the node already, or completed it.
    """
    is_old = monotonic() - visit.asked_at > settings.FLOWMAESTRO_LEASE.total_seconds() * _CERTAIN
    if is_old and not outage.retried(lambda: hotpath.is_ours(visit.row_id, attempt=visit.number)):
        report.attempt.call_off()
    report.attempt.check_cancelled()


def _resolved(prepared: Prepared, visit: Visit, values: Values, report: Report) -> Mapping[str, Any]:
    node = prepared.graph.node(visit.node_id)
    resolved = resolve_config(prepared.config(visit.node_id), lookup(node.reads, values))
    for name in resolved.unknown:
        report.attempt.log("warning", f"{{{{{name}}}}} names nothing that this node can see")
    if node.reads:  # otherwise it is as drawn
        report.shown = _shown(resolved.config, report.mask)
    return resolved.config


def _checked(prepared: Prepared, node_id: str, config: Mapping[str, Any]) -> NodeConfig:
    try:
        return prepared.node_type(node_id).handler.Config.model_validate(config)
    except ValidationError as invalid:
        raise ConfigError(_sentence(invalid)) from invalid


def _call(prepared: Prepared, visit: Visit, sources: Sources, report: Report, config: Mapping[str, Any]) -> NodeOutput:
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
        output = node_type.handler.run(told, Loan(report, visit.execution_id, visit.workspace_id))
        if visit.is_claimed:
            reach(Fault.AFTER_EFFECT)
    except Exception:
        if report.attempt.is_called_off:  # whatever it looked like to the handler whose socket was closed
            report.attempt.check_cancelled()
        raise
    report.attempt.end_stream()  # not when it failed: what is held back may then be half a secret
    return output


def _sentence(invalid: ValidationError) -> str:
    """Every field that is wrong, in a line."""
    parts = []
    for error in invalid.errors(include_url=False):
        place = ".".join(str(part) for part in error["loc"]) or "config"
        parts.append(f"{place}: {error['msg'].removeprefix('Value error, ')}")
    return "; ".join(parts)


def _shown(config: Mapping[str, Any], mask: Mask) -> str:
    """The resolved configuration for people: a long one is cut, and says so. Masked first: a cut may split a secret."""
    try:
        text = mask.json(dumps(config))
    except (TypeError, ValueError):
        return json.dumps({"unreadable": "the resolved configuration is not JSON"})
    if len(text) <= _SHOWN:
        return text
    return dumps({"preview": text[:_SHOWN], "characters": len(text), "cut": True})
