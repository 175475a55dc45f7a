"""A window on runs for operators: what ran, how it went, and a way to end it."""

from __future__ import annotations

from typing import Any, ClassVar, Final
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import IntegerField, QuerySet
from django.db.models.fields.json import KT
from django.db.models.functions import Cast
from django.forms import BaseInlineFormSet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from executions import cells, run_outputs, services
from executions.core import NodeStatus, NotCancellable, RunStatus
from executions.core.scopes import path
from executions.models import Execution, NodeRun, Waitpoint
from executions.waited_for import state_of
from executions.waitpoints.admin import WaitpointInline
from workflows.excerpts import excerpt, read, shown
from workflows.models import Workflow
from workflows.read_only import ReadOnly

MOST_NODES: Final = 200  # on one page; the API has them all, page by page
MOST_WORKFLOWS: Final = 200  # to choose from in the filter; the search finds those of any name
_BULK: Final = ("input", "output", "output_ref", "error", "logs", "usage", "writes", "history")
MOST_CHILDREN: Final = 200  # likewise
MOST_WAITPOINTS: Final = 200  # likewise
_JSON: Final = ("inputs", "outputs", "outputs_ref", "error", "response", "replayed")
_OF_OTHERS: Final = ("workflow__definition", "version__definition", "version__plan")


class NewestFormSet(BaseInlineFormSet):  # type: ignore[type-arg]  # generic to the type checker only
    """The newest *most* rows."""

    most: ClassVar[int]

    def get_queryset(self) -> QuerySet[Any]:
        if not hasattr(self, "_newest"):
            self._newest = super().get_queryset()[: self.most]
        return self._newest


class NewestNodes(NewestFormSet):
    most = MOST_NODES


class NewestChildren(NewestFormSet):
    most = MOST_CHILDREN


class NewestWaitpoints(NewestFormSet):
    most = MOST_WAITPOINTS


class NodeRunInline(ReadOnly, admin.TabularInline):  # type: ignore[type-arg]  # generic to the type checker only
    model = NodeRun
    formset = NewestNodes
    readonly_fields = (
        *("node_id", "scope", "node_type", "badge", "attempt", "due", "duration"),
        *("given", "gave", "failure", "before"),
    )
    fields = readonly_fields
    ordering = ["-ready_at", "-id"]
    verbose_name_plural = f"node runs (the newest {MOST_NODES})"

    def get_queryset(self, request: HttpRequest) -> QuerySet[NodeRun]:
        annotated: QuerySet[NodeRun] = (
            super()
            .get_queryset(request)
            .defer(*_BULK)
            .annotate(input_excerpt=excerpt("input"), output_excerpt=excerpt("output"))
            .annotate(error_excerpt=excerpt("error"), history_excerpt=excerpt("history"))
            .annotate(omitted=Cast(KT("output_ref__characters"), IntegerField()))
        )
        return annotated

    @admin.display(description="status")
    def badge(self, node: NodeRun) -> SafeString:
        return cells.badge(node.status)

    @admin.display(description="due")
    def due(self, node: NodeRun) -> str:
        return cells.moment(node.due_at if node.status == NodeStatus.READY else None)

    @admin.display(description="duration")
    def duration(self, node: NodeRun) -> str:
        return cells.duration(node.started_at, node.ended_at)

    @admin.display(description="input")
    def given(self, node: Any) -> str:
        return shown(node.input_excerpt)

    @admin.display(description="output")
    def gave(self, node: Any) -> str:
        return shown(node.output_excerpt) if node.omitted is None else _omitted(node.omitted)

    @admin.display(description="error")
    def failure(self, node: Any) -> str:
        return shown(node.error_excerpt)

    @admin.display(description="attempts before")
    def before(self, node: Any) -> str:
        return shown(node.history_excerpt)


class ChildInline(ReadOnly, admin.TabularInline):  # type: ignore[type-arg]  # generic to the type checker only
    """What the run's sub-workflow nodes started."""

    model = Execution
    fk_name = "parent"
    formset = NewestChildren
    readonly_fields = ("run", "workflow", "badge", "parent_node", "parent_scope", "created", "duration")
    fields = readonly_fields
    ordering = ["-created_at", "-id"]
    verbose_name_plural = f"runs it started (the newest {MOST_CHILDREN})"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Execution]:
        children = super().get_queryset(request).select_related("workflow")
        return children.defer(*_JSON, "workflow__definition")

    @admin.display(description="id")
    def run(self, execution: Execution) -> SafeString:
        return cells.run_link(execution.pk)

    @admin.display(description="status")
    def badge(self, execution: Execution) -> SafeString:
        return cells.badge(execution.status)

    @admin.display(description="created")
    def created(self, execution: Execution) -> str:
        return cells.moment(execution.created_at)

    @admin.display(description="duration")
    def duration(self, execution: Execution) -> str:
        return cells.duration(execution.started_at, execution.ended_at)


class NewestWaitpointInline(WaitpointInline):
    formset = NewestWaitpoints
    verbose_name_plural = f"waitpoints (the newest {MOST_WAITPOINTS})"


class OfWorkflow(admin.SimpleListFilter):
    """By name and without the drawings, which Django's own filter would read for each."""

    title = "workflow"
    parameter_name = "workflow"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        del request, model_admin
        named = Workflow.objects.order_by("name", "pk").values_list("pk", "name")[:MOST_WORKFLOWS]
        return [(str(pk), name) for pk, name in named]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Execution]) -> QuerySet[Execution]:
        del request
        chosen = self.value()
        if chosen is None:
            return queryset
        try:
            return queryset.filter(workflow=UUID(chosen))
        except ValueError as error:
            raise IncorrectLookupParameters from error


