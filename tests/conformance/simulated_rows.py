"""The node runs of a simulated run: the engine's rows, in a dictionary instead of a table."""

from __future__ import annotations

import json
from collections.abc import Iterator

from executions import containers
from executions.core import Graph, NodeStatus
from executions.core.scopes import TOP, inside
from handlers import JSONValue
from tests.conformance.observation import Row
from tests.conformance.sources import Visit


class Rows(dict[tuple[str, str], Visit]):
    """By scope and node."""

    def __init__(self, graph: Graph) -> None:
        super().__init__()
        self._graph = graph
        self._skipped: set[tuple[str, str]] = set()

    def born(self, scope: str, node_id: str, *, at: float) -> Visit:
        """The row of a visit, which may be there from an attempt before."""
        return self.setdefault((scope, node_id), Visit(node_id, scope, start=at))

    def skip(self, scope: str, node_id: str) -> None:
        self._skipped.add((scope, node_id))

    def results(self, scope: str, container: str, count: int) -> list[str]:
        """Of the iterations or branches of a container, as it puts them together: JSON texts."""
        body = [node.id for node in self._graph.bodies[container].nodes]
        scopes = [inside(scope, container, index) for index in range(count)]
        found = [visit for at in scopes for node in body if (visit := self.get((at, node)))]
        ended = [visit for visit in found if visit.output is not None or _is_unhandled(visit)]
        rows = [
            (visit.scope, visit.node_id, visit.output, visit.error if _is_unhandled(visit) else None)
            for visit in sorted(ended, key=lambda visit: visit.end or 0.0)
        ]
        return containers.assemble(body, scopes, rows)

    def top_outputs(self) -> dict[str, JSONValue]:
        return {
            node_id: json.loads(visit.output)
            for (scope, node_id), visit in self.items()
            if scope == TOP and visit.output is not None
        }

    def observed(self, call: str) -> Iterator[Row]:
        """Each as it is observed in a run whose paths begin with *call*."""
        for (scope, node_id), visit in self.items():
            yield Row(
                node_id=node_id,
                scope=scope,
                type=self._graph.node(node_id).type,
                status=visit.status,
                handled=visit.handled,
                attempts=visit.attempts,
                output=None if visit.output is None else json.loads(visit.output),
                error=None if visit.error is None else json.loads(visit.error),
                start=visit.start,
                end=visit.end,
                call=call,
            )
        for scope, node_id in self._skipped:
            node_type = self._graph.node(node_id).type
            yield Row(node_id=node_id, scope=scope, type=node_type, status=NodeStatus.SKIPPED.value, call=call)


def _is_unhandled(visit: Visit) -> bool:
    return visit.status == NodeStatus.FAILED.value and not visit.handled
