"""Whether outcomes that are not folded yet would change what runs. The rest may wait for the fold that must come."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from executions.core.graph import Graph
from executions.core.scopes import TOP
from executions.core.state import COMPLETED, EDGES, GIVEN, OPEN, PENDING, QUEUED, Edge, RunState, ScopeState


def worth_folding(graph: Graph, state: RunState, ended: Iterable[tuple[str, str]], *, any_failed: bool) -> bool:
    """Whether to drive for the nodes that *ended* (scope, node): somebody may be ready, a place under the cap free, an
    iteration or the run over, a response there for who waits for it.

    Errs on the side of driving: it asks which nodes ended, not which of their edges are taken.
    """
    places: defaultdict[str, set[int]] = defaultdict(set)
    for at, node_id in ended:
        if at in state.scopes:
            if graph.node(node_id).responds and not state.has_responded:
                return not state.status.is_final
            places[at].add(graph.body(at).position[node_id])
    count = sum(map(len, places.values()))
    if not count or state.status.is_final:
        return False
    if any_failed or count >= state.in_flight() or any(QUEUED in scope.marks for scope in state.scopes.values()):
        return True
    return any(_moves(graph, at, state.scopes[at], here) for at, here in places.items())


def after_segments(graph: Graph, state: RunState, continued: Iterable[tuple[str, str, str]]) -> RunState:
    """The state as it will be when it is known who went on by himself: scope, the node that ended, the next."""
    scopes = dict(state.scopes)
    for at, node_id, follower in continued:
        if at in scopes:
            marks, position = bytearray(scopes[at].marks), graph.body(at).position
            marks[position[node_id]] = COMPLETED
            if marks[position[follower]] == PENDING:  # or has gone on as well
                marks[position[follower]] = GIVEN
            scopes[at] = replace(scopes[at], marks=bytes(marks))
    return replace(state, scopes=scopes)


def _moves(graph: Graph, at: str, scope: ScopeState, ended: set[int]) -> bool:
    """Whether a node of this scope may be ready, or the scope over, now that these have ended."""
    marks, body = scope.marks, graph.body(at)
    if at != TOP and OPEN not in marks and marks.count(GIVEN) <= len(ended):
        return True
    touched = {arc.other for place in ended for arc in body.out[place]}
    return any(
        marks[place] == PENDING
        and all(arc.other in ended or EDGES[marks[arc.other]][arc.type] is not Edge.UNKNOWN for arc in body.into[place])
        for place in touched
    )
