"""The holder of a ticket as a caller of the API: of one run, or of those of one workspace, and of little of that.

A live page that was opened by a ticket has no session. It reads the nodes of its run, and answers what is asked in it
where the ticket says so; a ticket starts nothing, ends nothing, and lists nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from executions import tickets
from executions.models import Execution
from executions.tickets import Ticket
from workflows.http.auth import Caller
from workflows.http.errors import ObjectNotFound
from workflows.models import ApiKey, User

SCHEME: Final = "Ticket"
ANSWERS_BY: Final = "resume"  # the one action of the API that a ticket may open beside those that read
READS: Final = frozenset({"retrieve", "nodes", "node", "timeline"})


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketHolder(Caller):
    """Whoever holds a ticket. Its identity is that of whom it was given to: all tickets of theirs are one voter."""

    ticket: Ticket

    @property
    def name(self) -> str:
        return self.identity

    @property
    def identity(self) -> str:
        kind, _, pk = self.ticket.holder.partition(":")
        if kind == "key" and (key := ApiKey.objects.filter(pk=pk).first()) is not None:
            return Caller(workspace_id=self.workspace_id, scopes=self.scopes, api_key=key).identity
        if kind == "user" and (user := User.objects.filter(pk=pk).first()) is not None:
            return Caller(workspace_id=self.workspace_id, scopes=self.scopes, user=user).identity
        return "a ticket"


class TicketAuthentication(BaseAuthentication):
    """`Authorization: Ticket …`, for views of runs, which have the run's id in their address."""

    def authenticate(self, request: Request) -> tuple[None, Caller] | None:
        """Raises TicketError, and ObjectNotFound for a run that the ticket does not open."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != SCHEME.lower():
            return None
        ticket = tickets.check(token.strip())
        view = request.parser_context["view"]
        pk, action = view.kwargs.get("pk"), getattr(view, "action", None)
        scopes: set[str] = set()
        if pk is not None and action in READS | {ANSWERS_BY}:
            _let_in(ticket, pk)
            scopes.add("executions:read")
            if ticket.resume and action == ANSWERS_BY:
                scopes.add("executions:resume")
        return None, TicketHolder(workspace_id=ticket.workspace_id, scopes=frozenset(scopes), ticket=ticket)

    def authenticate_header(self, request: Request) -> str:
        del request
        return SCHEME


class TicketScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # registers itself by inheriting
    target_class = "executions.ticket_auth.TicketAuthentication"
    name = "ticket"

    def get_security_definition(self, auto_schema: Any) -> Any:
        del auto_schema
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "`Authorization: Ticket …`: reads one run, and answers what is asked in it where it may.",
        }

    def get_security_requirement(self, auto_schema: Any) -> Any:
        is_open = auto_schema.view.action in READS | {ANSWERS_BY}
        return {self.name: []} if is_open else None  # the others refuse it


def _let_in(ticket: Ticket, pk: str) -> None:
    if ticket.execution_id is not None and str(ticket.execution_id) != pk.lower():
        raise ObjectNotFound(Execution.__name__, pk)
