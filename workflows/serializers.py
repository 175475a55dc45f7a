"""Shapes of workflows on the wire. Those that are sent to us are `Body`s, those that we send say every field."""

from __future__ import annotations

from typing import Any, Final

from drf_spectacular.utils import OpenApiExample, extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from handlers import ContainerKind, Effect, Lane
from workflows.core import Severity
from workflows.http.serializers import Body, EnumField, JSONObjectField, TagsField
from workflows.inputs import described_inputs
from workflows.models import Workflow, WorkflowVersion
from workflows.services import has_unpublished_changes

LONGEST_NAME: Final = 255  # characters
LONGEST_DESCRIPTION: Final = 10_000

GREETING: Final = {
    "nodes": {
        "who": {"type": "input", "name": "Who", "config": {"inputName": "name"}, "position": {"x": 0, "y": 0}},
        "greet": {
            "type": "output",
            "name": "Greet",
            "config": {"outputName": "greeting", "value": "Hello, {{who.name}}!"},
            "position": {"x": 240, "y": 0},
        },
    },
    "edges": [{"id": "e1", "source": "who", "target": "greet"}],
}

_INPUTS_SCHEMA: Final = {
    "type": ["object", "null"],
    "description": "What to send as `inputs`, by input node.",
    "additionalProperties": {
        "type": "object",
        "properties": {
            "name": {"type": ["string", "null"], "description": "The key in `inputs`; null: the node takes them all."},
            "type": {"type": "string"},
            "label": {"type": "string"},
            "required": {"type": "boolean"},
            "description": {"type": ["string", "null"]},
        },
        "required": ["name", "type", "label", "required", "description"],
    },
}


class IssueSerializer(serializers.Serializer[Any]):
    """Something that is wrong with a definition. Errors keep it from running, warnings do not."""

    code = serializers.CharField()
    severity = EnumField(Severity)
    message = serializers.CharField()
    node_id = serializers.CharField(required=False)
    edge_id = serializers.CharField(required=False)
    field = serializers.CharField(required=False)
    suggestion = serializers.CharField(required=False)

    def to_representation(self, instance: Any) -> Any:
        return instance.to_json()


@extend_schema_serializer(component_name="WorkflowSummary")
class WorkflowSummarySerializer(serializers.ModelSerializer[Workflow]):
    """A workflow in a list."""

    version = serializers.SerializerMethodField(help_text="Number of the published version; null while there is none.")
    tags = serializers.ListField(child=serializers.CharField())

    class Meta:
        model = Workflow
        fields = ["id", "name", "description", "tags", "version", "created_at", "updated_at"]
        read_only_fields = fields

    def get_version(self, workflow: Workflow) -> int | None:
        return workflow.published.number if workflow.published else None


@extend_schema_serializer(component_name="Workflow")
class WorkflowSerializer(WorkflowSummarySerializer):
    """A workflow with its draft. `inputs` are those of the published version, or of the draft while there is none."""

    definition = JSONObjectField(help_text="The draft, as it was sent.")
    unpublished_changes = serializers.SerializerMethodField(help_text="Whether the draft differs from what runs.")
    inputs = serializers.SerializerMethodField()

    class Meta(WorkflowSummarySerializer.Meta):
        fields = [*WorkflowSummarySerializer.Meta.fields, "definition", "unpublished_changes", "inputs"]

    def get_unpublished_changes(self, workflow: Workflow) -> bool:
        return has_unpublished_changes(workflow)

    @extend_schema_field(_INPUTS_SCHEMA)
    def get_inputs(self, workflow: Workflow) -> Any:
        return described_inputs((workflow.published or workflow).definition)


@extend_schema_serializer(component_name="JudgedWorkflow")
class JudgedWorkflowSerializer(WorkflowSerializer):
    """A workflow that was just written, and what is wrong with its draft."""

    # Issues are handed in as context["issues"]: who wrote the workflow has them at hand.
    issues = serializers.SerializerMethodField()

    class Meta(WorkflowSerializer.Meta):
        fields = [*WorkflowSerializer.Meta.fields, "issues"]

    @extend_schema_field(IssueSerializer(many=True))
    def get_issues(self, workflow: Workflow) -> Any:
        del workflow
        return IssueSerializer(self.context["issues"], many=True).data


