"""The API's doors to events: a page of them, a stream of them, a ticket for the socket."""

from __future__ import annotations

from dataclasses import dataclass
from functools import wraps
from typing import Any, Final

from asgiref.sync import sync_to_async
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse, StreamingHttpResponse
from django.urls import reverse
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.exceptions import ValidationError
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from executions import frames, tickets
from executions.core import RunStatus
from executions.models import Execution
from realtime import rows, sse
from realtime.seats import seats
from realtime.serializers import EventsQuery, EventsSerializer, TicketSerializer
from workflows.http.envelope import EnvelopeRenderer, ErrorBody, envelope
from workflows.http.views import Endpoints, find

_FULL: Final = ErrorBody(code="too_many_listeners", message="Too many follow runs of this workspace live; try again.")


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamWanted:
    """Who asks is allowed to, and wants events as they come."""

    run: rows.Run
    after: int
    holder: str  # as a ticket would name them
    comes_back: bool  # it has had the events up to *after* from a stream like this


class EventStreamRenderer(BaseRenderer):
    """Lets `Accept: text/event-stream` through. The stream itself is no DRF answer, and errors are JSON."""

    media_type = sse.MEDIA_TYPE
    format = "sse"


class EventsViewSet(Endpoints):
    queryset = Execution.objects.none()  # tells the schema what {id} is
    renderer_classes = [EnvelopeRenderer, EventStreamRenderer]
    scopes = {"events": {"executions:read"}, "ticket": {"executions:read"}}

    @extend_schema(
        responses={(200, "application/json"): EventsSerializer},
        parameters=[
            EventsQuery,
            OpenApiParameter("Last-Event-ID", int, OpenApiParameter.HEADER, description="As `after`, for a stream."),
        ],
    )
    def events(self, request: Request, pk: str) -> Response:
        """The run's events after a number. With `Accept: text/event-stream`: all of them, as they come.

        The stream has `id` = the event's number, `event` = its type, and the event as JSON in `data`, a `connected`
        event before and events without a number (`node:token`, `node:reached`, `execution:metadata`) among them. The
        event that ends the run also has the run's `status`, `outputs` (or `outputs_omitted`), `error` and
        `completed_at`, and the stream ends with it.
        """
        execution = self._one(pk)
        query = EventsQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        after: int = query.validated_data["after"]
        if request.accepted_renderer.media_type == sse.MEDIA_TYPE:
            last = _last_event_id(request)
            wanted = StreamWanted(
                run=_run(execution),
                after=after if last is None else last,
                holder=tickets.name_of(self.caller.holder),
                comes_back=last is not None,
            )
            return Response(wanted)
        events = frames.load(execution.pk, after=after, limit=query.validated_data["limit"])
        last_seq = max([after, *(event.seq for event in events)])
        return Response(
            EventsSerializer(
                {
                    "events": [event.value() for event in events],
                    "status": execution.status,
                    "next_after": last_seq,
                    "has_more": execution.state.seq > last_seq,
                }
            ).data
        )

    @extend_schema(request=None, responses={201: OpenApiResponse(TicketSerializer, "Valid for 15 minutes.")})
    def ticket(self, request: Request, pk: str) -> Response:
        """A ticket for the run's socket and live page, for a browser that must not see the key."""
        execution = self._one(pk)
        token = tickets.issue(execution.pk, execution.workspace_id, holder=self.caller.holder)
        socket = request.build_absolute_uri(f"/ws/executions/{execution.pk}/")
        page = request.build_absolute_uri(reverse("execution-live", args=[execution.pk]))
        body = {
            "execution_id": execution.pk,
            "token": token,
            "expires_at": tickets.check(token).expires_at,
            "websocket_url": f"ws{socket.removeprefix('http')}",
            "live_url": f"{page}?token={token}",
        }
        return Response(TicketSerializer(body).data, status=status.HTTP_201_CREATED)

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        if response.exception:
            json = EnvelopeRenderer()
            request.accepted_renderer, request.accepted_media_type = json, json.media_type
        return super().finalize_response(request, response, *args, **kwargs)

    def _one(self, pk: str) -> Execution:
        mine: QuerySet[Execution] = Execution.objects.of(self.caller.workspace_id).select_related("state")
        return find(mine.defer("inputs", "outputs", "outputs_ref"), pk)


_events = EventsViewSet.as_view({"get": "events"})


@wraps(_events)  # with it the schema takes this for the view that it stands before
async def events(request: HttpRequest, pk: str) -> HttpResponseBase:
    """Everything that may be refused is refused by the REST view; what is left is to stream."""
    answer = await sync_to_async(_events)(request, pk=pk)
    if not isinstance(wanted := answer.data, StreamWanted):
        return answer
    if wanted.comes_back and wanted.run.status.is_final and wanted.after >= wanted.run.seq:
        return HttpResponse(status=status.HTTP_204_NO_CONTENT)  # "stop reconnecting", in a browser's ears
    if not seats.has_room(wanted.run.workspace_id, wanted.holder):
        return JsonResponse(envelope(_FULL, request), status=429, headers={"Retry-After": "5"})
    response = StreamingHttpResponse(
        sse.stream(wanted.run, after=wanted.after, holder=wanted.holder), content_type=sse.MEDIA_TYPE
    )
    response["Cache-Control"] = "no-cache"
    response["X-Accel-Buffering"] = "no"  # nginx would wait for a full buffer
    return response


ticket = EventsViewSet.as_view({"post": "ticket"}, renderer_classes=[EnvelopeRenderer])


def _run(execution: Execution) -> rows.Run:
    return rows.Run(
        id=execution.pk,
        workspace_id=execution.workspace_id,
        status=RunStatus(execution.status),
        seq=execution.state.seq,
    )


def _last_event_id(request: Request) -> int | None:
    text = request.headers.get("Last-Event-ID", "")
    if not text:
        return None
    if not text.isdecimal():
        raise ValidationError({"Last-Event-ID": ["Expected the number of an event."]})
    return int(text)
