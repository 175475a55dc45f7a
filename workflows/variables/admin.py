"""A window on variables for operators. Setting them goes through the API, which knows how to hide a secret."""

from __future__ import annotations

from django.contrib import admin

from workflows.read_only import ReadOnly
from workflows.variables.models import Variable


@admin.register(Variable)
class VariableAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]  # generic to the type checker only
    list_display = ["name", "workspace", "secret", "updated_at"]
    list_filter = ["workspace", "secret"]
    search_fields = ["name"]
    ordering = ["workspace__name", "name"]
    list_select_related = ["workspace"]
    readonly_fields = ("id", "name", "workspace", "secret", "shown_value", "created_at", "updated_at")
    fields = readonly_fields

    @admin.display(description="value")
    def shown_value(self, variable: Variable) -> str:
        return "•••" if variable.secret else variable.value