@extend_schema_serializer(component_name="VersionSummary")
class VersionSummarySerializer(serializers.ModelSerializer[WorkflowVersion]):
    """A numbered version in a list."""

    version = serializers.IntegerField(source="number")
    published = serializers.SerializerMethodField(help_text="Whether this is the version that runs.")
    created_by = serializers.CharField(source="created_by.username", default=None, allow_null=True)

    class Meta:
        model = WorkflowVersion
        fields = ["id", "workflow_id", "version", "published", "created_by", "created_at"]
        read_only_fields = fields

    def get_published(self, version: WorkflowVersion) -> bool:
        return version.workflow.published_id == version.pk


@extend_schema_serializer(component_name="Version")
class VersionSerializer(VersionSummarySerializer):
    """A numbered version. It never changes."""

    definition = JSONObjectField()

    class Meta(VersionSummarySerializer.Meta):
        fields = [*VersionSummarySerializer.Meta.fields, "definition"]


class DeletedSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    deleted = serializers.BooleanField()


class VerdictSerializer(serializers.Serializer[Any]):
    """All that is wrong with a definition."""

    valid = serializers.BooleanField(help_text="Whether it could be published: there is no error among the issues.")
    issues = IssueSerializer(many=True)


@extend_schema_serializer(
    examples=[OpenApiExample("A greeting", value={"name": "Greeting", "tags": ["demo"], "definition": GREETING})]
)
class NewWorkflow(Body):
    """A workflow to be. Both formats of definitions are taken: the stored one and the editor's."""

    name = serializers.CharField(max_length=LONGEST_NAME)
    description = serializers.CharField(max_length=LONGEST_DESCRIPTION, allow_blank=True, required=False)
    definition = JSONObjectField()
    tags = TagsField(required=False)


@extend_schema_serializer(component_name="WorkflowChanges")
class ChangedWorkflow(NewWorkflow):
    """What is to be different. A changed definition becomes the draft; it runs once it is published."""


@extend_schema_serializer(examples=[OpenApiExample("A greeting", value={"definition": GREETING})])
class DefinitionToValidate(Body):
    """A definition of either format."""

    definition = JSONObjectField()


class NodeTypeSerializer(serializers.Serializer[Any]):
    """A row of the catalogue: enough to draw a form from."""

    type = serializers.CharField()
    aliases = serializers.ListField(child=serializers.CharField())
    title = serializers.CharField()
    category = serializers.CharField()
    description = serializers.CharField(help_text="Markdown.")
    effect = EnumField(Effect)
    lane = EnumField(Lane)
    handles = serializers.ListField(child=serializers.CharField(), help_text="Values of an edge's sourceHandle.")
    container = EnumField(ContainerKind, allow_null=True, help_text="How the engine runs its body, if it has one.")
    terminal = serializers.BooleanField(help_text="What it produces, by name, is the run's output.")
    pauses = serializers.BooleanField(help_text="It may wait for something outside: a person, a moment, an event.")
    retry = JSONObjectField(
        allow_null=True,
        help_text="What a node without a `retry` of its own is tried by: attempts, initialIntervalMs, factor,"
        " maxIntervalMs. Null: a failure is final.",
    )
    config_schema = JSONObjectField(help_text="JSON Schema of the configuration.")
    output_schema = JSONObjectField(
        allow_null=True, help_text="JSON Schema of the output. Null: it depends on the node; see the description."
    )


class OperationSerializer(serializers.Serializer[Any]):
    """Something that a service can do, enough to draw a form from."""

    operation = serializers.CharField()
    aliases = serializers.ListField(child=serializers.CharField())
    title = serializers.CharField()
    description = serializers.CharField(help_text="Markdown.")
    paged = serializers.BooleanField(help_text="It answers in pages, which a node puts together.")
    parameters_schema = JSONObjectField(help_text="JSON Schema of the parameters.")


class ProviderSerializer(serializers.Serializer[Any]):
    """A service that `integration` nodes can ask, and what it can do."""

    provider = serializers.CharField()
    aliases = serializers.ListField(child=serializers.CharField())
    title = serializers.CharField()
    description = serializers.CharField(help_text="Markdown: what it is, and which credential it takes.")
    base_url = serializers.CharField(help_text="Where its API is, unless the credential has a base URL of its own.")
    operations = OperationSerializer(many=True)
