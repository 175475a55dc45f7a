"""Why a request is refused before it reaches a service. Their statuses and codes stand in `flowmaestro.api`.

RequestRefused
├── BadApiKey                 no key, or not one of ours
│   ├── RevokedApiKey
│   └── ExpiredApiKey
├── CsrfFailed                a session without proof that our own page sent the request
├── InsufficientScope         a good key or session that may not do this
├── NoWorkspace               a person who is a member nowhere
├── WorkspaceNeeded           a person in several workspaces who did not say which
├── ObjectNotFound            there is none, or it is somebody else's: nobody can tell which
├── EndpointNotFound
├── BadIdempotencyKey
├── IdempotencyConflict       the key was used for another request
└── IdempotencyInProgress     the key's first request is still at work
"""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID


class RequestRefused(Exception):
    """The request cannot be served."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or self.__doc__)


class BadApiKey(RequestRefused):
    """API key is missing: send Authorization: Bearer fm_live_… or X-API-Key."""


class RevokedApiKey(BadApiKey):
    """This API key has been revoked."""


class ExpiredApiKey(BadApiKey):
    """This API key has expired."""


class CsrfFailed(RequestRefused):
    """The CSRF token is missing or wrong."""


class InsufficientScope(RequestRefused):
    """The caller's scopes do not cover what was asked."""

    def __init__(self, *, required: Collection[str], yours: Collection[str]) -> None:
        self.required, self.yours = sorted(required), sorted(yours)
        self.missing = sorted(set(required) - set(yours))
        super().__init__(f"Missing required scopes: {', '.join(self.missing)}")


class NoWorkspace(RequestRefused):
    """You are not a member of any workspace; ask an owner to add you."""


class WorkspaceNeeded(RequestRefused):
    """You are a member of several workspaces: name one in the X-Workspace-Id header."""

    def __init__(self, workspaces: Collection[tuple[UUID, str]]) -> None:
        super().__init__()
        self.workspaces = list(workspaces)  # id and name of those to choose from


class ObjectNotFound(RequestRefused):
    """There is no such object in the caller's workspace."""

    def __init__(self, resource: str, key: object) -> None:
        super().__init__(f"{resource} with id '{key}' not found")
        self.resource, self.key = resource, str(key)


class EndpointNotFound(RequestRefused):
    """There is nothing at this address."""

    def __init__(self, method: str, path: str) -> None:
        super().__init__(f"No endpoint for {method} {path}; /api/docs lists them all")
        self.path = path


class BadIdempotencyKey(RequestRefused):
    """Idempotency-Key must be 1 to 255 printable ASCII characters."""


class IdempotencyConflict(RequestRefused):
    """This Idempotency-Key was used for a different request within the last 24 hours."""


class IdempotencyInProgress(RequestRefused):
    """The first request with this Idempotency-Key is still being worked on; try again in a moment."""
