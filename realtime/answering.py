"""Pages as they leave: what a browser may load and do on them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

# Everything comes from us and nothing is written into the page: no script or style of a run's data can run.
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self' {socket}; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)


def answer(request: HttpRequest, template: str, context: Mapping[str, Any], *, status: int = 200) -> HttpResponse:
    """A page that holds what only its reader may see, and whose forms are sent to us alone."""
    response = render(request, template, dict(context), status=status)
    scheme = "wss" if request.is_secure() else "ws"
    # Spelt out: Safari did not count sockets among 'self' before version 15.4.
    response["Content-Security-Policy"] = POLICY.format(socket=f"{scheme}://{request.get_host()}")
    response["Cache-Control"] = "no-store"  # it may hold a ticket
    # Not "no-referrer": with it a browser names no origin, and over https Django refuses what is then posted.
    response["Referrer-Policy"] = "same-origin"
    return response
