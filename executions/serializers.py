"""Shapes of runs on the wire."""

from __future__ import annotations

from typing import Any, Final

from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from executions import run_outputs
from executions.bulk import BulkAction
from executions.core import NodeStatus, RunStatus
from executions.core.statuses import PauseReason
from executions.metadata import metadata_of
from executions.models import Execution
from executions.node_states import node_states
from executions.totals import progress, token_totals
from executions.waited_for import MOST, state_of, waited_for
from handlers import PauseKind
from workflows.http.serializers import EnumField, JSONObjectField, JSONValueField

_OMITTED: Final = serializers.IntegerField(
    allow_null=True, help_text="Characters of what is left out here for its size; null: it is whole."
)


class RunErrorSerializer(serializers.Serializer[Any]):
    """Why a run or a node failed."""

    message = serializers.CharField()
    code = serializers.CharField()
    node_id = serializers.CharField(allow_null=True, required=False)
    attempts = serializers.IntegerField(required=False)
    at = serializers.DateTimeField(required=False)
    details = JSONObjectField(required=False)

    def to_representation(self, instance: Any) -> Any:
        return instance  # as the engine wrote it


class ParentSerializer(serializers.Serializer[Any]):
    """The node of another run that started this one and waits for its end."""

    execution_id = serializers.UUIDField(source="parent_id")
    node_id = serializers.CharField(source="parent_node")
    scope = serializers.CharField(
        source="parent_scope", help_text="Path of iterations and branches; empty at the top.", allow_blank=True
    )


class ResponseSerializer(serializers.Serializer[Any]):
    """What the first `response` node said to whoever waits."""

    status = serializers.IntegerField(help_text="HTTP status.")
    body = JSONValueField()
    headers = serializers.DictField(child=serializers.CharField(), required=False)

    def to_representation(self, instance: Any) -> Any:
        return instance  # as the node wrote it


class ProgressSerializer(serializers.Serializer[Any]):
    completed = serializers.IntegerField(help_text="Nodes that are through: completed, failed, skipped, cancelled.")
    total = serializers.IntegerField(help_text="Nodes that take part.")
    percentage = serializers.IntegerField()


class PauseSerializer(serializers.Serializer[Any]):
    """Why a run is paused, and since when."""

    reason = EnumField(PauseReason, help_text="It waits for what `waiting_for` says, or somebody asked for the pause.")
    since = serializers.DateTimeField()


class NeededVotesSerializer(serializers.Serializer[Any]):
    needed = serializers.IntegerField(help_text="How many have to say yes.")
    voters = serializers.IntegerField(help_text="How many may vote.")


class WantedEventSerializer(serializers.Serializer[Any]):
    type = serializers.CharField()
    matches = JSONObjectField(help_text="Paths in its payload, and what has to be there.")


class WaitingForSerializer(serializers.Serializer[Any]):
    """Something that a run waits for right now."""

    id = serializers.UUIDField()
    execution_id = serializers.UUIDField(help_text="The run that waits: this one, or one that a node of it started.")
    node_id = serializers.CharField()
    scope = serializers.CharField(help_text="Path of iterations and branches; empty at the top.")
    path = serializers.CharField(help_text="Of the node, as seen from this run: `loop[0]/ask`, `call/ask`.")
    kind = EnumField(PauseKind)
    prompt = serializers.CharField(allow_null=True, help_text="What is asked, for people.")
    schema = JSONObjectField(allow_null=True, help_text="JSON Schema of the answer; null: anything.")
    form = JSONObjectField(help_text="How to ask for it: `inputType`, `description` and so on.")
    votes = NeededVotesSerializer(allow_null=True, help_text="Null: the first answer decides.")
    event = WantedEventSerializer(allow_null=True)
    since = serializers.DateTimeField()
    wakes_at = serializers.DateTimeField(allow_null=True, help_text="The moment that it waits for.")
    expires_at = serializers.DateTimeField(allow_null=True, help_text="When it is not waited for any more.")

    def to_representation(self, instance: Any) -> Any:
        return instance  # as executions.waited_for made it


class TokensSerializer(serializers.Serializer[Any]):
    """What language models counted in this run so far, and what that cost."""

    prompt_tokens = serializers.IntegerField()
    completion_tokens = serializers.IntegerField()
    total_tokens = serializers.IntegerField()
    cost_usd = serializers.FloatField(help_text="US dollars, of the models whose price is known.")
    unpriced_tokens = serializers.IntegerField(help_text="The tokens of the other models.")


