"""What a run waits for, as it is told: all that its followers have been told of, and what can be answered right now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from executions import pauses
from executions.core import RunState, RunStatus, load_state
from executions.core.scopes import path
from executions.core.statuses import WaitpointStatus
from executions.models import Execution, Waitpoint
from executions.plans import prepared
from handlers import JSONObject

MOST: Final = 100  # in the answer about a run; the list of waitpoints has them all


def state_of(execution: Execution) -> RunState | None:
    """Where the run stands; None before its first drive. One query, unless its state is loaded."""
    return None if execution.state.state is None else load_state(execution.state.state)


def told_of(execution_id: UUID) -> list[JSONObject]:
    """Each visit of the run that its events say waits, as they tell it: the oldest first.

    One whose answer is stored is among them until its run has taken notice.
    """
    waitpoints = Waitpoint.objects.filter(execution=execution_id, folded=False).order_by("created_at", "id")
    return [{"node_id": each.node_id, "scope": each.scope, **pauses.told(each)} for each in waitpoints]


def waited_for(execution: Execution, *, most: int = MOST) -> list[JSONObject]:
    """What is open in the run and in those that it started, by its path as seen from this one; the oldest first.

    Two queries at most, and one more for each level of runs that a run of it started.
    """
    if RunStatus(execution.status).is_final:
        return []
    prefixes = family(execution)
    waitpoints = Waitpoint.objects.filter(execution__in=prefixes, status=WaitpointStatus.OPEN)
    return [
        {
            "execution_id": str(each.execution_id),
            "node_id": each.node_id,
            "scope": each.scope,
            "path": prefixes[each.execution_id] + path(each.scope, str(each.node_id)),
            **pauses.told(each),
        }
        for each in waitpoints.order_by("created_at", "id")[:most]
        if each.execution_id is not None
    ]


def family(execution: Execution, *, is_live: bool = True) -> Mapping[UUID, str]:
    """The run and those within it, each with what stands before the paths of its nodes. *is_live*: not if it is over.

    One query for each level of runs that a run of it started.
    """
    prefixes, level = {execution.pk: ""}, [execution.pk]
    if not prepared(execution.version_id).graph.has_children:
        return prefixes
    while level:
        children = Execution.objects.filter(parent__in=level)
        if is_live:
            children = children.live()
        rows = children.values_list("pk", "parent_id", "parent_scope", "parent_node")
        found = {pk: f"{prefixes[parent]}{path(scope, node_id)}/" for pk, parent, scope, node_id in rows}
        prefixes |= found
        level = [*found]
    return prefixes
