"""A run is stored: for whoever asked for it, or for the node of another run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from executions import dispatch, hotpath, store
from executions.core import EventType, Graph, RunEvent
from executions.models import Execution
from executions.plans import prepared
from handlers import JSONObject, JSONValue
from workflows.ids import uuid7
from workflows.models import User, WorkflowVersion


class BadEntry(ValueError):
    """The run was to start at a node that is not a root of its workflow."""

    def __init__(self, entry: str, roots: Sequence[str]) -> None:
        super().__init__(f"{entry!r} is not a node a run can start from; this workflow has: {', '.join(roots)}")
        self.entry, self.roots = entry, tuple(roots)


class BadUntil(ValueError):
    """The run was to stop after a node that it does not reach, or that is inside a body."""

    def __init__(self, until: str, why: str, nodes: Sequence[str]) -> None:
        super().__init__(f"{until!r} {why}; this run can stop after: {', '.join(nodes)}")
        self.until, self.nodes = until, tuple(nodes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parent:
    """The node of another run that waits for this one's end."""

    id: UUID
    node_id: str
    scope: str
    depth: int  # parents above it


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """The run that this one takes over from."""

    id: UUID
    from_node: str | None
    replayed: list[JSONValue] | None  # writes of what is kept: `Execution.replayed`; None: nothing is kept


def check_ends(graph: Graph, entry: str, until: str | None) -> None:
    """Raises BadEntry and BadUntil for a run that could not begin, or stop, where it is to."""
    roots = [graph.top.nodes[place].id for place in graph.top.roots]
    if entry not in (*roots, graph.plan.entry):
        raise BadEntry(entry, roots)
    members = graph.members(entry)
    if until is not None and graph.top.position.get(until) not in members:
        around = graph.node(until).parent if until in graph.nodes else None
        why = f"is inside the body of {around!r}" if around else f"is not reached from {entry!r}"
        raise BadUntil(until, why, [graph.top.nodes[place].id for place in sorted(members)])


def create(
    version: WorkflowVersion,
    *,
    inputs: JSONObject,
    trigger: str,
    tags: Sequence[str] = (),
    entry: str | None = None,
    until: str | None = None,
    started_by: User | None = None,
    parent: Parent | None = None,
    before: Before | None = None,
) -> Execution:
    """Store a run of *version* and ask a worker to drive it. It is stored when this returns, whatever dies next.

    *entry* is the root it starts from (the trigger that fired); None: the workflow's own. *until* is the node it goes
    no further than. Raises BadEntry and BadUntil.
    """
    graph = prepared(version.pk).graph
    entry = graph.plan.entry if entry is None else entry
    check_ends(graph, entry, until)
    now = timezone.now()
    workflow = version.workflow
    execution = Execution(
        id=uuid7(),
        workspace_id=workflow.workspace_id,
        workflow=workflow,
        version=version,
        trigger=trigger,
        tags=list(tags),
        inputs=inputs,
        entry=entry,
        until_node=until,
        started_by=started_by,
        parent_id=None if parent is None else parent.id,
        parent_node=None if parent is None else parent.node_id,
        parent_scope=None if parent is None else parent.scope,
        depth=parent.depth + 1 if parent else 0,
        rerun_of_id=None if before is None else before.id,
        rerun_from=None if before is None else before.from_node,
        replayed=None if before is None else before.replayed,
        created_at=now,
    )
    told = RunEvent(
        type=EventType.EXECUTION_STARTED,
        at=now,
        data={
            "workflow_id": str(workflow.pk),
            "workflow_name": workflow.name,
            "total_nodes": len(graph.taking_part(entry, until)),
            "rerun_of": None if before is None else str(before.id),
        },
    )
    hotpath.create(execution, told)
    execution._state.adding = False  # noqa: SLF001 -- it is stored, if not by save()
    # Robust: what a listener does with the news must not keep the message from being sent.
    transaction.on_commit(lambda: store.announce(execution.pk, execution.workspace_id, 0, told), robust=True)
    transaction.on_commit(lambda: dispatch.drive(execution.pk), robust=True)
    return execution
