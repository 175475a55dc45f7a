"""The API of runs."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.urls import reverse
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from executions import services, tickets
from executions.core import NotCancellable, RunStatus
from executions.core.scopes import TOP
from executions.filters import ExecutionFilter
from executions.models import Execution
from executions.node_logs import node_logs
from executions.node_states import Visits, visit_state
from executions.serializers import (
    CancelBody,
    CancelledSerializer,
    ExecuteBody,
    ExecutionSerializer,
    ExecutionSummarySerializer,
    FinishedSerializer,
    NodeLogSerializer,
    StartedSerializer,
    VisitQuery,
    VisitsQuery,
)
from executions.waiting import wait_for_answer
from workflows.http import idempotency
from workflows.http.auth import Caller, caller_of
from workflows.http.errors import ObjectNotFound
from workflows.http.views import Endpoints, find
from workflows.models import Workflow
from workflows.services import version_to_run

logger = logging.getLogger(__name__)


class ExecuteViewSet(Endpoints):
    """Its own viewset, since workflows know nothing of runs; its address is below that of workflows."""

    queryset = Workflow.objects.none()
    scopes = {"execute": {"workflows:read", "workflows:execute"}}

    @extend_schema(
        request=ExecuteBody,
        responses={
            202: OpenApiResponse(StartedSerializer, "It has been stored, and will run."),
            200: OpenApiResponse(FinishedSerializer, "It was over, or had a `response`, within `wait` seconds."),
        },
        parameters=[idempotency.PARAMETER],
    )
    def execute(self, request: Request, pk: str) -> Response:
        """Start a run of the published version, or of the one that is named.

        With `wait`, the run that is over by then is the answer. A `response` node answers at once: `response` holds the
        status, body and headers it wants, and the run may still be going on.
        """
        workflow = find(Workflow.objects.alive().of(self.caller.workspace_id).defer("definition"), pk)
        body = self.body(ExecuteBody)

        def act() -> Response:
            execution = services.start_execution(
                version_to_run(workflow, body.get("version")),
                inputs=body.get("inputs", {}),
                tags=body.get("tags", ()),
                entry=body.get("entry"),
                until=body.get("until_node"),
                started_by=self.caller.user,
            )
            return Response(started(execution, request), status=status.HTTP_202_ACCEPTED)

        answer = idempotency.once(request, act)
        return self._answered(answer, timedelta(seconds=body.get("wait", 0))) or answer

    def _answered(self, answer: Response, wait: timedelta) -> Response | None:
        """The run, if it has ended or has a response before *wait* is over.

        From here on the run exists, so nothing may fail the request: who sees a 5xx would start it again.
        """
        if not wait:
            return None
        execution_id = UUID(str(answer.data["execution_id"]))
        try:
            if not wait_for_answer(execution_id, timeout=wait):
                return None
            execution = _shown(self.caller).get(pk=execution_id)
            return Response(FinishedSerializer(execution, context={"realtime": answer.data["realtime"]}).data)
        except Exception:
            logger.exception("execution %s was started, but could not be waited for", execution_id)
            return None


class ExecutionViewSet(Endpoints):
    queryset = Execution.objects.none()
    filterset_class = ExecutionFilter
    scopes = {
        "list": {"executions:read"},
        "retrieve": {"executions:read"},
        "nodes": {"executions:read"},
        "node": {"executions:read"},
        "cancel": {"executions:read", "executions:cancel"},
    }

    @extend_schema(responses=ExecutionSummarySerializer(many=True))
    def list(self, request: Request) -> Response:
        """The workspace's runs, newest first. Outputs of more than 256 KB are left out: the run itself has them."""
        del request
        executions = _shown(self.caller).defer("response").order_by("-created_at", "-pk")
        page = self.page_of(self.filter_queryset(executions))
        return self.get_paginated_response(ExecutionSummarySerializer(page, many=True).data)

    @extend_schema(responses=ExecutionSerializer)
    def retrieve(self, request: Request, pk: str) -> Response:
        """A run: how far it is, what it returned or why it failed, and the tokens it used."""
        del request
        return Response(ExecutionSerializer(find(_shown(self.caller), pk)).data)

    @extend_schema(responses=NodeLogSerializer(many=True), parameters=[VisitsQuery])
    @action(detail=True, methods=["get"], filterset_class=None)
    def nodes(self, request: Request, pk: str) -> Response:
        """Every visit of the run, with what it was given and gave back.

        First the top-level nodes in plan order, then those in bodies, each in its scope, as they came. An output of
        more than 256 KB is not in the list: `output_omitted` is its size, and the node itself has it.
        """
        del request
        execution = find(_shown(self.caller), pk)
        query = self.query(VisitsQuery)
        page = self.page_of(Visits(execution, node_id=query.get("node_id") or None, scope=query.get("scope")))
        return self.get_paginated_response(NodeLogSerializer(node_logs(execution, page), many=True).data)

    @extend_schema(
        responses=NodeLogSerializer,
        parameters=[OpenApiParameter("node_id", str, OpenApiParameter.PATH), VisitQuery],
    )
    @action(detail=True, methods=["get"], url_path=r"nodes/(?P<node_id>[A-Za-z_][A-Za-z0-9_-]{0,127})")
    def node(self, request: Request, pk: str, node_id: str) -> Response:
        """One node of the run, with the whole of its output."""
        del request
        execution = find(_shown(self.caller), pk)
        scope = self.query(VisitQuery).get("scope", TOP)
        state = visit_state(execution, node_id, scope)
        if state is None:
            raise ObjectNotFound("Node", f"{scope}/{node_id}" if scope else node_id)
        return Response(NodeLogSerializer(node_logs(execution, [state], whole=True)[0]).data)

    @extend_schema(request=CancelBody, responses={200: CancelledSerializer}, parameters=[idempotency.PARAMETER])
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        """End a run now; outputs so far are kept. One that was cancelled before is answered alike."""
        execution = find(_shown(self.caller), pk)
        reason = self.body(CancelBody).get("reason", f"Cancelled by {self.caller.name}")

        def act() -> Response:
            try:
                services.cancel_execution(execution.pk, reason=reason)
            except NotCancellable as over:
                if over.status != RunStatus.CANCELLED:
                    raise
            return Response({"id": execution.pk, "status": "cancelled", "message": "Execution has been cancelled."})

        return idempotency.once(request, act)


def started(execution: Execution, request: Request) -> dict[str, Any]:
    """What a caller is told of a run that was just stored."""
    websocket = request.build_absolute_uri(f"/ws/executions/{execution.pk}/")
    return {
        "execution_id": execution.pk,
        "workflow_id": execution.workflow_id,
        "status": execution.status,
        "inputs": execution.inputs,
        "realtime": {
            "token": tickets.issue(
                execution.pk, execution.workspace_id, resume=False, holder=caller_of(request).holder
            ),
            "websocket_url": f"ws{websocket.removeprefix('http')}",
            "events_url": request.build_absolute_uri(f"{reverse('execution-detail', args=[execution.pk])}/events"),
        },
    }


def _shown(caller: Caller) -> QuerySet[Execution]:
    """The caller's runs, with what every answer about one says of its workflow and version."""
    executions = Execution.objects.of(caller.workspace_id).select_related("workflow", "version")
    return executions.defer("workflow__definition", "version__definition", "version__plan")
