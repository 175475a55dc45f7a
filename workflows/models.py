from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q

from workflows.credentials.models import Consent, Credential
from workflows.fields import PlainJSONField
from workflows.files.models import WorkspaceFile
from workflows.http.models import StoredAnswer
from workflows.ids import uuid7
from workflows.querysets import WorkflowQuerySet
from workflows.variables.models import Variable
from workflows.workspaces.models import ApiKey, Member, User, Workspace

__all__ = [
    "ApiKey",
    "Consent",
    "Credential",
    "Member",
    "StoredAnswer",
    "User",
    "Variable",
    "Workflow",
    "WorkflowVersion",
    "Workspace",
    "WorkspaceFile",
]


class Workflow(models.Model):
    """A drawing under work: its draft, and which numbered version runs when nobody says otherwise."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="workflows", db_index=False)
    name = models.CharField(max_length=255)
    description = models.TextField(blank=True, default="")
    tags = ArrayField(models.CharField(max_length=64), default=list, blank=True)
    definition = PlainJSONField()  # the draft, as it came; it may be invalid
    published = models.ForeignKey("WorkflowVersion", on_delete=models.PROTECT, null=True, related_name="+")
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    deleted_at = models.DateTimeField(null=True, blank=True)  # soft: its runs keep their version

    objects = WorkflowQuerySet.as_manager()

    class Meta:
        indexes = [
            # the list of a workspace, newest first
            models.Index(fields=["workspace", "-created_at"], name="workflow_list", condition=Q(deleted_at=None)),
            GinIndex(fields=["tags"], name="workflow_tags"),  # ?tag=
        ]

    def __str__(self) -> str:
        return self.name


class WorkflowVersion(models.Model):
    """A numbered definition with its plan. Never changed: runs keep the one they started with for life."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    workflow = models.ForeignKey(Workflow, on_delete=models.CASCADE, related_name="versions", db_index=False)
    number = models.PositiveIntegerField()
    definition = PlainJSONField()
    plan = PlainJSONField()  # workflows.core.plan, with its own format version
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workflow", "number"], name="version_number_once")]

    def __str__(self) -> str:
        return f"{self.workflow_id} v{self.number}"