@extend_schema_serializer(component_name="ExecutionSummary")
class ExecutionSummarySerializer(serializers.ModelSerializer[Execution]):
    """A run in a list."""

    workflow_name = serializers.CharField(source="workflow.name")
    version = serializers.IntegerField(source="version.number")
    status = EnumField(RunStatus)
    until_node = serializers.CharField(allow_null=True, help_text="It goes no further than this node.")
    rerun_of = serializers.UUIDField(
        source="rerun_of_id", allow_null=True, help_text="The run it took over from, by a retry or a rerun."
    )
    rerun_from = serializers.CharField(allow_null=True, help_text="The node at which it began again.")
    parent = serializers.SerializerMethodField()  # type: ignore[assignment]  # fields leave the class: Field.parent stays
    tags = serializers.ListField(child=serializers.CharField())
    inputs = JSONObjectField()
    outputs = serializers.SerializerMethodField()
    outputs_omitted = serializers.SerializerMethodField()
    error = RunErrorSerializer(allow_null=True)
    completed_at = serializers.DateTimeField(source="ended_at", allow_null=True)
    duration_ms = serializers.SerializerMethodField()

    class Meta:
        model = Execution
        fields = [
            "id",
            "workflow_id",
            "workflow_name",
            "version",
            "status",
            "trigger",
            "entry",
            "until_node",
            "parent",
            "rerun_of",
            "rerun_from",
            "tags",
            "inputs",
            "outputs",
            "outputs_omitted",
            "error",
            "created_at",
            "started_at",
            "completed_at",
            "duration_ms",
        ]
        read_only_fields = fields

    @extend_schema_field(JSONObjectField(allow_null=True))
    def get_outputs(self, execution: Execution) -> Any:
        return execution.outputs

    @extend_schema_field(_OMITTED)
    def get_outputs_omitted(self, execution: Execution) -> int | None:
        return run_outputs.omitted(execution, whole=False)

    @extend_schema_field(ParentSerializer(allow_null=True))
    def get_parent(self, execution: Execution) -> Any:
        return None if execution.parent_id is None else ParentSerializer(execution).data

    def get_duration_ms(self, execution: Execution) -> int | None:
        if execution.started_at is None or execution.ended_at is None:
            return None
        return round((execution.ended_at - execution.started_at).total_seconds() * 1000)


@extend_schema_serializer(component_name="Execution")
class ExecutionSerializer(ExecutionSummarySerializer):
    """A run, how far it is, and what it used."""

    response = ResponseSerializer(allow_null=True, help_text="Null while no `response` node has run.")
    pause = serializers.SerializerMethodField()
    waiting_for = serializers.SerializerMethodField()
    progress = serializers.SerializerMethodField()
    tokens = serializers.SerializerMethodField()
    metadata = serializers.SerializerMethodField(help_text="What nodes have said about the run, by key.")

    class Meta(ExecutionSummarySerializer.Meta):
        fields = [
            *ExecutionSummarySerializer.Meta.fields,
            "response",
            "pause",
            "waiting_for",
            "progress",
            "tokens",
            "metadata",
        ]

    @extend_schema_field(JSONObjectField(allow_null=True))
    def get_outputs(self, execution: Execution) -> Any:
        return None if self.get_outputs_omitted(execution) else run_outputs.read(execution)

    @extend_schema_field(_OMITTED)
    def get_outputs_omitted(self, execution: Execution) -> int | None:
        return run_outputs.omitted(execution, whole=True)

    @extend_schema_field(JSONObjectField())
    def get_metadata(self, execution: Execution) -> Any:
        return metadata_of(execution.pk)

    @extend_schema_field(PauseSerializer(allow_null=True))
    def get_pause(self, execution: Execution) -> Any:
        state = state_of(execution) if execution.status == RunStatus.PAUSED else None
        if state is None:
            return None
        return PauseSerializer({"reason": state.pause_reason, "since": state.paused_at}).data

    @extend_schema_field(
        WaitingForSerializer(
            many=True, help_text=f"What is open right now, also while other branches run: the oldest {MOST}."
        )
    )
    def get_waiting_for(self, execution: Execution) -> Any:
        return waited_for(execution)

    @extend_schema_field(ProgressSerializer)
    def get_progress(self, execution: Execution) -> Any:
        return progress(node_states(execution))

    @extend_schema_field(TokensSerializer)
    def get_tokens(self, execution: Execution) -> Any:
        return token_totals(execution.pk)


class RealtimeSerializer(serializers.Serializer[Any]):
    """How to follow the run live."""

    token = serializers.CharField(help_text="For ?token= of both addresses, or as a WebSocket sub-protocol.")
    websocket_url = serializers.CharField()
    events_url = serializers.CharField(help_text="Server-sent events, for callers with a key.")


class StartedSerializer(serializers.Serializer[Any]):
    """A run that has been stored and will be driven, whatever dies next."""

    execution_id = serializers.UUIDField()
    workflow_id = serializers.UUIDField()
    status = EnumField(RunStatus)
    inputs = JSONObjectField()
    realtime = RealtimeSerializer()


