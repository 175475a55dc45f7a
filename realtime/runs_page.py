"""The list of runs of a workspace, for its members: narrowed by what stands in its address."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponseBase
from django.middleware.csrf import get_token
from django.utils import timezone
from django.views.decorators.http import require_safe

from executions import tickets
from executions.core import RunStatus
from executions.filters import ExecutionFilter
from executions.models import Execution
from executions.querysets import ExecutionQuerySet
from handlers import JSONObject
from realtime.answering import answer
from realtime.listing import listing
from workflows.models import Member, User, Workflow, Workspace
from workflows.workspaces.roles import ROLE_SCOPES, Role

LIVE: Final = "live"  # what is not over: as a status it is the list's own, the API has no such
MOST_WORKFLOWS: Final = 500  # to choose from; those beyond are found by their name
TRIGGERS: Final = ("api", "retry", "rerun", "schedule", "webhook", "event", "manual", "workflow")
SPANS: Final[Mapping[str, tuple[str, timedelta]]] = {
    "1h": ("Last hour", timedelta(hours=1)),
    "1d": ("Last 24 hours", timedelta(days=1)),
    "7d": ("Last 7 days", timedelta(days=7)),
    "30d": ("Last 30 days", timedelta(days=30)),
}
_STATUSES: Final = ("", LIVE, *(status.value for status in RunStatus if status is not RunStatus.PENDING))
_FILTERS: Final = ("search", "workflow_id", "status", "trigger", "tag", "span", "created_after", "created_before")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tab:
    status: str
    title: str
    query: str  # of its address
    is_current: bool


@require_safe
def runs(request: HttpRequest) -> HttpResponseBase:
    """With `?part=rows`: the rows alone, as the page's script fetches them to keep up to date."""
    if not isinstance(user := request.user, User):
        return redirect_to_login(request.get_full_path())
    workspaces = _workspaces(user)
    workspace = _named(workspaces, request.GET.get("workspace"))
    if workspace is None:
        text = "You are not a member of that workspace." if workspaces else "You are not a member of any workspace."
        return answer(request, "realtime/refused.html", {"title": "No runs to show", "text": text}, status=404)
    now = timezone.now()
    chosen = {name: text for name in _FILTERS if (text := request.GET.get(name, "").strip())}
    kept = {"workspace": str(workspace.pk)} if len(workspaces) > 1 else {}
    kept |= {"compare": str(UUID(named))} if _is_id(named := request.GET.get("compare", "")) else {}
    executions, wrong = _narrowed(workspace, chosen, now=now)
    shown = listing(executions, before=request.GET.get("before", ""), after=request.GET.get("after", ""), now=now)
    query = {**kept, **chosen}
    context: dict[str, Any] = {
        "listing": shown,
        "wrong": wrong,
        "is_narrowed": bool(chosen),
        "is_first": not (request.GET.get("before") or request.GET.get("after")),
        "compare": kept.get("compare"),
        "older": urlencode({**query, "before": shown.older}),
        "newer": urlencode({**query, "after": shown.newer}),
        "newest": urlencode(query),
        "clear": urlencode(kept),
    }
    if request.GET.get("part") == "rows":
        return answer(request, "realtime/runs_part.html", context)
    return answer(
        request,
        "realtime/runs.html",
        context
        | {
            "workspace": workspace,
            "workspaces": workspaces,
            "workflows": _workflows(workspace, chosen),
            "triggers": TRIGGERS,
            "spans": [(name, title) for name, (title, _) in SPANS.items()],
            "tabs": [_tab(status, query) for status in _STATUSES],
            "chosen": chosen,
            "kept": kept,
            "data": _data(request, user, workspace, chosen, now=now),
        },
    )


def _workspaces(user: User) -> list[Workspace]:
    # The admin shows every run to the site's administrators.
    seen = Workspace.objects.all() if user.is_superuser else Workspace.objects.visible_to(user)
    return list(seen.order_by("name", "pk"))


def _named(workspaces: Sequence[Workspace], name: str | None) -> Workspace | None:
    """The one with this id; the first, when none is named."""
    return next((workspace for workspace in workspaces if name in (None, "", str(workspace.pk))), None)


def _narrowed(
    workspace: Workspace, chosen: Mapping[str, str], *, now: datetime
) -> tuple[ExecutionQuerySet, Collection[str]]:
    """The runs that *chosen* is for; none, and what is wrong with it, when it is no filter."""
    asked = _as_asked(chosen, now=now)
    found = ExecutionFilter(data=asked, queryset=Execution.objects.of(workspace.pk))
    if not found.is_valid():
        wrong = [f"{name}: {sentence}" for name, sentences in found.errors.items() for sentence in sentences]
        return Execution.objects.none(), wrong
    executions: ExecutionQuerySet = found.qs
    return (executions.live() if chosen.get("status") == LIVE else executions), ()


def _as_asked(chosen: Mapping[str, str], *, now: datetime) -> dict[str, str]:
    """As the API is asked for the same."""
    asked = {name: text for name, text in chosen.items() if name != "span" and (name, text) != ("status", LIVE)}
    if (span := SPANS.get(chosen.get("span", ""))) is not None:
        asked["created_after"] = (now - span[1]).isoformat()
    return asked


def _workflows(workspace: Workspace, chosen: Mapping[str, str]) -> list[tuple[str, str]]:
    """Ids and names of those to choose from; the chosen one is among them, wherever it went."""
    mine = Workflow.objects.of(workspace.pk).order_by("name", "pk")
    found = [(str(pk), name) for pk, name in mine.alive().values_list("pk", "name")[:MOST_WORKFLOWS]]
    wanted = chosen.get("workflow_id", "")
    if wanted and _is_id(wanted) and wanted not in dict(found):
        found += [(str(pk), name) for pk, name in mine.filter(pk=wanted).values_list("pk", "name")]
    return found


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _tab(status: str, query: Mapping[str, str]) -> Tab:
    rest = {name: text for name, text in query.items() if name != "status"}
    return Tab(
        status=status,
        title=status.title() if status else "All",
        query=urlencode({**rest, "status": status} if status else rest),
        is_current=query.get("status", "") == status,
    )


def _data(
    request: HttpRequest, user: User, workspace: Workspace, chosen: Mapping[str, str], *, now: datetime
) -> JSONObject:
    """What the page's script starts from: how it speaks to the API, and what whoever looks may do there."""
    roles = Member.objects.filter(user=user, workspace=workspace).values_list("role", flat=True)
    scopes = frozenset[str]().union(*(ROLE_SCOPES[Role(role)] for role in roles))
    token = tickets.issue(None, workspace.pk, holder=user)
    return {
        "workspace_id": str(workspace.pk),
        "csrf": get_token(request),
        "now": now.isoformat(),
        "can": {
            "cancel": "executions:cancel" in scopes,
            "retry": "workflows:execute" in scopes,
            "delete": "admin" in scopes,
        },
        # For what is to be done to every run that the filter finds. Of what is live, only a cancel makes sense.
        "filter": {**_as_asked(chosen, now=now)},
        "only_live": chosen.get("status") == LIVE,
        "socket": {
            "token": token,
            "expires_at": tickets.check(token).expires_at.isoformat(),
        },
    }
