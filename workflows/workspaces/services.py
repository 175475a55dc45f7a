"""How workspaces, memberships and keys come to be. One verb, one transaction."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import chain, count
from typing import Final

from django.db import transaction
from django.utils.text import slugify

from workflows.workspaces import keys
from workflows.workspaces.models import ApiKey, Member, User, Workspace
from workflows.workspaces.roles import ALL_SCOPES, Role

USE_NOTED_EVERY: Final = timedelta(minutes=1)  # how exact last_used_at is: a busy key is not a write per request
_LONGEST_SLUG: Final = 56  # characters; leaves room for a number within the column's 64


class UnknownScope(ValueError):
    """A key was to have a scope that does not exist."""

    def __init__(self, unknown: Iterable[str]) -> None:
        self.unknown = tuple(sorted(unknown))
        super().__init__(f"no such scope: {', '.join(self.unknown)}; there are: {', '.join(sorted(ALL_SCOPES))}")


@transaction.atomic
def create_workspace(name: str, *, owner: User) -> Workspace:
    """A workspace that *owner* owns. Names may repeat: the slug gets a number."""
    stem = slugify(name)[:_LONGEST_SLUG].strip("-") or "workspace"
    slugs = chain([stem], (f"{stem}-{number}" for number in count(2)))
    tries = (Workspace.objects.get_or_create(slug=slug, defaults={"name": name}) for slug in slugs)
    workspace = next(workspace for workspace, created in tries if created)
    Member.objects.create(workspace=workspace, user=owner, role=Role.OWNER)
    return workspace


def create_api_key(
    workspace: Workspace,
    *,
    name: str,
    scopes: Iterable[str],
    created_by: User | None = None,
    expires_at: datetime | None = None,
) -> tuple[ApiKey, str]:
    """A new key of *workspace*, and its text, which nobody can read again. Raises UnknownScope."""
    wanted = frozenset(scopes)
    if unknown := wanted - ALL_SCOPES:
        raise UnknownScope(unknown)
    text = keys.new_key()
    key = ApiKey.objects.create(
        workspace=workspace,
        name=name,
        prefix=text[: keys.SHOWN],
        digest=keys.digest(text),
        scopes=sorted(wanted),
        created_by=created_by,
        expires_at=expires_at,
    )
    return key, text


def revoke_api_key(key: ApiKey, *, now: datetime) -> None:
    """Refuse *key* from now on; revoked again, it keeps the time of the first."""
    ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=now)
    key.refresh_from_db(fields=["revoked_at"])


def note_use(key: ApiKey, *, now: datetime) -> None:
    """Remember that *key* was used about now; see USE_NOTED_EVERY."""
    if key.last_used_at is None or now - key.last_used_at >= USE_NOTED_EVERY:
        ApiKey.objects.filter(pk=key.pk).unused_since(now - USE_NOTED_EVERY).update(last_used_at=now)
