"""Whether the caller's scopes cover what a view does."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, cast

from django.core.exceptions import ImproperlyConfigured
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from workflows.http.auth import Caller
from workflows.http.errors import BadApiKey, InsufficientScope

if TYPE_CHECKING:
    from rest_framework.views import APIView  # at run time it imports this module, by way of the settings


class HasScopes(BasePermission):
    """Every view says in `scopes` what each action of it wants, or each HTTP method where it has no actions."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        caller = cast("Caller | None", request.auth)
        if caller is None:
            raise BadApiKey
        required = required_scopes(view, str(request.method))
        if not caller.scopes.issuperset(required):
            raise InsufficientScope(required=required, yours=caller.scopes)
        return True


def required_scopes(view: APIView, method: str) -> Collection[str]:
    """The scopes that *method* on *view* wants; none where the view will answer 405.

    Raises ImproperlyConfigured when a view forgot to say: it must not be open by accident.
    """
    method = "get" if method == "HEAD" else method.lower()
    action = getattr(view, "action", None) if hasattr(view, "action_map") else method
    if action is None or not hasattr(view, action):
        return ()
    scopes: Mapping[str, Collection[str]] = getattr(view, "scopes", {})
    if action not in scopes:
        raise ImproperlyConfigured(f"{type(view).__name__}.scopes does not say what {action!r} wants")
    return scopes[action]
