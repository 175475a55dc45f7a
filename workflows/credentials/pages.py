"""Where a provider sends the owner of a credential back to. The page is a sentence, for a person to read."""

from __future__ import annotations

from typing import Final

from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils import timezone
from django.views.decorators.http import require_GET

from workflows.credentials import connecting
from workflows.credentials.errors import BadConsent
from workflows.workspaces.models import User

CALLBACK: Final = "credential-callback"


@require_GET
def callback(request: HttpRequest) -> HttpResponse:
    user = request.user if isinstance(request.user, User) else None
    state, code = request.GET.get("state", ""), request.GET.get("code")
    try:
        credential = connecting.finish(state=state, code=code, user=user, now=timezone.now())
    except BadConsent as refused:
        return _said(f"Not connected. {refused}", status=400)
    return _said(f"The credential {credential.name!r} is connected. You can close this page.")


def _said(sentence: str, *, status: int = 200) -> HttpResponse:
    """As plain text: what a provider says of an error is nothing a browser should run."""
    headers = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff"}
    return HttpResponse(sentence, status=status, content_type="text/plain; charset=utf-8", headers=headers)


urlpatterns = [path("oauth/callback", callback, name=CALLBACK)]
