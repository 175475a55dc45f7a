from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest
import time_machine
from django.test import override_settings
from django.utils import timezone

from executions import tickets
from executions.tickets import ExpiredTicket, InvalidTicket, RevokedTicket, Ticket
from tests.factories import ApiKeyFactory, MemberFactory
from workflows.models import ApiKey, Member
from workflows.workspaces.roles import Role

RUN, OTHER_RUN, WORKSPACE = uuid4(), uuid4(), uuid4()


def test_ticket_says_what_it_was_issued_for() -> None:
    """One run of one workspace, to read, for a quarter of an hour."""
    with time_machine.travel("2026-05-04 12:00:00+00:00", tick=False):
        ticket = tickets.check(tickets.issue(RUN, WORKSPACE))

        assert ticket == Ticket(
            workspace_id=WORKSPACE,
            execution_id=RUN,
            resume=False,
            expires_at=timezone.now() + timedelta(minutes=15),
            holder="",
        )


@pytest.mark.parametrize(
    ("issued_for", "execution", "workspace", "opens"),
    [
        (RUN, RUN, WORKSPACE, True),
        (RUN, OTHER_RUN, WORKSPACE, False),  # a neighbour
        (None, OTHER_RUN, WORKSPACE, True),  # a ticket of the whole workspace
        (None, RUN, uuid4(), False),  # another workspace
    ],
)
def test_ticket_opens_only_what_it_is_for(
    issued_for: object, execution: object, workspace: object, opens: bool
) -> None:
    """A link that is passed on opens what was meant and nothing beside it."""
    ticket = tickets.check(tickets.issue(issued_for, WORKSPACE))

    assert ticket.opens(execution, workspace) is opens


def test_token_has_only_characters_of_an_http_token() -> None:
    """A browser refuses a sub-protocol with any other. Source: RFC 9110, 5.6.2."""
    token = tickets.issue(RUN, WORKSPACE, resume=True)

    assert re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", token)


def test_expired_ticket_is_refused() -> None:
    """Its time is its own: whoever checks needs to know nothing."""
    token = tickets.issue(RUN, WORKSPACE, seconds=60)

    with time_machine.travel(timezone.now() + timedelta(seconds=61)), pytest.raises(ExpiredTicket):
        tickets.check(token)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda token: "",  # none
        lambda token: "no.ticket",
        lambda token: token[:-2],  # cut
        lambda token: f"A{token[1:]}",  # another content
        lambda token: ".".join([token.split(".")[0], ""]),  # without a signature
        lambda token: "ünsinn." + token,  # no ASCII
    ],
)
def test_spoilt_ticket_is_refused(spoil: Callable[[str], str]) -> None:
    """Only what we signed, as we signed it."""
    token = spoil(tickets.issue(RUN, WORKSPACE))

    with pytest.raises(InvalidTicket):
        tickets.check(token)


def test_ticket_signed_with_another_secret_is_refused() -> None:
    """A new SECRET_KEY ends all tickets."""
    token = tickets.issue(RUN, WORKSPACE)

    with override_settings(SECRET_KEY="another"), pytest.raises(InvalidTicket):
        tickets.check(token)


@pytest.fixture
def key(db: None) -> ApiKey:
    return ApiKeyFactory()


@pytest.fixture
def member(db: None) -> Member:
    return MemberFactory(role=Role.VIEWER)


def held_by(holder: ApiKey | Member) -> Ticket:
    who = holder if isinstance(holder, ApiKey) else holder.user
    return tickets.check(tickets.issue(RUN, holder.workspace_id, holder=who))


def test_renewed_ticket_is_the_same_with_more_time(key: ApiKey) -> None:
    """Nothing is gained by renewing but time."""
    old = held_by(key)

    with time_machine.travel(old.expires_at - timedelta(minutes=1), tick=False):
        new = tickets.check(tickets.renew(old))

    assert new == Ticket(
        workspace_id=old.workspace_id,
        execution_id=RUN,
        resume=False,
        expires_at=old.expires_at + timedelta(minutes=14),
        holder=f"key:{key.pk}",
    )


def test_ticket_of_a_member_is_renewed(member: Member) -> None:
    """Whoever looks on is let look on."""
    assert tickets.check(tickets.renew(held_by(member))).holder == f"user:{member.user_id}"


@pytest.mark.parametrize(
    "change",
    [
        lambda key: ApiKey.objects.filter(pk=key.pk).update(revoked_at=timezone.now()),
        lambda key: ApiKey.objects.filter(pk=key.pk).update(expires_at=timezone.now()),
        lambda key: ApiKey.objects.filter(pk=key.pk).update(scopes=["workflows:read"]),  # no longer to read runs
        lambda key: ApiKey.objects.filter(pk=key.pk).delete(),
    ],
)
def test_ticket_of_a_key_that_may_no_longer_read_is_not_renewed(
    key: ApiKey, change: Callable[[ApiKey], object]
) -> None:
    """A revoked key is out within one lifetime of a ticket."""
    ticket = held_by(key)
    change(key)

    with pytest.raises(RevokedTicket):
        tickets.renew(ticket)


@pytest.mark.parametrize(
    "change",
    [
        lambda member: member.delete(),
        lambda member: type(member.user).objects.filter(pk=member.user_id).update(is_active=False),
    ],
)
def test_ticket_of_a_person_who_left_is_not_renewed(member: Member, change: Callable[[Member], object]) -> None:
    """So is a person who is no longer a member."""
    ticket = held_by(member)
    change(member)

    with pytest.raises(RevokedTicket):
        tickets.renew(ticket)


def test_ticket_of_a_key_of_another_workspace_is_not_renewed(key: ApiKey) -> None:
    """A key speaks for its own workspace, whatever a ticket of before says."""
    ticket = tickets.check(tickets.issue(RUN, uuid4(), holder=key))

    with pytest.raises(RevokedTicket):
        tickets.renew(ticket)


def test_ticket_of_nobody_is_not_renewed(db: None) -> None:
    """There is none to ask whether they still may."""
    with pytest.raises(RevokedTicket):
        tickets.renew(tickets.check(tickets.issue(RUN, WORKSPACE)))
