"""The public door of one waitpoint, for programs: the answer as JSON, by whoever holds the link."""

from __future__ import annotations

from typing import Final

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.exceptions import ParseError
from rest_framework.request import Request
from rest_framework.response import Response

from executions.models import Waitpoint
from executions.waitpoints import links, services
from executions.waitpoints.serializers import AnsweredSerializer
from workflows.http.views import Endpoints

_ANY: Final = {"type": ["object", "array", "string", "number", "boolean", "null"]}


class PublicAnswerViewSet(Endpoints):
    """An answer by whoever holds the link to a waitpoint; a browser's form goes to `executions.waitpoints.pages`."""

    queryset = Waitpoint.objects.none()
    authentication_classes = []
    permission_classes = []

    @extend_schema(
        request={"application/json": _ANY | {"description": "The answer itself, as the waitpoint's schema wants it."}},
        responses={
            202: AnsweredSerializer,
            409: OpenApiResponse(description="Nobody waits for it any more; the code says why."),
            422: OpenApiResponse(description="The waitpoint's schema refuses it: `invalid_answer`."),
        },
        parameters=[OpenApiParameter("signed", str, OpenApiParameter.PATH, description="Of `public_url`, or a link.")],
        operation_id="waitpoints_public",
        tags=["waitpoints"],
        auth=[],
    )
    def public(self, request: Request, signed: str) -> Response:
        """Answer by a link, with neither key nor session. The body is the answer; GET shows people a form for it."""
        if request.META.get("CONTENT_LENGTH") in {None, "", "0"}:
            raise ParseError("The body is empty: send the answer as JSON.")
        link, waitpoint = links.follow(signed)
        done = services.answer(waitpoint.pk, request.data, by=link.name, kinds=links.KINDS)
        return Response(AnsweredSerializer(done).data, status=status.HTTP_202_ACCEPTED)
