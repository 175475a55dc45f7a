"""What an attempt came to: what is stored of it, and what the scheduler is told. Here exceptions become outcomes."""

from __future__ import annotations

import json
import logging
import random
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any, TypeVar
from uuid import UUID

from executions import outputs
from executions.attempts import Attempt
from executions.core import Failed, NodeStatus, Outcome, Retrying, Succeeded
from executions.core.failure import INTERNAL_ERROR, describe, judge_error
from executions.core.retry import next_delay, policy_of
from executions.hotpath import Recorded
from executions.plans import Prepared
from handlers import HandlerError, JSONObject, JSONValue, NodeOutput, SelectPort, Usage, VariableWrite
from workflows.core import EvaluationError, PlanNode
from workflows.core.masking import NOTHING_HIDDEN, Mask, mask_of
from workflows.fields import dumps

logger = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)  # not frozen: a burst makes hundreds, and freezing doubles what each costs
class Visit:
    """Which attempt of which node this is."""

    row_id: UUID
    execution_id: UUID
    workspace_id: UUID
    node_id: str
    scope: str = ""
    number: int = 1
    history: str | None = None  # JSON text of the attempts before
    is_claimed: bool = True  # its row says so; False: it runs within a turn and gets its row when it is over
    asked_at: float = field(default_factory=monotonic)  # monotonic seconds, before it was claimed


@dataclass(slots=True, kw_only=True)  # not frozen, as the outcomes
class Ran:
    """What an attempt came to: for its row, and for the scheduler."""

    recorded: Recorded
    outcome: Outcome


T = TypeVar("T")


@dataclass(slots=True)
class Report:
    """Turns what an attempt came to into what is stored of it and what the scheduler is told."""

    prepared: Prepared
    visit: Visit
    attempt: Attempt
    started_at: datetime
    announced: bool
    shown: str | None = None
    mask: Mask = NOTHING_HIDDEN
    _secrets: frozenset[str] = frozenset()

    def hide(self, secrets: frozenset[str]) -> None:
        """Hide these, besides those that are hidden, in all that is told of the attempt, from now on."""
        if not secrets <= self._secrets:
            self._secrets |= secrets
            self.mask = mask_of(self._secrets)
            self.attempt.hide(self.mask)

    def guarded(self, action: Callable[[], T]) -> T | Ran:
        """What *action* returns; what it raises becomes an outcome."""
        try:
            return action()
        except HandlerError as error:
            return self._postponed(error) or self._given_up(error)
        except EvaluationError as error:
            return self.failed(str(error), error.code)
        except Exception as error:
            told = "node %s of run %s: a bug in its handler"
            if self.mask:  # what the error says may show a secret
                trace = self.mask.text(traceback.format_exc())
                logger.error(told + "\n%s", self.visit.node_id, self.visit.execution_id, trace)  # noqa: G003, TRY400
            else:
                logger.exception(told, self.visit.node_id, self.visit.execution_id)
            return self.failed(f"{type(error).__name__}: {error}", INTERNAL_ERROR)

    def succeeded(self, output: NodeOutput) -> Ran:
        """Raises HandlerError for an output that cannot be stored."""
        port = output.signal.port if isinstance(output.signal, SelectPort) else None
        return self.ended(
            self._encoded(output.data),
            port=None if port is None else self._port(outputs.checked_port(port)),
            writes=self._changes(outputs.encoded_writes(output.writes)),
            usage=None if output.usage is None else outputs.encoded(self._usage(output.usage)),
        )

    def ended(
        self,
        output: str,
        *,
        port: str | None = None,
        writes: str | None = None,
        usage: str | None = None,
        expired: bool = False,
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
                expired=expired,
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
        past = json.loads(self.visit.history or "[]")
        # Those that failed. What a worker could not finish, because it died or was stopped, is no try.
        tries = len(past) + 1
        delay = next_delay(policy_of(self._node), tries, jitter=random.random(), retry_after=error.retry_after)  # noqa: S311
        if delay is None:
            return None
        ended_at = datetime.now(UTC)
        due_at = ended_at + timedelta(seconds=delay)
        told = self._describe(str(error), str(error.code), ended_at, outputs.plain(error.details))
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

    def _encoded(self, data: JSONValue) -> str:
        text = outputs.encoded(data)
        return self.mask.json(text) if self.mask else text

    def _port(self, port: str) -> str:
        """A port that is drawn is no secret, and its edges are to be taken. Any other may be made of data."""
        return port if port in self.prepared.graph.ports(self.visit.node_id) else self.mask.text(port)

    def _changes(self, changes: str | None) -> str | None:
        if changes is None or not self.mask:
            return changes
        drawn = self._node.writes
        return dumps(
            [
                [name if name == drawn else self.mask.text(name), how, json.loads(self.mask.json(dumps(value)))]
                for name, how, value in json.loads(changes)
            ]
        )

    def _usage(self, usage: Usage) -> JSONObject:
        """Its counts stay numbers, whatever the secrets are."""
        return {key: self.mask.text(told) if isinstance(told, str) else told for key, told in usage.to_json().items()}

    def _describe(self, message: str, code: str, at: datetime, details: JSONObject | None) -> JSONObject:
        return describe(
            self.visit.node_id,
            message=self.mask.text(message),
            code=self.mask.text(code),
            attempt=self.visit.number,
            at=at,
            details=json.loads(self.mask.json(dumps(details))) if details and self.mask else details,
        )

    def _recorded(self, status: NodeStatus, ended_at: datetime, *, handled: bool = False, **more: Any) -> Recorded:
        return Recorded(
            id=self.visit.row_id,
            attempt=self.visit.number,
            status=status,
            handled=handled,
            started_at=self.started_at,
            ended_at=ended_at,
            # Hidden again: what was shown and logged first did not yet know the secrets that came later.
            input=self.mask.json(self.shown) if self.shown else None,
            logs=self.mask.json(dumps(self.attempt.logs)) if self.attempt.logs else None,
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
