"""Links to one waitpoint, for whoever holds them: no key, no session. They are of use once, as what they lead to is.

A link lasts as long as its waitpoint. It says whose vote it is, where several people decide.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.core.signing import BadSignature, Signer
from django.http import HttpRequest
from django.urls import reverse

from executions.core.statuses import WaitpointStatus
from executions.models import Waitpoint
from executions.waitpoints.errors import BadLink, VotedAlready
from executions.waitpoints.services import has_voted, judge, status_now
from handlers import PauseKind
from workflows.ids import from_shortened, shortened

KINDS: Final[Collection[PauseKind]] = (PauseKind.HUMAN, PauseKind.TOKEN)  # what is answered through a link
HOLDER: Final = "whoever holds the link"


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """What a link says, once its signature has been checked."""

    waitpoint_id: UUID
    voter: str | None = None  # None: whoever holds it

    @property
    def name(self) -> str:
        return HOLDER if self.voter is None else self.voter


def public_url(waitpoint: Waitpoint, request: HttpRequest) -> str | None:
    """The link for anybody. None where there is none: it is closed, of another kind, or each voter needs their own."""
    is_open = status_now(waitpoint) is WaitpointStatus.OPEN
    if not is_open or waitpoint.kind not in KINDS or waitpoint.votes_needed is not None:
        return None
    return _url(Link(waitpoint_id=waitpoint.pk), request)


def issue(waitpoint: Waitpoint, request: HttpRequest, *, voter: str | None) -> str:
    """A link for *voter*. Raises NotOpen, WrongKind."""
    judge(waitpoint, kinds=KINDS)
    return _url(Link(waitpoint_id=waitpoint.pk, voter=voter), request)


def read(signed: str) -> Link:
    """What a link says. Raises BadLink."""
    try:
        waitpoint_id, *voter = _signer().unsign_object(signed)
    except (BadSignature, ValueError) as error:  # ValueError: base64 or JSON that is none
        raise BadLink from error
    return Link(waitpoint_id=from_shortened(waitpoint_id), voter=voter[0] if voter else None)


def follow(signed: str) -> tuple[Link, Waitpoint]:
    """What a link says, and what it leads to, which is open. Raises BadLink, NotOpen, VotedAlready."""
    link = read(signed)
    waitpoint = Waitpoint.objects.defer("answer", "state").filter(pk=link.waitpoint_id).first()
    if waitpoint is None or (waitpoint.votes_needed is not None and link.voter is None):
        raise BadLink
    judge(waitpoint, kinds=KINDS)
    if waitpoint.votes_needed is not None and has_voted(waitpoint, link.name):
        raise VotedAlready(link.name)
    return link, waitpoint


def _url(link: Link, request: HttpRequest) -> str:
    said = [shortened(link.waitpoint_id)] + ([] if link.voter is None else [link.voter])
    return request.build_absolute_uri(reverse("waitpoint-public", args=[_signer().sign_object(said)]))


def _signer() -> Signer:
    return Signer(salt="executions.waitpoints.links", sep=".")
