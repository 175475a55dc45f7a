"""A window on what runs wait for. Answering goes through the API and the links, which know what fits."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from executions import cells
from executions.core.scopes import path
from executions.models import Vote, Waitpoint
from workflows.excerpts import excerpt, read, shown
from workflows.read_only import ReadOnly

_BULK: Final = ("prompt", "schema", "form", "matches", "state", "answer")


class _Cells:
    """What the list of waitpoints and the page of a run have in common."""

    @admin.display(description="node")
    def node(self, waitpoint: Waitpoint) -> str:
        return "—" if waitpoint.node_id is None else path(waitpoint.scope, waitpoint.node_id)

    @admin.display(description="status", ordering="status")
    def badge(self, waitpoint: Waitpoint) -> SafeString:
        return cells.badge(waitpoint.status)

    @admin.display(description="asked", ordering="created_at")
    def created(self, waitpoint: Waitpoint) -> str:
        return cells.moment(waitpoint.created_at)

    @admin.display(description="due")
    def due(self, waitpoint: Waitpoint) -> str:
        return cells.moment(waitpoint.due_at)

    @admin.display(description="closed")
    def closed(self, waitpoint: Waitpoint) -> str:
        return cells.moment(waitpoint.closed_at)


class WaitpointInline(_Cells, ReadOnly, admin.TabularInline):  # type: ignore[type-arg]  # generic to the type checker only
    """What a run waits for, and has waited for."""

    model = Waitpoint
    readonly_fields = ("node", "kind", "badge", "asked", "created", "due", "closed", "answered_by", "given")
    fields = readonly_fields
    ordering = ["-created_at", "-id"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Waitpoint]:
        waitpoints: QuerySet[Waitpoint] = super().get_queryset(request).defer(*_BULK)
        return waitpoints.annotate(asked_excerpt=excerpt("prompt"), given_excerpt=excerpt("answer"))

    @admin.display(description="question")
    def asked(self, waitpoint: Any) -> str:
        return shown(waitpoint.asked_excerpt)

    @admin.display(description="answer")
    def given(self, waitpoint: Any) -> str:
        return shown(waitpoint.given_excerpt)


class VoteInline(ReadOnly, admin.TabularInline):  # type: ignore[type-arg]  # generic to the type checker only
    model = Vote
    readonly_fields = ("voter", "value", "at")
    fields = readonly_fields
    ordering = ["at", "id"]


@admin.register(Waitpoint)
class WaitpointAdmin(_Cells, ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]  # generic to the type checker only
    list_display = ["node", "kind", "badge", "run", "created", "due", "closed", "answered_by", "id"]
    list_filter = ["status", "kind", "created_at"]
    search_fields = ["node_id"]  # and ids: see get_search_results
    search_help_text = "The id of a waitpoint or of its run, or a part of its node's"
    ordering = ["-created_at"]
    show_full_result_count = False
    readonly_fields = (
        *("id", "workspace", "run", "node", "kind", "badge", "created", "due", "closed", "answered_by"),
        *("votes_needed", "voters", "key", "asked", "wanted", "drawn", "matched", "given"),
    )
    fields = readonly_fields
    inlines = [VoteInline]

    class Media:
        css = {"all": ["executions/admin.css"]}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Waitpoint]:
        return super().get_queryset(request).defer(*_BULK)

    def get_inlines(self, request: HttpRequest, obj: Waitpoint | None) -> list[Any]:
        """Where one answer decides, there is no empty table of votes."""
        has_votes = obj is not None and obj.votes_needed is not None
        return [*super().get_inlines(request, obj)] if has_votes else []

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Waitpoint], search_term: str
    ) -> tuple[QuerySet[Waitpoint], bool]:
        try:
            key = UUID(search_term.strip())
        except ValueError:
            return super().get_search_results(request, queryset, search_term)
        return queryset.filter(pk=key) | queryset.filter(execution=key), False

    @admin.display(description="run")
    def run(self, waitpoint: Waitpoint) -> SafeString | str:
        return "—" if waitpoint.execution_id is None else cells.run_link(waitpoint.execution_id)

    @admin.display(description="question")
    def asked(self, waitpoint: Waitpoint) -> str:
        return shown(read(waitpoint, "prompt"))

    @admin.display(description="schema")
    def wanted(self, waitpoint: Waitpoint) -> str:
        return shown(read(waitpoint, "schema"))

    @admin.display(description="form")
    def drawn(self, waitpoint: Waitpoint) -> str:
        return shown(read(waitpoint, "form"))

    @admin.display(description="matches")
    def matched(self, waitpoint: Waitpoint) -> str:
        return shown(read(waitpoint, "matches"))

    @admin.display(description="answer")
    def given(self, waitpoint: Waitpoint) -> str:
        return shown(read(waitpoint, "answer"))
