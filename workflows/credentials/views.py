"""The API of credentials."""

from __future__ import annotations

from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from workflows.credentials import connecting, services
from workflows.credentials.kind import kinds
from workflows.credentials.models import Credential
from workflows.credentials.pages import CALLBACK
from workflows.credentials.serializers import (
    AuthorizationSerializer,
    ChangedCredential,
    CredentialSerializer,
    KindSerializer,
    NewCredential,
)
from workflows.http import idempotency
from workflows.http.views import Endpoints, find
from workflows.serializers import DeletedSerializer


class CredentialViewSet(Endpoints):
    """Who draws workflows has to know which there are. No door gives a secret back."""

    queryset = Credential.objects.none()  # tells the schema what {id} is; `mine` is what is looked in
    scopes = {
        "list": {"workflows:read"},
        "kinds": {"workflows:read"},
        "create": {"credentials:write"},
        "retrieve": {"workflows:read"},
        "partial_update": {"credentials:write"},
        "destroy": {"credentials:write"},
        "test": {"credentials:write"},
        "authorize": {"credentials:write"},
    }

    def mine(self) -> QuerySet[Credential]:
        return Credential.objects.of(self.caller.workspace_id)

    @extend_schema(responses=CredentialSerializer(many=True))
    def list(self, request: Request) -> Response:
        """The workspace's credentials, by name. Of their secrets, only which are set."""
        del request
        page = self.page_of(self.mine().order_by("name"))
        return self.get_paginated_response(CredentialSerializer(page, many=True).data)

    @extend_schema(responses=KindSerializer(many=True), filters=False)
    @action(detail=False, pagination_class=None)
    def kinds(self, request: Request) -> Response:
        """The kinds of credentials. Each with the JSON Schema of what is filled in, and which of it is secret."""
        del request
        return Response(KindSerializer([kind.to_json() for kind in kinds().values()], many=True).data)

    @extend_schema(request=NewCredential, responses={201: CredentialSerializer}, parameters=[idempotency.PARAMETER])
    def create(self, request: Request) -> Response:
        """Keep a credential. Its values are checked by the schema of its kind; a name that is taken is a 409."""
        body = self.body(NewCredential)

        def act() -> Response:
            filled = body.pop("values")
            by = self.caller.user
            credential = services.create_credential(self.caller.workspace_id, filled=filled, created_by=by, **body)
            return Response(CredentialSerializer(credential).data, status=status.HTTP_201_CREATED)

        return idempotency.once(request, act)

    @extend_schema(responses=CredentialSerializer)
    def retrieve(self, request: Request, pk: str) -> Response:
        """A credential; of its secrets, only which are set."""
        del request
        return Response(CredentialSerializer(find(self.mine(), pk)).data)

    @extend_schema(request=ChangedCredential, responses=CredentialSerializer)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change a credential. Values are merged field by field; nodes get the new ones from now on."""
        del request
        credential = find(self.mine(), pk)
        changes = self.body(ChangedCredential, partial=True)
        return Response(CredentialSerializer(services.update_credential(credential.pk, changes=changes)).data)

    @extend_schema(responses={200: DeletedSerializer})
    def destroy(self, request: Request, pk: str) -> Response:
        """Remove a credential. A node that asks for it from now on fails, and says so."""
        del request
        credential = find(self.mine(), pk)
        services.delete_credential(credential.pk)
        return Response({"id": credential.pk, "deleted": True})

    @extend_schema(request=None, responses=CredentialSerializer)
    @action(detail=True, methods=["post"])
    def test(self, request: Request, pk: str) -> Response:
        """Try a credential out. What came of it is in `last_test`; a 409 says what is missing to try it out on.

        A key or a password is sent to the `test_url` or `base_url`; an oauth2 credential is renewed; a database or a
        mail server is logged in to. It takes 15 seconds at most.
        """
        del request
        credential = find(self.mine(), pk)
        return Response(CredentialSerializer(services.test_credential(credential.pk)).data)

    @extend_schema(responses=AuthorizationSerializer)
    @action(detail=True)
    def authorize(self, request: Request, pk: str) -> Response:
        """Where the owner of an oauth2 credential lets it in. Opened, it leads back to a page that says how it went.

        Register `/oauth/callback` of this site with the provider. The address is of use once, for ten minutes; begun
        with a session, only to the same person.
        """
        credential = find(self.mine(), pk)
        redirect_uri = request.build_absolute_uri(reverse(CALLBACK))
        asked = connecting.begin(
            credential.pk, redirect_uri=redirect_uri, asked_by=self.caller.user, now=timezone.now()
        )
        return Response(AuthorizationSerializer(asked).data)
