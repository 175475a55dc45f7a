"""What simulated runs read: of themselves, of their workspace, of their plan."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from executions import runner
from executions.core import NodeStatus
from executions.core.context import container_context
from executions.core.scopes import path
from executions.plans import Prepared
from handlers import JSONObject, JSONValue
from handlers.registry import NodeType
from workflows.variables.services import Environment


@dataclass
class Visit:
    """A node run, as its row would have it."""

    node_id: str
    scope: str
    status: str = NodeStatus.RUNNING.value
    handled: bool = False
    attempts: int = 1
    output: str | None = None  # JSON text
    error: str | None = None
    history: str | None = None  # of the attempts before
    start: float | None = None  # milliseconds since the run began
    end: float | None = None
    items: list[JSONValue] | None = None  # of a container

    @property
    def is_over(self) -> bool:
        return NodeStatus(self.status).is_final

    def told(self, run: UUID) -> runner.Visit:
        """As whoever runs it is told of it."""
        return runner.Visit(
            row_id=uuid4(),
            execution_id=run,
            workspace_id=run,
            node_id=self.node_id,
            scope=self.scope,
            number=self.attempts,
            history=self.history,
            is_claimed=False,
        )


@dataclass(frozen=True)
class Sources:
    """`runner.Sources` over what has been folded."""

    run: Any  # simulated.Simulated

    @property
    def inputs(self) -> str:
        return self.run.inputs

    def outputs(self, visits: Collection[tuple[str, str]]) -> Mapping[tuple[str, str], str]:
        found = {key: self.run.visits.get(key) for key in visits}
        return {key: visit.output for key, visit in found.items() if visit and visit.output is not None}

    def variables(self) -> JSONObject:
        return json.loads(json.dumps(self.run.state.variables))

    def environment(self) -> Environment:
        return self.run.planned.environment

    def container(self, scope: str, node_id: str, index: int, needs: Collection[str]) -> JSONObject:
        """Only what is needed, so that a plan which forgets to ask for something is found out."""
        items = self.run.visits[scope, node_id].items if "item" in needs else None
        # What is tested after the last iteration has no item of its own.
        item = json.loads(json.dumps(items[index])) if items and index < len(items) else None
        total = self.run.state.frames[path(scope, node_id)].total if "total" in needs else None
        results = self.run.visits.results(scope, node_id, index) if "results" in needs else []
        return container_context(node_id, index, total=total, item=item, results=list(map(json.loads, results)))


def environment_of(drawn: Mapping[str, Any]) -> Environment:
    told = {name: value if isinstance(value, dict) else {"value": value} for name, value in drawn.items()}
    return Environment(
        values={name: value["value"] for name, value in told.items()},
        secrets=frozenset(value["value"] for value in told.values() if value.get("secret")),
    )


@dataclass(frozen=True, slots=True)
class PreparedWith(Prepared):
    """A plan whose node types come from a catalogue of one's own."""

    catalogue: Mapping[str, NodeType] = field(default_factory=dict)

    def node_type(self, node_id: str) -> NodeType:
        return self.catalogue[self.graph.node(node_id).type]
