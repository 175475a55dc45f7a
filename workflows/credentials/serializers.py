"""Shapes of credentials on the wire. A secret is taken and never given."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from workflows.credentials.models import LONGEST_NAME, Credential
from workflows.http.serializers import Body, JSONObjectField


class CredentialTestSerializer(serializers.Serializer[Any]):
    """What came of trying a credential out."""

    at = serializers.DateTimeField(source="tested_at")
    succeeded = serializers.BooleanField(source="test_succeeded")
    message = serializers.CharField(source="test_message", help_text="In a sentence, without secrets.")


@extend_schema_serializer(component_name="Credential")
class CredentialSerializer(serializers.ModelSerializer[Credential]):
    """A credential of the workspace, without its secrets."""

    values = JSONObjectField(source="plain", help_text="The fields that are no secrets.")
    fields_set = serializers.SerializerMethodField(
        "names_set", help_text="The fields that have a value, secret ones among them."
    )
    status = serializers.SerializerMethodField(
        "present_status", help_text="expired: its provider renews it no more, so new values have to be put in."
    )
    expires_at = serializers.DateTimeField(
        allow_null=True, help_text="When an oauth2 access token runs out; it is renewed before. Null: nobody said."
    )
    last_used_at = serializers.DateTimeField(allow_null=True, help_text="By a node; a minute more or less.")
    last_test = serializers.SerializerMethodField("tested", help_text="Of the present values; null: they were not.")

    class Meta:
        model = Credential
        fields = [
            *("id", "name", "kind", "values", "fields_set", "status", "expires_at", "last_used_at", "last_test"),
            *("created_at", "updated_at"),
        ]
        read_only_fields = fields

    def names_set(self, credential: Credential) -> list[str]:
        return sorted([*credential.plain, *credential.secrets_set])

    @extend_schema_field({"type": "string", "enum": ["ready", "expired"]})
    def present_status(self, credential: Credential) -> str:
        return "ready" if credential.refused_at is None else "expired"

    @extend_schema_field(CredentialTestSerializer(allow_null=True))
    def tested(self, credential: Credential) -> Any:
        return None if credential.tested_at is None else CredentialTestSerializer(credential).data


@extend_schema_serializer(component_name="CredentialAuthorization")
class AuthorizationSerializer(serializers.Serializer[Any]):
    """Where somebody is asked to let a credential in."""

    url = serializers.CharField(help_text="For a browser.")
    expires_at = serializers.DateTimeField(help_text="When its answer is too late.")


@extend_schema_serializer(component_name="CredentialKind")
class KindSerializer(serializers.Serializer[Any]):
    """What a kind of credential is made of."""

    kind = serializers.CharField()
    title = serializers.CharField()
    description = serializers.CharField()
    schema = JSONObjectField(help_text="JSON Schema of `values`; a form can be drawn from it.")
    secret_fields = serializers.ListField(child=serializers.CharField(), help_text="Those that are never given back.")


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "A token", value={"name": "Shop", "kind": "bearer", "values": {"token": "tok-5f1c9e", "base_url": None}}
        )
    ],
)
class NewCredential(Body):
    """A credential to be. Nodes name it by its id or its name."""

    name = serializers.CharField(max_length=LONGEST_NAME)
    kind = serializers.CharField(max_length=64, help_text="One of GET /credentials/kinds.")
    values = JSONObjectField(help_text="The fields of the kind. A secret has at least 4 characters, none of them •.")
    expires_at = serializers.DateTimeField(required=False, help_text="When an oauth2 access token runs out.")


@extend_schema_serializer(component_name="CredentialChanges")
class ChangedCredential(Body):
    """What is to be different. Values are merged field by field: one that is not named stays, null empties one."""

    name = serializers.CharField(max_length=LONGEST_NAME)
    values = JSONObjectField()
    expires_at = serializers.DateTimeField()
