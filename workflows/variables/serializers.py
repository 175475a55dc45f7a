"""Shapes of variables on the wire. The value of a secret is taken and never given."""

from __future__ import annotations

from typing import Final

from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers

from workflows.http.serializers import Body
from workflows.variables.models import LONGEST_NAME, NAME, Variable

LONGEST_VALUE: Final = 32_768  # characters; a chain of certificates with its key has some 10,000


@extend_schema_serializer(component_name="Variable")
class VariableSerializer(serializers.ModelSerializer[Variable]):
    """A variable of the workspace."""

    value = serializers.SerializerMethodField("readable", help_text="Null for a secret: it cannot be read.")

    class Meta:
        model = Variable
        fields = ["id", "name", "value", "secret", "created_at", "updated_at"]
        read_only_fields = fields

    def readable(self, variable: Variable) -> str | None:
        return None if variable.secret else variable.value


@extend_schema_serializer(
    examples=[OpenApiExample("A secret", value={"name": "SHOP_TOKEN", "value": "tok-5f1c9e", "secret": True})],
)
class NewVariable(Body):
    """A variable to be: workflows read it as `{{env.NAME}}`."""

    name = serializers.RegexField(
        NAME,
        max_length=LONGEST_NAME,
        error_messages={"invalid": "A name has letters (A to Z), digits and _, and does not begin with a digit."},
    )
    value = serializers.CharField(
        max_length=LONGEST_VALUE,
        allow_blank=True,
        trim_whitespace=False,
        help_text="A secret has at least 4 characters, and none of them is •.",
    )
    secret = serializers.BooleanField(
        required=False, help_text="Encrypted, never given back, and ••• wherever a run would show it. Default: false."
    )


@extend_schema_serializer(component_name="VariableChanges")
class ChangedVariable(NewVariable):
    """What is to be different. A secret becomes plain only with a new value."""
