"""The API of workflows and of the catalogue of node types."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from handlers.integrations import directory
from handlers.registry import catalogue
from workflows import services
from workflows.errors import UnknownVersion
from workflows.filters import WorkflowFilter
from workflows.http import idempotency
from workflows.http.errors import ObjectNotFound
from workflows.http.views import Endpoints, find
from workflows.models import Workflow, WorkflowVersion
from workflows.serializers import (
    ChangedWorkflow,
    DefinitionToValidate,
    DeletedSerializer,
    JudgedWorkflowSerializer,
    NewWorkflow,
    NodeTypeSerializer,
    ProviderSerializer,
    VerdictSerializer,
    VersionSerializer,
    VersionSummarySerializer,
    WorkflowSerializer,
    WorkflowSummarySerializer,
)

_NUMBER = OpenApiParameter("number", int, OpenApiParameter.PATH, description="The version's number.")


class WorkflowViewSet(Endpoints):
    queryset = Workflow.objects.none()  # tells the schema what {id} is; `mine` is what is looked in
    filterset_class = WorkflowFilter
    scopes = {
        "list": {"workflows:read"},
        "create": {"workflows:write"},
        "retrieve": {"workflows:read"},
        "partial_update": {"workflows:write"},
        "destroy": {"workflows:write"},
        "validate": {"workflows:read"},
        "publish": {"workflows:write"},
        "versions": {"workflows:read"},
        "version": {"workflows:read"},
    }

    def mine(self) -> QuerySet[Workflow]:
        return Workflow.objects.alive().of(self.caller.workspace_id)

    @extend_schema(responses=WorkflowSummarySerializer(many=True))
    def list(self, request: Request) -> Response:
        """The workspace's workflows, newest first, without their definitions."""
        del request
        workflows = self.mine().select_related("published").order_by("-created_at", "-pk")
        light = workflows.defer("definition", "published__definition", "published__plan")
        page = self.page_of(self.filter_queryset(light))
        return self.get_paginated_response(WorkflowSummarySerializer(page, many=True).data)

    @extend_schema(request=NewWorkflow, responses={201: JudgedWorkflowSerializer}, parameters=[idempotency.PARAMETER])
    def create(self, request: Request) -> Response:
        """Draw a workflow. Without errors it is published as version 1 at once; with some it is kept as a draft."""
        body = self.body(NewWorkflow)

        def act() -> Response:
            workflow, examined = services.create_workflow(self.caller.workspace_id, created_by=self.caller.user, **body)
            return Response(_judged(workflow, examined), status=status.HTTP_201_CREATED)

        return idempotency.once(request, act)

    @extend_schema(responses=WorkflowSerializer)
    def retrieve(self, request: Request, pk: str) -> Response:
        """A workflow with its draft, and the inputs that it takes."""
        del request
        return Response(WorkflowSerializer(self._one(pk)).data)

    @extend_schema(request=ChangedWorkflow, responses=JudgedWorkflowSerializer)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change a workflow. A new definition becomes the draft, errors and all; what is published stays so."""
        del request
        workflow = self._one(pk)
        changes = self.body(ChangedWorkflow, partial=True)
        return Response(_judged(*services.update_workflow(workflow.pk, changes=changes)))

    @extend_schema(responses={200: DeletedSerializer})
    def destroy(self, request: Request, pk: str) -> Response:
        """Take a workflow away. Runs of it go on, and stay readable."""
        del request
        workflow = self._one(pk)
        services.delete_workflow(workflow.pk)
        return Response({"id": workflow.pk, "deleted": True})

    @extend_schema(request=DefinitionToValidate, responses={200: VerdictSerializer})
    @action(detail=False, methods=["post"], filterset_class=None)
    def validate(self, request: Request) -> Response:
        """Every issue of a definition at once. Nothing is stored."""
        del request
        definition = self.body(DefinitionToValidate)["definition"]
        examined = services.examine(definition, workspace_id=self.caller.workspace_id)
        return Response(VerdictSerializer({"valid": examined.is_valid, "issues": examined.issues}).data)

    @extend_schema(
        request=None,
        responses={
            201: OpenApiResponse(VersionSerializer, "The draft is the next version, and runs from now on."),
            200: OpenApiResponse(VersionSerializer, "The draft was published already."),
        },
        parameters=[idempotency.PARAMETER],
    )
    @action(detail=True, methods=["post"])
    def publish(self, request: Request, pk: str) -> Response:
        """Make the draft the next version. Refused while it has errors, all of which are told."""
        workflow = self._one(pk)

        def act() -> Response:
            version, is_new = services.publish_version(workflow.pk, published_by=self.caller.user)
            answer = status.HTTP_201_CREATED if is_new else status.HTTP_200_OK
            return Response(VersionSerializer(version).data, status=answer)

        return idempotency.once(request, act)

    @extend_schema(responses=VersionSummarySerializer(many=True))
    @action(detail=True, methods=["get"], filterset_class=None)
    def versions(self, request: Request, pk: str) -> Response:
        """The workflow's versions, newest first."""
        del request
        versions = _versions_of(self._one(pk)).defer("definition", "plan", "workflow__definition")
        page = self.page_of(versions.order_by("-number"))
        return self.get_paginated_response(VersionSummarySerializer(page, many=True).data)

    @extend_schema(responses=VersionSerializer, parameters=[_NUMBER])
    @action(detail=True, methods=["get"], url_path=r"versions/(?P<number>[0-9]{1,9})")
    def version(self, request: Request, pk: str, number: str) -> Response:
        """One version, with its definition."""
        del request
        version = _versions_of(self._one(pk)).filter(number=int(number)).first()
        if version is None:
            raise UnknownVersion(int(number))
        return Response(VersionSerializer(version).data)

    def _one(self, pk: str) -> Workflow:
        return find(self.mine().select_related("published"), pk)