@extend_schema_serializer(component_name="FinishedExecution")
class FinishedSerializer(ExecutionSerializer):
    """A run that ended or answered while the caller waited: all of it, and the fields of one that was only started."""

    execution_id = serializers.UUIDField(source="pk")
    realtime = serializers.SerializerMethodField()

    class Meta(ExecutionSerializer.Meta):
        fields = [*ExecutionSerializer.Meta.fields, "execution_id", "realtime"]

    @extend_schema_field(RealtimeSerializer)
    def get_realtime(self, execution: Execution) -> Any:
        del execution
        return self.context["realtime"]


class CancelledSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    status = EnumField(RunStatus)
    message = serializers.CharField()


class FateErrorSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    code = serializers.CharField(help_text="As in the answer that this run would have had for itself.")
    message = serializers.CharField()


class SucceededSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    started = serializers.UUIDField(allow_null=True, help_text="Of a retry: the run that took over.")


class BulkSerializer(serializers.Serializer[Any]):
    """What came of one verb for many runs."""

    action = EnumField(BulkAction)
    matched = serializers.IntegerField(help_text="Runs that it was tried with.")
    succeeded = serializers.IntegerField()
    failed = serializers.IntegerField()
    remaining = serializers.IntegerField(help_text="Runs that the filter finds beyond those: call again.")
    runs = serializers.SerializerMethodField()
    errors = serializers.SerializerMethodField()  # type: ignore[assignment]  # fields leave the class, as above

    @extend_schema_field(SucceededSerializer(many=True))
    def get_runs(self, answer: Any) -> Any:
        return SucceededSerializer([fate for fate in answer["fates"] if fate.error is None], many=True).data

    @extend_schema_field(FateErrorSerializer(many=True))
    def get_errors(self, answer: Any) -> Any:
        told = [(fate.id, self.context["told"](fate.error)) for fate in answer["fates"] if fate.error is not None]
        errors = [{"id": pk, "code": error.code, "message": error.message} for pk, error in told]
        return FateErrorSerializer(errors, many=True).data


class UsageSerializer(serializers.Serializer[Any]):
    """What a language model counted, and what that cost."""

    model = serializers.CharField()
    provider = serializers.CharField()
    prompt_tokens = serializers.IntegerField()
    completion_tokens = serializers.IntegerField()
    total_tokens = serializers.IntegerField()
    # Runs from before these were counted have none of them.
    cached_tokens = serializers.IntegerField(default=None, allow_null=True, help_text="Of the prompt's.")
    thinking_tokens = serializers.IntegerField(default=None, allow_null=True, help_text="Of the completion's.")
    cost_usd = serializers.FloatField(default=None, allow_null=True, help_text="Null: the price is not known.")


class LogLineSerializer(serializers.Serializer[Any]):
    at = serializers.DateTimeField()
    level = serializers.CharField()
    message = serializers.CharField()

    def to_representation(self, instance: Any) -> Any:
        return {"at": instance.at, "level": instance.level, "message": instance.message}


class AttemptSerializer(serializers.Serializer[Any]):
    """An attempt that failed and was followed by another."""

    attempt = serializers.IntegerField()
    started_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField()
    error = RunErrorSerializer()


class NodeLogSerializer(serializers.Serializer[Any]):
    """One node of a run in one scope; one that was not visited has its status and nothing else."""

    node_id = serializers.CharField(source="state.node_id")
    scope = serializers.CharField(source="state.scope", help_text="Path of iterations and branches; empty at the top.")
    name = serializers.CharField(source="state.name")
    type = serializers.CharField(source="state.type")
    status = EnumField(NodeStatus, source="state.status")
    handled = serializers.BooleanField(source="state.handled", help_text="It failed, and the workflow says what then.")
    kept = serializers.BooleanField(source="state.kept", help_text="It ran in the run before; see `rerun_of`.")
    attempt = serializers.IntegerField(source="state.attempt", help_text="0: it was never started.")
    attempts = AttemptSerializer(many=True, help_text="Those before this one, oldest first.")
    due_at = serializers.DateTimeField(allow_null=True, help_text="While it waits for its next attempt: when that is.")
    port = serializers.CharField(source="state.port", allow_null=True, help_text="The port it left by.")
    input = JSONObjectField(
        allow_null=True, help_text="Its configuration as resolved; what is long is cut and says so."
    )
    output = JSONValueField()
    output_omitted = serializers.IntegerField(
        allow_null=True, help_text="Characters of an output that is left out here for its size; null: it is whole."
    )
    error = RunErrorSerializer(source="state.error", allow_null=True)
    usage = UsageSerializer(source="state.usage", allow_null=True)
    logs = LogLineSerializer(many=True)
    ready_at = serializers.DateTimeField(allow_null=True)
    started_at = serializers.DateTimeField(source="state.started_at", allow_null=True)
    completed_at = serializers.DateTimeField(source="state.ended_at", allow_null=True)
    duration_ms = serializers.IntegerField(source="state.duration_ms", allow_null=True)
