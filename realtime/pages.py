"""The live page of a run, for whoever holds a ticket or is logged in and a member of its workspace."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from executions import tickets
from executions.core import RunStatus
from executions.models import Execution
from executions.querysets import ExecutionQuerySet
from executions.tickets import TicketError
from handlers import JSONObject
from realtime import page
from workflows.models import Member, User, Workspace
from workflows.workspaces.roles import ROLE_SCOPES, Role

# Everything comes from us and nothing is written into the page: no script or style of a run's data can run.
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self' {socket}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@require_safe
def live(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    token, user = request.GET.get("token"), request.user
    if token is None and not isinstance(user, User):
        return redirect_to_login(request.get_full_path())
    try:
        execution = _seen_by(user, pk) if token is None and isinstance(user, User) else _seen_with(token or "", pk)
    except TicketError as error:
        return _answer(request, "realtime/refused.html", {"title": "This link is over", "text": str(error)}, 403)
    if execution is None:
        text = "There is no such run, or it belongs to a workspace that you are not a member of."
        return _answer(request, "realtime/refused.html", {"title": "Run not found", "text": text}, 404)
    socket = None
    if not RunStatus(execution.status).is_final:
        holder = user if isinstance(user, User) else None
        socket = _socket(execution, token or tickets.issue(execution.pk, execution.workspace_id, holder=holder))
    access = _access_of_ticket(token, execution) if token else _access_of(request, execution)
    shown = page.build(execution, socket=socket, access=access, now=timezone.now())
    return _answer(request, "realtime/live.html", {"page": shown})


def _seen_with(token: str, pk: UUID) -> Execution | None:
    """The run, when *token* opens it. Raises TicketError for a ticket that opens nothing."""
    ticket = tickets.check(token)
    if ticket.execution_id not in (None, pk):
        return None
    return _shown().filter(pk=pk, workspace=ticket.workspace_id).first()


def _seen_by(user: User, pk: UUID) -> Execution | None:
    # The admin shows every run to the site's administrators, and links here.
    workspaces = Workspace.objects.all() if user.is_superuser else Workspace.objects.visible_to(user)
    return _shown().filter(pk=pk, workspace__in=workspaces).first()


def _shown() -> ExecutionQuerySet:
    executions = Execution.objects.select_related("workflow", "version", "state")
    return executions.defer("inputs", "workflow__definition", "version__definition", "version__plan")


def _socket(execution: Execution, token: str) -> JSONObject:
    return {
        "path": f"/ws/executions/{execution.pk}/",
        "token": token,
        "expires_at": tickets.check(token).expires_at.isoformat(),
    }


def _access_of_ticket(token: str, execution: Execution) -> JSONObject:
    """How the page's script speaks to the API, and what it may do there: see `executions.ticket_auth`."""
    can: JSONObject = {"read": True, "resume": tickets.check(token).resume, "cancel": False, "start": False}
    return {"token": token, "csrf": None, "workspace_id": str(execution.workspace_id), "can": {**can, "ticket": True}}


def _access_of(request: HttpRequest, execution: Execution) -> JSONObject:
    """As the member of the run's workspace that the session is of; an administrator who is none may only look."""
    role = Member.objects.filter(user=request.user.pk, workspace=execution.workspace_id).values_list("role", flat=True)
    scopes = frozenset[str]().union(*(ROLE_SCOPES[Role(each)] for each in role))
    can: JSONObject = {
        "read": "executions:read" in scopes,
        "resume": "executions:resume" in scopes,
        "cancel": "executions:cancel" in scopes,
        "start": "workflows:execute" in scopes,
        "ticket": False,
    }
    return {"token": None, "csrf": get_token(request), "workspace_id": str(execution.workspace_id), "can": can}


def _answer(request: HttpRequest, template: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    response = render(request, template, context, status=status)
    scheme = "wss" if request.is_secure() else "ws"
    # Spelt out: Safari did not count sockets among 'self' before version 15.4.
    response["Content-Security-Policy"] = POLICY.format(socket=f"{scheme}://{request.get_host()}")
    response["Cache-Control"] = "no-store"  # it may hold a ticket
    response["Referrer-Policy"] = "no-referrer"  # so may its address
    return response
