"""A window on files for operators. Their contents are read and changed through the API."""

from __future__ import annotations

from django.contrib import admin

from workflows.files.models import WorkspaceFile
from workflows.read_only import ReadOnly


@admin.register(WorkspaceFile)
class WorkspaceFileAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]  # generic to the type checker only
    list_display = ["path", "workspace", "size", "content_type", "updated_at"]
    list_filter = ["workspace"]
    search_fields = ["path"]
    ordering = ["workspace__name", "path"]
    list_select_related = ["workspace"]
    readonly_fields = ("id", "path", "workspace", "size", "content_type", "sha256", "key", "created_at", "updated_at")
    fields = readonly_fields