@admin.register(Execution)
class ExecutionAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]  # generic to the type checker only
    list_display = ["workflow", "number", "badge", "created", "duration", "live", "trigger", "id"]
    list_filter = ["status", "created_at", OfWorkflow]
    search_fields = ["workflow__name"]  # and the id: see get_search_results
    search_help_text = "The id of a run, or part of its workflow's name"
    ordering = ["-created_at"]
    list_select_related = ["workflow", "version"]
    show_full_result_count = False
    actions = ["cancel"]
    readonly_fields = (
        *(
            "id",
            "workspace",
            "workflow",
            "number",
            "badge",
            "pause",
            "live",
            "trigger",
            "origin",
            "before",
            "entry",
            "until_node",
            "tags",
        ),
        *("started_by", "created", "started", "deadline", "ended", "duration", "given", "gave", "answered", "failure"),
    )
    fields = readonly_fields
    inlines = [ChildInline, NewestWaitpointInline, NodeRunInline]

    class Media:
        css = {"all": ["executions/admin.css"]}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Execution]:
        return super().get_queryset(request).defer(*_JSON, *_OF_OTHERS)

    def get_inlines(self, request: HttpRequest, obj: Execution | None) -> list[Any]:
        """Most runs start no others and wait for nothing, and show no empty table of it."""
        empty: set[Any] = set()
        if obj is None or not Execution.objects.filter(parent=obj).exists():
            empty.add(ChildInline)
        if obj is None or not Waitpoint.objects.filter(execution=obj).exists():
            empty.add(NewestWaitpointInline)
        return [inline for inline in super().get_inlines(request, obj) if inline not in empty]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Execution], search_term: str
    ) -> tuple[QuerySet[Execution], bool]:
        try:
            return queryset.filter(pk=UUID(search_term.strip())), False
        except ValueError:
            return super().get_search_results(request, queryset, search_term)

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("executions.change_execution")

    @admin.display(description="version")
    def number(self, execution: Execution) -> int:
        return execution.version.number

    @admin.display(description="status", ordering="status")
    def badge(self, execution: Execution) -> SafeString:
        return cells.badge(execution.status)

    @admin.display(description="paused")
    def pause(self, execution: Execution) -> str:
        """Why, and since when."""
        state = state_of(execution) if execution.status == RunStatus.PAUSED else None
        return "—" if state is None else f"{state.pause_reason}, since {cells.moment(state.paused_at)}"

    @admin.display(description="parent")
    def origin(self, execution: Execution) -> SafeString | str:
        """The node of another run that waits for this one."""
        if execution.parent_id is None:
            return "—"
        at = path(str(execution.parent_scope), str(execution.parent_node))
        return format_html("{} of {}", at, cells.run_link(execution.parent_id))

    @admin.display(description="rerun of")
    def before(self, execution: Execution) -> SafeString | str:
        """The run that this one took over from."""
        if execution.rerun_of_id is None:
            return "—"
        if execution.rerun_from is None:
            return cells.run_link(execution.rerun_of_id)
        return format_html("{} from {}", cells.run_link(execution.rerun_of_id), execution.rerun_from)

    @admin.display(description="created", ordering="created_at")
    def created(self, execution: Execution) -> str:
        return cells.moment(execution.created_at)

    @admin.display(description="started")
    def started(self, execution: Execution) -> str:
        return cells.moment(execution.started_at)

    @admin.display(description="deadline")
    def deadline(self, execution: Execution) -> str:
        return cells.moment(execution.deadline_at)

    @admin.display(description="ended")
    def ended(self, execution: Execution) -> str:
        return cells.moment(execution.ended_at)

    @admin.display(description="duration")
    def duration(self, execution: Execution) -> str:
        return cells.duration(execution.started_at, execution.ended_at)

    @admin.display(description="live")
    def live(self, execution: Execution) -> SafeString:
        return format_html('<a href="{}">watch</a>', reverse("execution-live", args=[execution.pk]))

    @admin.display(description="inputs")
    def given(self, execution: Execution) -> str:
        return shown(read(execution, "inputs"))

    @admin.display(description="outputs")
    def gave(self, execution: Execution) -> str:
        omitted = run_outputs.omitted(execution, whole=False)
        return shown(read(execution, "outputs")) if omitted is None else _omitted(omitted)

    @admin.display(description="response")
    def answered(self, execution: Execution) -> str:
        return shown(read(execution, "response"))

    @admin.display(description="error")
    def failure(self, execution: Execution) -> str:
        return shown(read(execution, "error"))

    @admin.action(description="Cancel selected executions", permissions=["cancel"])
    def cancel(self, request: HttpRequest, executions: QuerySet[Execution]) -> None:
        """End those that are not over yet, by the same service as the API."""
        ended, over = 0, 0
        for execution in executions:
            try:
                services.cancel_execution(execution.pk, reason=f"Cancelled by {request.user}")
            except NotCancellable:
                over += 1
            else:
                ended += 1
                self.log_change(request, execution, "Cancelled.")
        level = messages.SUCCESS if ended else messages.WARNING
        self.message_user(request, f"Cancelled {ended}; {over} were over already.", level)


def _omitted(characters: int) -> str:
    return f"{characters:,} characters; the API has all of it."
