"""The API of variables."""

from __future__ import annotations

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from workflows.http import idempotency
from workflows.http.views import Endpoints, find
from workflows.serializers import DeletedSerializer
from workflows.variables import services
from workflows.variables.models import Variable
from workflows.variables.serializers import ChangedVariable, NewVariable, VariableSerializer


class VariableViewSet(Endpoints):
    """Who draws workflows has to know the names. Whoever may write them can read every secret through a workflow."""

    queryset = Variable.objects.none()  # tells the schema what {id} is; `mine` is what is looked in
    scopes = {
        "list": {"workflows:read"},
        "create": {"credentials:write"},
        "retrieve": {"workflows:read"},
        "partial_update": {"credentials:write"},
        "destroy": {"credentials:write"},
    }

    def mine(self) -> QuerySet[Variable]:
        return Variable.objects.of(self.caller.workspace_id)

    @extend_schema(responses=VariableSerializer(many=True))
    def list(self, request: Request) -> Response:
        """The workspace's variables, by name. Those that are secret have no value here."""
        del request
        page = self.page_of(self.mine().order_by("name"))
        return self.get_paginated_response(VariableSerializer(page, many=True).data)

    @extend_schema(request=NewVariable, responses={201: VariableSerializer}, parameters=[idempotency.PARAMETER])
    def create(self, request: Request) -> Response:
        """Set a variable that every workflow of the workspace can read. A name that is taken is a 409."""
        body = self.body(NewVariable)

        def act() -> Response:
            variable = services.create_variable(self.caller.workspace_id, **body)
            return Response(VariableSerializer(variable).data, status=status.HTTP_201_CREATED)

        return idempotency.once(request, act)

    @extend_schema(responses=VariableSerializer)
    def retrieve(self, request: Request, pk: str) -> Response:
        """A variable; of a secret, all but its value."""
        del request
        return Response(VariableSerializer(find(self.mine(), pk)).data)

    @extend_schema(request=ChangedVariable, responses=VariableSerializer)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change a variable. Runs read it as they go on; a secret becomes plain only with a new value."""
        del request
        variable = find(self.mine(), pk)
        changes = self.body(ChangedVariable, partial=True)
        return Response(VariableSerializer(services.update_variable(variable.pk, changes=changes)).data)

    @extend_schema(responses={200: DeletedSerializer})
    def destroy(self, request: Request, pk: str) -> Response:
        """Remove a variable. A node that reads it from now on fails, and names it."""
        del request
        variable = find(self.mine(), pk)
        services.delete_variable(variable.pk)
        return Response({"id": variable.pk, "deleted": True})
