"""What people do to workflows: draw, change, publish, throw away. One verb, one transaction.

A workflow is a draft and a row of numbered, immutable versions. The draft may be wrong; a version never is. A new
workflow whose drawing has no error is published at once, so that what was created can be executed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from handlers import JSONObject
from workflows.core import InvalidDefinition, Issue, Plan, Severity, build_plan, parse_definition, validate
from workflows.credentials.mentions import find_missing
from workflows.errors import NotPublished, UnknownVersion
from workflows.fields import dumps
from workflows.models import User, Workflow, WorkflowVersion


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """A definition, judged."""

    issues: Sequence[Issue]
    plan: Plan | None  # None: it has errors

    @property
    def is_valid(self) -> bool:
        return self.plan is not None


def examine(definition: JSONObject, *, workspace_id: UUID) -> Examined:
    """Every issue of *definition* in its workspace, and its plan when none of them is an error."""
    issues = [*validate(definition), *find_missing(workspace_id, definition)]
    wrong = any(issue.severity is Severity.ERROR for issue in issues)
    return Examined(issues=issues, plan=None if wrong else build_plan(parse_definition(definition)))


def create_workflow(
    workspace_id: UUID,
    *,
    name: str,
    definition: JSONObject,
    description: str = "",
    tags: Sequence[str] = (),
    created_by: User | None = None,
) -> tuple[Workflow, Examined]:
    """A new workflow, published as version 1 when its definition has no error."""
    examined = examine(definition, workspace_id=workspace_id)
    with transaction.atomic():
        workflow = Workflow.objects.create(
            workspace_id=workspace_id,
            name=name,
            description=description,
            tags=list(tags),
            definition=definition,
            created_by=created_by,
        )
        if examined.plan is not None:
            _publish(workflow, examined.plan, number=1, by=created_by)
    return workflow, examined


def update_workflow(workflow_id: UUID, *, changes: Mapping[str, Any]) -> tuple[Workflow, Examined]:
    """The workflow with *changes*: any of name, description, tags and definition, which becomes the draft.

    What is published stays published. Raises Workflow.DoesNotExist.
    """
    with transaction.atomic():
        workflow = _locked(workflow_id)
        for field, value in changes.items():
            setattr(workflow, field, value)
        if changes:
            workflow.save(update_fields=[*changes, "updated_at"])
    return workflow, examine(workflow.definition, workspace_id=workflow.workspace_id)


def publish_version(workflow_id: UUID, *, published_by: User | None = None) -> tuple[WorkflowVersion, bool]:
    """The draft as the next version, which runs from now on, and whether that was news.

    It is none when the draft is what is published already. Raises InvalidDefinition, Workflow.DoesNotExist.
    """
    with transaction.atomic():
        workflow = _locked(workflow_id)
        if workflow.published is not None and not has_unpublished_changes(workflow):
            return workflow.published, False
        examined = examine(workflow.definition, workspace_id=workflow.workspace_id)
        if examined.plan is None:
            raise InvalidDefinition(examined.issues)
        newest = workflow.versions.aggregate(newest=Max("number"))["newest"] or 0
        return _publish(workflow, examined.plan, number=newest + 1, by=published_by), True


def version_to_run(workflow: Workflow, number: int | None = None) -> WorkflowVersion:
    """The version with this *number*; None: the published one. Raises UnknownVersion, NotPublished."""
    versions = WorkflowVersion.objects.filter(workflow=workflow).select_related("workflow")
    versions = versions.defer("definition", "plan", "workflow__definition")
    if number is not None:
        version = versions.filter(number=number).first()
        if version is None:
            raise UnknownVersion(number)
        return version
    if workflow.published_id is None:
        raise NotPublished(examine(workflow.definition, workspace_id=workflow.workspace_id).issues)
    return versions.get(pk=workflow.published_id)


def has_unpublished_changes(workflow: Workflow) -> bool:
    """Whether the draft differs from what runs. By its text: to Python, 1, 1.0 and true are equal."""
    return workflow.published is None or dumps(workflow.published.definition) != dumps(workflow.definition)


def delete_workflow(workflow_id: UUID) -> None:
    """Take a workflow out of sight. Its runs go on, and keep their version. Raises Workflow.DoesNotExist."""
    now = timezone.now()
    if not Workflow.objects.alive().filter(pk=workflow_id).update(deleted_at=now, updated_at=now):
        raise Workflow.DoesNotExist


def _locked(workflow_id: UUID) -> Workflow:
    """The row, locked: version numbers and the draft change one after the other."""
    workflow: Workflow = Workflow.objects.alive().select_for_update(of=("self",)).get(pk=workflow_id)
    return workflow


def _publish(workflow: Workflow, plan: Plan, *, number: int, by: User | None) -> WorkflowVersion:
    version = WorkflowVersion.objects.create(
        workflow=workflow, number=number, definition=workflow.definition, plan=plan.dump(), created_by=by
    )
    workflow.published = version
    workflow.save(update_fields=["published", "updated_at"])
    return version
