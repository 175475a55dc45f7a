"""The one shape of answers: `{"data", "meta"}`, lists with "pagination", errors as `{"error", "meta"}`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request

from handlers import JSONObject
from workflows.http.middleware import request_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of a list."""

    items: Any  # rendered
    pagination: JSONObject


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorBody:
    """What went wrong: a stable code for programs, a sentence for people."""

    code: str
    message: str
    details: JSONObject | None = None


def envelope(data: Any, request: HttpRequest | Request) -> dict[str, Any]:
    """The body that answers *request* with *data*: a Page, an ErrorBody, or anything that is JSON."""
    meta = {"request_id": request_id(request), "timestamp": timezone.now()}
    match data:
        case Page():
            return {"data": data.items, "pagination": data.pagination, "meta": meta}
        case ErrorBody():
            error: JSONObject = {"code": data.code, "message": data.message}
            return {"error": error if data.details is None else {**error, "details": data.details}, "meta": meta}
        case _:
            return {"data": data, "meta": meta}


class EnvelopeRenderer(JSONRenderer):
    """JSON, in the envelope."""

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> Any:
        if renderer_context is None:
            raise TypeError("an envelope names the request it answers: renderer_context is needed")
        wrapped = envelope(data, renderer_context["request"])
        return super().render(wrapped, accepted_media_type, renderer_context)
