"""The API of waitpoints: what is waited for, tokens, links, events."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from executions.models import Vote, Waitpoint
from executions.waitpoints import events, links, services
from executions.waitpoints.errors import Unfit
from executions.waitpoints.filters import WaitpointFilter
from executions.waitpoints.serializers import (
    AnsweredSerializer,
    CompleteBody,
    EventReceivedSerializer,
    LinkSerializer,
    NewEvent,
    NewLink,
    NewToken,
    WaitpointSerializer,
    WaitpointSummarySerializer,
)
from handlers import PauseKind
from workflows.http import idempotency
from workflows.http.views import Endpoints, find

RESUME: Final = "executions:resume"  # the scope of those who may answer, and hand out links


class WaitpointViewSet(Endpoints):
    queryset = Waitpoint.objects.none()  # tells the schema what {id} is; `mine` is what is looked in
    filterset_class = WaitpointFilter
    scopes = {
        "list": {"executions:read"},
        "create": {"executions:read", RESUME},
        "retrieve": {"executions:read"},
        "complete": {"executions:read", RESUME},
        "links": {"executions:read", RESUME},
    }

    def mine(self) -> QuerySet[Waitpoint]:
        waitpoints: QuerySet[Waitpoint] = Waitpoint.objects.of(self.caller.workspace_id)
        return waitpoints.annotate(yes=_votes(True), no=_votes(False))

    @extend_schema(responses=WaitpointSummarySerializer(many=True))
    def list(self, request: Request) -> Response:
        """What the workspace's runs wait for, or have waited for, newest first. Answers are with each alone."""
        del request
        waitpoints = self.filter_queryset(self.mine().defer("answer", "state").order_by("-created_at", "-pk"))
        page = self.page_of(waitpoints)
        return self.get_paginated_response(WaitpointSummarySerializer(page, many=True).data)

    @extend_schema(request=NewToken, responses={201: WaitpointSerializer}, parameters=[idempotency.PARAMETER])
    def create(self, request: Request) -> Response:
        """Make a token, which whoever holds its `public_url` can complete. What comes before a run waits is kept."""
        body = self.body(NewToken)
        seconds = body.pop("expires_in", None)
        lasts = None if seconds is None else timedelta(seconds=seconds)

        def act() -> Response:
            token = services.create_token(self.caller.workspace_id, lasts=lasts, **body)
            return Response(self._shown(token.pk), status=status.HTTP_201_CREATED)

        return idempotency.once(request, act)

    @extend_schema(responses=WaitpointSerializer)
    def retrieve(self, request: Request, pk: str) -> Response:
        """A waitpoint, its answer, and the address at which anybody may answer it."""
        del request
        return Response(self._shown(pk))

    @extend_schema(
        request=CompleteBody,
        responses={202: AnsweredSerializer, 422: OpenApiResponse(description="The token's schema refuses it.")},
        parameters=[idempotency.PARAMETER],
    )
    @action(detail=True, methods=["post"], filterset_class=None)
    def complete(self, request: Request, pk: str) -> Response:
        """Complete a token. What people are asked is answered by resuming its run, or through a link."""
        token = find(self.mine().defer("answer", "state"), pk)
        value = self.body(CompleteBody).get("input")

        def act() -> Response:
            done = services.answer(token.pk, value, by=self.caller.identity, kinds=[PauseKind.TOKEN])
            return Response(AnsweredSerializer(done).data, status=status.HTTP_202_ACCEPTED)

        return idempotency.once(request, act, keeps=Unfit)

    @extend_schema(request=NewLink, responses={201: LinkSerializer})
    @action(detail=True, methods=["post"], filterset_class=None)
    def links(self, request: Request, pk: str) -> Response:
        """A link to the waitpoint's page, for somebody in particular. The same voter gets the same one."""
        waitpoint = find(self.mine().defer("answer", "state"), pk)
        voter = self.body(NewLink).get("voter")
        if voter is None and waitpoint.votes_needed is not None:
            raise ValidationError({"voter": ["Several people decide: say whose link this is."]})
        told = {
            "waitpoint_id": waitpoint.pk,
            "voter": voter,
            "url": links.issue(waitpoint, request, voter=voter),
            "expires_at": waitpoint.due_at,
        }
        return Response(LinkSerializer(told).data, status=status.HTTP_201_CREATED)

    def _shown(self, pk: str | UUID) -> Any:
        waitpoint = find(self.mine().defer("state"), pk)
        url = links.public_url(waitpoint, self.request) if RESUME in self.caller.scopes else None
        return WaitpointSerializer(waitpoint, context={"public_url": url}).data


class EventViewSet(Endpoints):
    queryset = Waitpoint.objects.none()
    scopes = {"create": {"workflows:execute"}}

    @extend_schema(
        request=NewEvent, responses={202: EventReceivedSerializer}, parameters=[idempotency.PARAMETER], tags=["events"]
    )
    def create(self, request: Request) -> Response:
        """Tell the workspace that something has happened. Whatever waits for such an event goes on with its payload."""
        body = self.body(NewEvent)
        event_id: str | None = body.get("id")

        def receive() -> Response:
            completed = events.receive(
                self.caller.workspace_id,
                type=body["type"],
                payload=body.get("payload", {}),
                by=f"event {event_id}" if event_id else self.caller.identity,
            )
            told = {"type": body["type"], "id": event_id, "waitpoints_completed": completed}
            return Response(EventReceivedSerializer(told).data, status=status.HTTP_202_ACCEPTED)

        def receive_once() -> Response:
            # A tab, which no Idempotency-Key holds.
            return idempotency.once_by(f"event\t{event_id}", request, receive) if event_id else receive()

        return idempotency.once(request, receive_once)


def _votes(value: bool) -> Coalesce:  # noqa: FBT001 -- what was voted
    cast = Vote.objects.filter(waitpoint=OuterRef("pk"), value=value).order_by().values("waitpoint")
    return Coalesce(Subquery(cast.annotate(number=Count("pk")).values("number")), 0)
