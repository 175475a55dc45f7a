"""Who calls: a script with an API key, or a person with a session. Either way a workspace and a set of scopes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, cast
from uuid import UUID

from django.utils import timezone
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request

from workflows.http.errors import (
    BadApiKey,
    CsrfFailed,
    ExpiredApiKey,
    NoWorkspace,
    ObjectNotFound,
    RevokedApiKey,
    WorkspaceNeeded,
)
from workflows.models import ApiKey, Member, User
from workflows.workspaces import keys
from workflows.workspaces.roles import ROLE_SCOPES, Role
from workflows.workspaces.services import note_use

WORKSPACE_HEADER: Final = "X-Workspace-Id"


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """On whose behalf a request acts; `request.auth` of every view."""

    workspace_id: UUID
    scopes: frozenset[str]
    user: User | None = None  # a person with a session
    api_key: ApiKey | None = None  # else the key: it speaks for its workspace, not for whoever made it

    @property
    def holder(self) -> ApiKey | User | None:
        return self.api_key or self.user

    @property
    def name(self) -> str:
        return f"API key {self.api_key.name!r}" if self.api_key else str(self.user)

    @property
    def identity(self) -> str:
        """Its name, told apart from others: two keys may have the same one."""
        return f"{self.name} ({self.api_key.prefix}…)" if self.api_key else self.name


def caller_of(request: Request) -> Caller:
    """Whoever a view is allowed to serve: HasScopes has let them in."""
    return cast("Caller", request.auth)


class ApiKeyAuthentication(BaseAuthentication):
    """`Authorization: Bearer fm_live_…` or `X-API-Key: fm_live_…`.

    Checked in the order format, existence, revoked, expired, so that the same key gets the same answer everywhere.
    Source: the existing product's public API.
    """

    def authenticate(self, request: Request) -> tuple[None, Caller] | None:
        text = _key_in(request)
        if text is None:
            return None
        if not keys.is_well_formed(text):
            raise BadApiKey("Invalid API key format.")
        key = ApiKey.objects.filter(digest=keys.digest(text)).first()
        now = timezone.now()
        if key is None:
            raise BadApiKey("API key not found.")
        if key.revoked_at is not None:
            raise RevokedApiKey
        if key.expires_at is not None and key.expires_at <= now:
            raise ExpiredApiKey
        named = request.headers.get(WORKSPACE_HEADER)
        if named is not None and not _is(named, key.workspace_id):
            raise ObjectNotFound("Workspace", named)
        note_use(key, now=now)
        return None, Caller(workspace_id=key.workspace_id, scopes=frozenset(key.scopes), api_key=key)

    def authenticate_header(self, request: Request) -> str:
        del request
        return 'Bearer realm="api"'


class WorkspaceSessionAuthentication(SessionAuthentication):
    """Django's session, CSRF token included. Who is in several workspaces names one in X-Workspace-Id."""

    def authenticate(self, request: Request) -> tuple[User, Caller] | None:
        found = super().authenticate(request)
        if found is None:
            return None
        user: User = found[0]
        member = _membership(user, request.headers.get(WORKSPACE_HEADER))
        return user, Caller(workspace_id=member.workspace_id, scopes=ROLE_SCOPES[Role(member.role)], user=user)

    def enforce_csrf(self, request: Request) -> None:
        try:
            super().enforce_csrf(request)
        except PermissionDenied as denied:
            raise CsrfFailed(str(denied.detail)) from denied


def _key_in(request: Request) -> str | None:
    scheme, _, credentials = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return credentials.strip()
    return request.headers.get("X-API-Key")


def _membership(user: User, workspace_id: str | None) -> Member:
    members = list(Member.objects.filter(user=user).select_related("workspace").order_by("workspace__name", "pk"))
    if workspace_id is not None:
        named = [member for member in members if _is(workspace_id, member.workspace_id)]
        if not named:
            raise ObjectNotFound("Workspace", workspace_id)
        return named[0]
    if not members:
        raise NoWorkspace
    if len(members) > 1:
        raise WorkspaceNeeded([(member.workspace_id, member.workspace.name) for member in members])
    return members[0]


def _is(text: str, workspace_id: UUID) -> bool:
    return text.strip().lower() == str(workspace_id)
