"""Whether outcomes that are not folded yet would change what runs. The rest may wait for the fold that must come."""

from __future__ import annotations

from collections.abc import Collection

from executions.core.graph import Graph
from executions.core.scheduler import TOP
from executions.core.state import GIVEN, PENDING, QUEUED, RunState


def worth_folding(graph: Graph, state: RunState, ended: Collection[str], *, any_failed: bool) -> bool:
    """Whether to drive for the nodes in *ended*: somebody may be ready, a place under the cap free, or the run over.

    Errs on the side of driving: it asks which nodes ended, not which of their edges are taken.
    """
    marks = state.scopes[TOP].marks
    if not ended or state.status.is_final:
        return False
    if any_failed or QUEUED in marks or len(ended) >= state.in_flight():
        return True
    places = {graph.position[node_id] for node_id in ended}
    touched = {arc.other for place in places for arc in graph.out[place]}
    return any(
        marks[place] == PENDING
        and all(arc.other in places or marks[arc.other] not in (PENDING, GIVEN) for arc in graph.into[place])
        for place in touched
    )