class NodeTypeViewSet(Endpoints):
    scopes = {
        "list": {"workflows:read"},
        "retrieve": {"workflows:read"},
        "providers": {"workflows:read"},
        "provider": {"workflows:read"},
    }
    pagination_class = None  # a palette needs them all, and there are some dozens
    filter_backends = []
    lookup_field = "type"
    lookup_value_regex = r"[A-Za-z0-9_.-]+"

    @extend_schema(responses=NodeTypeSerializer(many=True))
    def list(self, request: Request) -> Response:
        """The node types a workflow can be drawn with, by name, all at once."""
        del request
        return Response([node_type.to_json() for node_type in catalogue.values()])

    @extend_schema(
        responses=NodeTypeSerializer,
        parameters=[OpenApiParameter("type", str, OpenApiParameter.PATH, description="The type's name, or an alias.")],
    )
    def retrieve(self, request: Request, type: str) -> Response:  # noqa: A002 -- the name of the path's part
        """One node type."""
        del request
        if type not in catalogue:
            raise ObjectNotFound("NodeType", type)
        return Response(catalogue[type].to_json())

    @extend_schema(responses=ProviderSerializer(many=True))
    @action(detail=False, url_path="integration/providers")
    def providers(self, request: Request) -> Response:
        """The services that `integration` nodes can ask, by name, with what they can do."""
        del request
        return Response([provider.to_json() for provider in directory().values()])

    @extend_schema(
        responses=ProviderSerializer,
        parameters=[OpenApiParameter("name", str, OpenApiParameter.PATH, description="Its name, or an alias.")],
    )
    @action(detail=False, url_path=r"integration/providers/(?P<name>[A-Za-z0-9_.-]+)")
    def provider(self, request: Request, name: str) -> Response:
        """One service."""
        del request
        if name not in directory():
            raise ObjectNotFound("Provider", name)
        return Response(directory()[name].to_json())


def _versions_of(workflow: Workflow) -> QuerySet[WorkflowVersion]:
    return WorkflowVersion.objects.filter(workflow=workflow).select_related("workflow", "created_by")


def _judged(workflow: Workflow, examined: services.Examined) -> Any:
    return JudgedWorkflowSerializer(workflow, context={"issues": examined.issues}).data
