"""Links to one file of a workspace, for whoever holds them: no key, no session. They run out within minutes or days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from django.core.signing import BadSignature, Signer

from workflows.ids import from_shortened, shortened

LIFETIME: Final = timedelta(minutes=15)
LONGEST_LIFETIME: Final = timedelta(days=7)


class BadLink(Exception):
    """This link is none of ours, is for something else, or has run out; ask for a new one."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


class Purpose(StrEnum):
    DOWNLOAD = "download"
    UPLOAD = "upload"  # where nothing is yet
    REPLACE = "replace"  # an upload that may overwrite


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """What a link says, once its signature has been checked."""

    workspace_id: UUID
    path: str
    purpose: Purpose
    expires_at: datetime


def sign(link: Link) -> str:
    """The text that stands for *link* in an address."""
    expires = int(link.expires_at.timestamp())
    return _signer().sign_object([shortened(link.workspace_id), link.purpose.value, expires, link.path])


def read(signed: str, *, now: datetime) -> Link:
    """What a link says. Raises BadLink."""
    try:
        workspace_id, purpose, expires, path = _signer().unsign_object(signed)
    except (BadSignature, ValueError) as error:  # ValueError: base64 or JSON that is none
        raise BadLink from error
    expires_at = datetime.fromtimestamp(expires, UTC)
    if expires_at <= now:
        raise BadLink
    return Link(workspace_id=from_shortened(workspace_id), path=path, purpose=Purpose(purpose), expires_at=expires_at)


def _signer() -> Signer:
    return Signer(salt="workflows.files.links", sep=".")
