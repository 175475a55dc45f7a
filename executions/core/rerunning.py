"""What a new run keeps of one that is over. Pure.

    kept_by_rerun()   it begins again at a node: all that is not downstream of it is kept
    kept_by_retry()   it begins again where the run before failed, was cancelled or had not come to

One rule serves both. A node that completed, or whose failure was handled, is there to be kept. Whether it is, the walk
says that every run begins with (`scheduler.start`): it goes on behind what is kept, and stops at what has to run. What
it does not come to is downstream of something that runs now, and runs as well; so no output is ever kept that was made
of an older one. On the version that ran before, the walk comes to all that the run before came to; on another it may be
less, where nodes were drawn in between.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from executions.core.draft import Scope, coming_to
from executions.core.errors import BadStart, BadVersion
from executions.core.graph import Graph
from executions.core.kept import Kept
from executions.core.scheduler import start
from executions.core.scopes import TOP
from executions.core.state import COMPLETED, EXPIRED, HANDLED, OUT, PASSED, PENDING, SKIPPED, Edge, ScopeState, edge
from handlers import TIMEOUT_PORT
from workflows.core.plan import PlanNode

_RAN = (COMPLETED, EXPIRED, HANDLED)
_ENDED = (*_RAN, SKIPPED, PASSED, OUT)


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedRun:
    """A run that is over: what it ran, and how its top-level nodes ended; None: nobody has looked at it."""

    graph: Graph
    top: ScopeState | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NextRun:
    """The run that is to take over from it."""

    graph: Graph
    entry: str
    until: str | None


def kept_by_rerun(ended: EndedRun, ahead: NextRun, *, from_node: str, now: datetime) -> dict[str, Kept]:
    """What is kept by a run that begins again at *from_node*, by id. Raises BadStart, BadVersion."""
    _check_start(ended, from_node)
    _check_place(ahead, from_node)
    graph, top = ahead.graph, ahead.graph.top
    if top.position[from_node] not in graph.members(ahead.entry):
        raise BadStart(from_node, f"is not reached from {ahead.entry!r}")
    if top.position[from_node] not in graph.members(ahead.entry, ahead.until):
        raise BadStart(from_node, f"does not lead to {ahead.until!r}")
    downstream = top.reach([top.position[from_node]])  # also of a node that is disabled, which no walk would stop at
    marks, kept = _walked(ended, ahead, without={top.nodes[place].id for place in downstream}, now=now)
    if marks[top.position[from_node]] == SKIPPED:
        raise BadVersion(from_node, "is behind a dead path in that version")
    return kept


def kept_by_retry(ended: EndedRun, ahead: NextRun, *, now: datetime) -> dict[str, Kept]:
    """What is kept by a run that begins again where the one before broke off, by id. Raises BadVersion."""
    for node in _broken_off(ended):
        _check_place(ahead, node.id)
    return _walked(ended, ahead, without=(), now=now)[1]


def _walked(
    ended: EndedRun, ahead: NextRun, *, without: Collection[str], now: datetime
) -> tuple[bytes, dict[str, Kept]]:
    """The letters of the new run after its first walk, and the nodes that it has taken over in it."""
    graph = ahead.graph
    there = {node: kept for node, kept in _there_to_keep(ended, graph) if node not in without}
    begun = start(graph, entry=ahead.entry, until=ahead.until, now=now, kept=there)
    marks = begun.state.scopes[TOP].marks
    return marks, {node: kept for node, kept in there.items() if marks[graph.top.position[node]] in _RAN}


def _there_to_keep(ended: EndedRun, graph: Graph) -> Iterator[tuple[str, Kept]]:
    """Nodes of *graph* that the run before has the end of."""
    if ended.top is None:
        return
    for place, (old, mark) in enumerate(zip(ended.graph.top.nodes, ended.top.marks, strict=True)):
        new = graph.nodes.get(old.id)
        if mark not in _RAN or new is None or new.parent is not None or new.type != old.type:
            continue
        if mark == COMPLETED or _is_taken(graph, new.id, mark):
            yield new.id, Kept(mark=mark, port=ended.top.ports.get(place))


def _is_taken(graph: Graph, node_id: str, mark: int) -> bool:
    """Whether the edge is still there that takes a failure, or an expiry; where it is gone, the node had better run."""
    return graph.has_error_edge(node_id) if mark == HANDLED else TIMEOUT_PORT in graph.ports(node_id)


def _check_start(ended: EndedRun, node_id: str) -> None:
    """Raises BadStart for a node that did not have its turn."""
    node = ended.graph.nodes.get(node_id)
    if node is None:
        raise BadStart(node_id, "is not a node of the version that ran")
    if node.parent is not None:
        raise BadStart(node_id, f"is inside the body of {node.parent!r}; begin at {_container(ended.graph, node)!r}")
    scope, place = _top(ended), ended.graph.top.position[node_id]
    if scope.marks[place] == OUT:
        raise BadStart(node_id, "took no part in the run")
    if scope.marks[place] == SKIPPED:
        raise BadStart(node_id, "was skipped: it is behind a dead path")
    edges = {
        edge(scope.marks[arc.other], arc.type, drawn=arc.port, chosen=scope.ports.get(arc.other))
        for arc in scope.body.into[place]
    }
    if Edge.TAKEN not in edges and edges - {Edge.ABSENT}:
        raise BadStart(node_id, "was not reached: no edge to it was taken")


def _check_place(ahead: NextRun, node_id: str) -> None:
    node = ahead.graph.nodes.get(node_id)
    if node is None:
        raise BadVersion(node_id, "is not in that version")
    if node.parent is not None:
        raise BadVersion(node_id, f"is inside the body of {node.parent!r} in that version")


def _broken_off(ended: EndedRun) -> Iterator[PlanNode]:
    """The nodes whose turn it was and that have no end to be kept: they failed, or were under way, or next."""
    if ended.top is None:
        return
    scope = _top(ended)
    for place, node in enumerate(scope.body.nodes):
        if scope.marks[place] not in _ENDED and coming_to(scope, place) in (Edge.TAKEN, Edge.ABSENT):
            yield node


def _top(ended: EndedRun) -> Scope:
    body = ended.graph.top
    marks = bytes([PENDING]) * len(body.nodes) if ended.top is None else ended.top.marks
    ports: Mapping[int, str] = {} if ended.top is None else ended.top.ports
    return Scope(path=TOP, body=body, marks=bytearray(marks), ports=dict(ports), attempts={})


def _container(graph: Graph, node: PlanNode) -> str:
    """The top-level container that a node is in."""
    while node.parent is not None:
        node = graph.node(node.parent)
    return node.id
