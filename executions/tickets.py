"""Tickets: short-lived signed tokens that let a browser listen to a run without a key or a session.

A ticket is for one run or for a whole workspace, to read or also to resume. It says who it was given to, so that
renewing it asks again whether they may: a revoked key or a removed member is out within one lifetime.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from django.core.signing import BadSignature, Signer
from django.utils import timezone

from workflows.ids import from_shortened, shortened
from workflows.models import ApiKey, Member, User
from workflows.workspaces.roles import ROLE_SCOPES, Role

LIFETIME: Final = timedelta(minutes=15)
SCOPE: Final = "executions:read"  # what its holder must still have when it is renewed


class TicketError(Exception):
    """The ticket does not open this run."""

    code = "invalid_ticket"

    def __init__(self) -> None:
        super().__init__(self.__doc__)


class InvalidTicket(TicketError):
    """The ticket is not one of ours, or it was changed."""


class ExpiredTicket(TicketError):
    """The ticket has expired; ask for a new one."""

    code = "expired_ticket"


class RevokedTicket(TicketError):
    """Whoever the ticket was given to may not read this run any more."""

    code = "revoked_ticket"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """What a token says, once its signature has been checked."""

    workspace_id: UUID
    execution_id: UUID | None  # None: every run of the workspace
    resume: bool
    expires_at: datetime
    holder: str  # "key:<id>", "user:<id>"; "" for nobody in particular: such a ticket is not renewed

    def opens(self, execution_id: UUID, workspace_id: UUID) -> bool:
        return self.workspace_id == workspace_id and self.execution_id in (None, execution_id)


def issue(
    execution_id: UUID | None,
    workspace_id: UUID,
    *,
    resume: bool = False,
    seconds: int = int(LIFETIME.total_seconds()),
    holder: ApiKey | User | None = None,
) -> str:
    """A token for one run, or for every run of the workspace when *execution_id* is None.

    Its characters are those of an HTTP token (RFC 9110, 5.6.2), so that it also travels as a WebSocket sub-protocol.
    """
    return _sign(
        Ticket(
            workspace_id=workspace_id,
            execution_id=execution_id,
            resume=resume,
            expires_at=timezone.now() + timedelta(seconds=seconds),
            holder=name_of(holder),
        )
    )


def check(token: str) -> Ticket:
    """What *token* says. Raises InvalidTicket, ExpiredTicket."""
    try:
        said = _signer().unsign_object(token)
    except (BadSignature, ValueError) as error:  # ValueError: base64 or JSON that is none
        raise InvalidTicket from error
    workspace, execution, resume, expires, kind, holder = said
    ticket = Ticket(
        workspace_id=from_shortened(workspace),
        execution_id=from_shortened(execution) if execution else None,
        resume=bool(resume),
        expires_at=datetime.fromtimestamp(expires, UTC),
        holder=f"{kind}:{from_shortened(holder)}" if kind else "",
    )
    if ticket.expires_at <= timezone.now():
        raise ExpiredTicket
    return ticket


def renew(ticket: Ticket) -> str:
    """A token like *ticket* with a new lifetime. Raises RevokedTicket when its holder may not read any more."""
    now = timezone.now()
    if not _may_read(ticket, now):
        raise RevokedTicket
    return _sign(
        Ticket(
            workspace_id=ticket.workspace_id,
            execution_id=ticket.execution_id,
            resume=ticket.resume,
            expires_at=now + LIFETIME,
            holder=ticket.holder,
        )
    )


def _signer() -> Signer:
    # "." because the usual ":" is not allowed in the value of Sec-WebSocket-Protocol.
    return Signer(salt="executions.tickets", sep=".")


def _sign(ticket: Ticket) -> str:
    # A list, and ids of 22 characters: people see these tokens in addresses.
    kind, _, holder = ticket.holder.partition(":")
    return _signer().sign_object(
        [
            shortened(ticket.workspace_id),
            shortened(ticket.execution_id) if ticket.execution_id else "",
            int(ticket.resume),
            int(ticket.expires_at.timestamp()),
            kind,
            shortened(UUID(holder)) if kind else "",
        ]
    )


def name_of(holder: ApiKey | User | None) -> str:
    """Whoever a ticket is given to, as it says so."""
    match holder:
        case ApiKey():
            return f"key:{holder.pk}"
        case User():
            return f"user:{holder.pk}"
        case None:
            return ""


def _may_read(ticket: Ticket, now: datetime) -> bool:
    kind, _, pk = ticket.holder.partition(":")
    if kind == "key":
        keys = ApiKey.objects.usable(now).filter(pk=UUID(pk), workspace=ticket.workspace_id)
        return keys.filter(scopes__contains=[SCOPE]).exists()
    if kind == "user":
        reading = [role.value for role in Role if SCOPE in ROLE_SCOPES[role]]
        members = Member.objects.filter(user=UUID(pk), user__is_active=True, workspace=ticket.workspace_id)
        administrators = User.objects.filter(pk=UUID(pk), is_active=True, is_superuser=True)
        return members.filter(role__in=reading).exists() or administrators.exists()
    return False
