"""The API of runs."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from executions import rerunning, services, tickets
from executions.bodies import NEWEST, CancelBody, ExecuteBody, RerunBody, RetryBody, VisitQuery, VisitsQuery
from executions.core import NotCancellable, RunStatus
from executions.core.scopes import TOP
from executions.filters import ExecutionFilter
from executions.models import Execution, Snapshot
from executions.node_logs import node_logs
from executions.node_states import Visits, visit_state
from executions.serializers import (
    CancelledSerializer,
    ExecutionSerializer,
    ExecutionSummarySerializer,
    FinishedSerializer,
    NodeLogSerializer,
    StartedSerializer,
)
from executions.ticket_auth import TicketAuthentication
from executions.timeline import timeline_of
from executions.timeline_serializers import TimelineSerializer
from executions.waiting import wait_for_answer
from executions.waitpoints import services as waitpoints
from executions.waitpoints.errors import Unfit
from executions.waitpoints.serializers import (
    AnsweredSerializer,
    PausedSerializer,
    ResumeBody,
    ResumedSerializer,
    SnapshotSerializer,
    SnapshotSummarySerializer,
)
from workflows.http import idempotency
from workflows.http.auth import ApiKeyAuthentication, Caller, WorkspaceSessionAuthentication, caller_of
from workflows.http.errors import ObjectNotFound
from workflows.http.views import Endpoints, find
from workflows.models import Workflow, WorkflowVersion
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
    authentication_classes = [ApiKeyAuthentication, TicketAuthentication, WorkspaceSessionAuthentication]
    filterset_class = ExecutionFilter
    scopes = {
        "list": {"executions:read"},
        "retrieve": {"executions:read"},
        "nodes": {"executions:read"},
        "node": {"executions:read"},
        "timeline": {"executions:read"},
        "cancel": {"executions:read", "executions:cancel"},
        "pause": {"executions:read", "executions:resume"},
        "resume": {"executions:read", "executions:resume"},
        "snapshots": {"executions:read"},
        "snapshot": {"executions:read"},
        "retry": {"executions:read", "workflows:read", "workflows:execute"},
        "rerun": {"executions:read", "workflows:read", "workflows:execute"},
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

    @extend_schema(responses=TimelineSerializer)
    @action(detail=True, methods=["get"])
    def timeline(self, request: Request, pk: str) -> Response:
        """When each node ran, waited and tried again, and when the run stood still; as much as a screen can show."""
        del request
        found = timeline_of(find(_shown(self.caller), pk), now=timezone.now())
        told = {
            "started_at": found.began,
            "completed_at": found.ended,
            "pauses": [{"began_ms": began, "ended_ms": ended} for began, ended in found.pauses],
            "nodes": [{"node_id": node_id, "spans": spans} for node_id, spans in found.nodes.items()],
        }
        return Response(TimelineSerializer(told).data)

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

    @extend_schema(request=None, responses={202: PausedSerializer}, parameters=[idempotency.PARAMETER])
    @action(detail=True, methods=["post"])
    def pause(self, request: Request, pk: str) -> Response:
        """Start nothing new in a run, nor in those that it started; `resume` lets it go on.

        What runs finishes, and then the run is paused. One that is paused on request is answered alike.
        """
        execution = find(_shown(self.caller), pk)

        def act() -> Response:
            services.pause_execution(execution.pk)
            told = {"message": "Execution starts nothing new until it is resumed."}
            return Response(_moved(execution, told), status=status.HTTP_202_ACCEPTED)

        return idempotency.once(request, act)

    @extend_schema(
        request=ResumeBody,
        responses={
            202: ResumedSerializer,
            422: OpenApiResponse(description="Something else was asked for: `invalid_answer`. It can be mended."),
        },
        parameters=[idempotency.PARAMETER],
    )
    @action(detail=True, methods=["post"])
    def resume(self, request: Request, pk: str) -> Response:
        """Answer what people are asked in the run, or let it go on after a pause on request.

        An answer that comes before the run has paused, or while it is paused on request, is kept and applied then.
        Of several answers to one question the first counts, the others are a 409. Where several people decide, an
        answer is the caller's vote.
        """
        execution = find(_shown(self.caller), pk)
        body = self.body(ResumeBody)
        says_something, value = bool(body), body.pop("input", None)

        def act() -> Response:
            told: dict[str, Any] = {"waitpoint": None, "message": "Execution goes on."}
            if says_something:
                answered = waitpoints.answer_in(execution, value, by=self.caller.identity, **body)
                told = {"waitpoint": AnsweredSerializer(answered).data, "message": "The answer has been stored."}
            else:
                waitpoints.go_on(execution)
            return Response(_moved(execution, told), status=status.HTTP_202_ACCEPTED)

        return idempotency.once(request, act, keeps=Unfit)

    @extend_schema(responses=SnapshotSummarySerializer(many=True))
    @action(detail=True, methods=["get"], filterset_class=None)
    def snapshots(self, request: Request, pk: str) -> Response:
        """The moments at which the run paused, newest first."""
        del request
        snapshots = _snapshots(find(_shown(self.caller), pk)).defer("state").order_by("-seq")
        return self.get_paginated_response(SnapshotSummarySerializer(self.page_of(snapshots), many=True).data)

    @extend_schema(responses=SnapshotSerializer, parameters=[OpenApiParameter("seq", int, OpenApiParameter.PATH)])
    @action(detail=True, methods=["get"], url_path=r"snapshots/(?P<seq>[0-9]{1,18})")
    def snapshot(self, request: Request, pk: str, seq: str) -> Response:
        """The run as it was when it paused: where each node stands, and the workflow's variables."""
        del request
        found = _snapshots(find(_shown(self.caller), pk)).filter(seq=int(seq)).first()
        if found is None:
            raise ObjectNotFound("Snapshot", seq)
        return Response(SnapshotSerializer(found).data)

    @extend_schema(
        request=RetryBody,
        responses={202: OpenApiResponse(StartedSerializer, "It has been stored, and will run.")},
        parameters=[idempotency.PARAMETER],
    )
    @action(detail=True, methods=["post"])
    def retry(self, request: Request, pk: str) -> Response:
        """Begin a run that failed or was cancelled again, where it broke off. What completed is kept.

        The answer is about another run, whose `rerun_of` is this one.
        """
        execution = find(_shown(self.caller), pk)
        body = self.body(RetryBody)

        def act() -> Response:
            run = rerunning.retry_execution(
                execution.pk,
                inputs=body.get("inputs"),
                version=self._version(execution, body.get("version")),
                started_by=self.caller.user,
            )
            return Response(started(run, request), status=status.HTTP_202_ACCEPTED)

        return idempotency.once(request, act)

    @extend_schema(
        request=RerunBody,
        responses={202: OpenApiResponse(StartedSerializer, "It has been stored, and will run.")},
        parameters=[idempotency.PARAMETER],
    )
    @action(detail=True, methods=["post"])
    def rerun(self, request: Request, pk: str) -> Response:
        """Begin a run that is over again, at one of its nodes or from the start. What is not downstream of it is kept.

        The answer is about another run, whose `rerun_of` is this one. A node in the body of a container, or one that
        did not run, is refused.
        """
        execution = find(_shown(self.caller), pk)
        body = self.body(RerunBody)

        def act() -> Response:
            run = rerunning.rerun_execution(
                execution.pk,
                from_node=body.get("from_node"),
                until=body.get("until_node"),
                inputs=body.get("inputs"),
                version=self._version(execution, body.get("version")),
                started_by=self.caller.user,
            )
            return Response(started(run, request), status=status.HTTP_202_ACCEPTED)

        return idempotency.once(request, act)

    def _version(self, execution: Execution, named: int | str | None) -> WorkflowVersion:
        """The version to begin *execution* again on. Of a workflow that was thrown away, none is."""
        workflow = find(
            Workflow.objects.alive().of(self.caller.workspace_id).defer("definition"), execution.workflow_id
        )
        if named == NEWEST:
            return version_to_run(workflow)
        return version_to_run(workflow, named if isinstance(named, int) else execution.version.number)


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


def _moved(execution: Execution, told: dict[str, Any]) -> dict[str, Any]:
    """What is said of a run that was asked to pause or to go on, with its status as it is by now."""
    execution.refresh_from_db(fields=["status"])
    return {"id": execution.pk, "status": execution.status, **told}


def _snapshots(execution: Execution) -> QuerySet[Snapshot]:
    snapshots = Snapshot.objects.filter(execution=execution).select_related("version")
    return snapshots.defer("version__definition", "version__plan")


def _shown(caller: Caller) -> QuerySet[Execution]:
    """The caller's runs, with what every answer about one says of its workflow and version."""
    executions = Execution.objects.of(caller.workspace_id).select_related("workflow", "version")
    return executions.defer("replayed", "workflow__definition", "version__definition", "version__plan")
