"""A window on workflows for operators. Drawing and publishing go through the API, whose services know the rules."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from workflows.credentials import admin as credentials
from workflows.excerpts import read, shown
from workflows.files import admin as files
from workflows.models import Workflow, WorkflowVersion
from workflows.read_only import ReadOnly
from workflows.variables import admin as variables
from workflows.workspaces import admin as workspaces

__all__ = ["VersionInline", "WorkflowAdmin", "credentials", "files", "variables", "workspaces"]


class VersionInline(ReadOnly, admin.TabularInline):  # type: ignore[type-arg]  # generic to the type checker only
    model = WorkflowVersion
    readonly_fields = ("number", "is_published", "created_by", "created_at")
    fields = readonly_fields
    ordering = ["-number"]
    show_change_link = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[WorkflowVersion]:
        versions = super().get_queryset(request).select_related("workflow", "created_by")
        return versions.defer("definition", "plan", "workflow__definition")

    @admin.display(boolean=True, description="runs")
    def is_published(self, version: WorkflowVersion) -> bool:
        return version.workflow.published_id == version.pk


@admin.register(Workflow)
class WorkflowAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]  # generic to the type checker only
    list_display = ["name", "workspace", "published_number", "tags", "updated_at", "is_deleted"]
    list_filter = ["workspace", "created_at", ("deleted_at", admin.EmptyFieldListFilter)]
    search_fields = ["name"]
    ordering = ["-created_at"]
    list_select_related = ["workspace", "published"]
    show_full_result_count = False
    readonly_fields = (
        *("id", "name", "description", "workspace", "tags", "published_number"),
        *("created_by", "created_at", "updated_at", "deleted_at", "draft"),
    )
    fields = readonly_fields
    inlines = [VersionInline]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Workflow]:
        return super().get_queryset(request).defer("definition", "published__definition", "published__plan")

    @admin.display(description="version", empty_value="not published")
    def published_number(self, workflow: Workflow) -> int | None:
        return workflow.published.number if workflow.published else None

    @admin.display(boolean=True, description="deleted")
    def is_deleted(self, workflow: Workflow) -> bool:
        return workflow.deleted_at is not None

    @admin.display(description="draft")
    def draft(self, workflow: Workflow) -> str:
        return shown(read(workflow, "definition"))
