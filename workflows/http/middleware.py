"""A name for every request, in the answer and in the log, so that both can be found from either."""

from __future__ import annotations

import re
from typing import Final

from django.http import HttpRequest, HttpResponseBase
from django.utils.deprecation import MiddlewareMixin
from rest_framework.request import Request

from workflows.ids import uuid7

HEADER: Final = "X-Request-ID"
_SANE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}")  # what a log line and a header can carry unquoted
_KEPT: Final = "flowmaestro.request_id"


class RequestIdMiddleware(MiddlewareMixin):
    """Take the caller's X-Request-ID when it is a sane one, else make one; say it in every answer."""

    def process_request(self, request: HttpRequest) -> None:
        request_id(request)

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        response[HEADER] = request_id(request)
        return response


def request_id(request: HttpRequest | Request) -> str:
    """The name of *request*; the same however often it is asked for."""
    kept = request.META.get(_KEPT)
    if kept is None:
        given = request.headers.get(HEADER, "")
        kept = request.META[_KEPT] = given if _SANE.fullmatch(given) else f"req_{uuid7().hex}"
    return str(kept)
