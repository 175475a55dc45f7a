"""Runs that start runs: a child is an execution of its own, and its end is read by its parent. Nobody locks both."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db.models import Exists, OuterRef, QuerySet, Subquery

from executions import run_outputs, runner
from executions.changes import Changes
from executions.core import ChildMoved, Outcome, OutputsTooLarge, RunState, RunStatus
from executions.core.failure import CANCELLED_CODE
from executions.core.state import CHILD, RESTING
from executions.models import Execution, NodeRun
from executions.plans import Prepared
from executions.report import Visit
from executions.starting import Parent, create
from executions.store import Run
from handlers import HandlerError, JSONObject, StartChild
from workflows.errors import NotPublished, UnknownVersion
from workflows.fields import dumps
from workflows.models import Workflow, WorkflowVersion
from workflows.services import version_to_run

MOST_LEVELS: Final = 25  # of runs within each other: a workflow that calls itself ends here
_READ: Final = ("id", "parent_node", "parent_scope", "status", "outputs", "outputs_ref", "error")
_FINAL: Final = [status.value for status in RunStatus if status.is_final]


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """A run to be started once the step is written, for the node that waits for its end."""

    node_id: str
    scope: str
    version: WorkflowVersion
    inputs: JSONObject


def plan_child(run: Run, node_id: str, scope: str, start: StartChild) -> Child:
    """Raises HandlerError when there is no such workflow here, or it is started too deep within others."""
    if run.depth >= MOST_LEVELS:
        raise HandlerError(f"more than {MOST_LEVELS} workflows started within each other", code="too_deep")
    return Child(node_id=node_id, scope=scope, version=_version(run.workspace_id, start), inputs=start.inputs)


def start_children(run: Run, children: list[Child]) -> None:
    """Store them, in the transaction that stores the step which asked for them."""
    for child in children:
        parent = Parent(id=run.id, node_id=child.node_id, scope=child.scope, depth=run.depth)
        create(child.version, inputs=child.inputs, trigger="workflow", parent=parent)


def read_ends(run: Run, changes: Changes) -> list[Outcome]:
    """The outcomes of nodes whose child has ended, and the ends of their rows in *changes*."""
    if run.state is None or not run.state.has_children():
        return []
    outcomes: list[Outcome] = []
    began = NodeRun.objects.filter(  # before the child did, as node:started has it
        execution=run.id, node_id=OuterRef("parent_node"), scope=OuterRef("parent_scope")
    ).values("started_at")[:1]
    children = _ended_children(run.id).only(*_READ).annotate(visited_at=Subquery(began))
    for child in children.order_by("ended_at", "id"):
        node_id, scope = str(child.parent_node), str(child.parent_scope)
        if not _waits(run.state, run.prepared, node_id, scope):
            continue
        visit = Visit(
            row_id=child.pk,
            execution_id=run.id,
            workspace_id=run.workspace_id,
            node_id=node_id,
            scope=scope,
            is_claimed=False,
        )
        ran = runner.completed(run.prepared, visit, _result(child), at=child.visited_at)
        run.keep(scope, node_id, ran.recorded.output)
        changes.close(node_id, scope, ran.recorded)
        outcomes.append(ran.outcome)
    return outcomes


def read_moves(run: Run) -> list[Outcome]:
    """Which children have paused, and which of those that had go on again."""
    if run.state is None or not run.state.has_children():
        return []
    return [*_moves(run.id, run.state, run.prepared)]


def has_news(execution_id: UUID, state: RunState, prepared: Prepared) -> bool:
    """Whether a child has ended whose end is not folded, has paused, or goes on."""
    visits = _ended_children(execution_id).values_list("parent_node", "parent_scope")
    if any(_waits(state, prepared, str(node_id), str(scope)) for node_id, scope in visits):
        return True
    return any(True for _ in _moves(execution_id, state, prepared))


def _moves(execution_id: UUID, state: RunState, prepared: Prepared) -> Iterator[ChildMoved]:
    children = Execution.objects.filter(parent=execution_id).exclude(status__in=_FINAL)
    if not state.has_resting():
        children = children.filter(status=RunStatus.PAUSED)
    for node_id, scope, status in children.values_list("parent_node", "parent_scope", "status"):
        mark = _mark(state, prepared, str(node_id), str(scope))
        is_paused = status == RunStatus.PAUSED
        if mark == (CHILD if is_paused else RESTING):
            yield ChildMoved(node_id=str(node_id), scope=str(scope), is_paused=is_paused)


def _ended_children(execution_id: UUID) -> QuerySet[Execution]:
    """Those whose node still waits: of thousands, most are folded, and their outputs need not be read again."""
    waits = NodeRun.objects.filter(
        execution=OuterRef("parent"), node_id=OuterRef("parent_node"), scope=OuterRef("parent_scope"), folded=False
    )
    return Execution.objects.filter(Exists(waits), parent=execution_id, status__in=_FINAL)


def _waits(state: RunState, prepared: Prepared, node_id: str, scope: str) -> bool:
    return _mark(state, prepared, node_id, scope) in (CHILD, RESTING)


def _mark(state: RunState, prepared: Prepared, node_id: str, scope: str) -> int | None:
    if scope not in state.scopes:
        return None
    return state.scopes[scope].marks[prepared.graph.body(scope).position[node_id]]


def _result(child: Execution) -> str | HandlerError:
    try:
        outputs = run_outputs.read(child)
    except OutputsTooLarge as error:
        return HandlerError(str(error), code="output_too_large", details={"execution_id": str(child.pk)})
    return result_of(child.pk, RunStatus(child.status), dumps(outputs or {}), child.error)


def result_of(child: UUID, status: RunStatus, outputs: str, error: JSONObject | None) -> str | HandlerError:
    """What the node that waited for *child* comes to: its *outputs*, JSON text, or its failure."""
    if status is RunStatus.COMPLETED:
        return outputs
    failure: JSONObject = error or {"message": "the sub-workflow was cancelled", "code": CANCELLED_CODE}
    told: JSONObject = {"execution_id": str(child), "error": failure}
    return HandlerError(str(failure["message"]), code=str(failure["code"]), details={"child": told})


def _version(workspace_id: UUID, start: StartChild) -> WorkflowVersion:
    try:
        workflow = Workflow.objects.get(pk=start.workflow, workspace=workspace_id, deleted_at=None)
        return version_to_run(workflow, start.version)
    except (ValidationError, ValueError, Workflow.DoesNotExist) as error:
        raise HandlerError(f"there is no workflow {start.workflow!r} in this workspace", code="not_found") from error
    except (NotPublished, UnknownVersion) as error:
        raise HandlerError(f"workflow {start.workflow}: {error}", code="not_found") from error
