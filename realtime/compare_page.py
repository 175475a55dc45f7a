"""The page that compares two runs, for members of their workspace."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone
from django.views.decorators.http import require_safe

from executions.models import Execution
from realtime.answering import answer
from realtime.compare import compare
from workflows.models import User, Workspace

_UNNAMED: Final = (
    "Two runs, please",
    "Name them in the address: ?a=ID&b=ID. The list of runs has them to choose from.",
)
_MISSING: Final = (
    "Run not found",
    "One of these runs does not exist, or belongs to a workspace that you are not a member of.",
)
_UNLIKE: Final = ("Runs of two workflows", "Only runs of one workflow can be compared, whatever their versions.")


@require_safe
def compared(request: HttpRequest) -> HttpResponseBase:
    if not isinstance(user := request.user, User):
        return redirect_to_login(request.get_full_path())
    ids = [_id(request.GET.get(name, "")) for name in ("a", "b")]
    if None in ids:
        return _refused(request, *_UNNAMED, status=400)
    found = _seen_by(user, [pk for pk in ids if pk is not None])
    runs = [found[pk] for pk in ids if pk in found]
    if len(runs) < len(ids):
        return _refused(request, *_MISSING, status=404)
    first, second = runs
    if first.workflow_id != second.workflow_id:
        return _refused(request, *_UNLIKE, status=400)
    context: dict[str, Any] = {"comparison": compare(first, second, now=timezone.now())}
    return answer(request, "realtime/compare.html", context)


def _id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _seen_by(user: User, ids: list[UUID]) -> dict[UUID | None, Execution]:
    # The admin shows every run to the site's administrators.
    workspaces = Workspace.objects.all() if user.is_superuser else Workspace.objects.visible_to(user)
    runs = Execution.objects.filter(pk__in=ids, workspace__in=workspaces)
    shown = runs.select_related("workflow", "version", "state")
    return {run.pk: run for run in shown.defer("workflow__definition", "version__definition", "version__plan")}


def _refused(request: HttpRequest, title: str, text: str, *, status: int) -> HttpResponseBase:
    return answer(request, "realtime/refused.html", {"title": title, "text": text}, status=status)
