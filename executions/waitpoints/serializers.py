"""Shapes of pauses on the wire: what is waited for, answers, snapshots."""

from __future__ import annotations

import json
from typing import Any, Final

from drf_spectacular.utils import OpenApiExample, extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from executions.core import RunStatus
from executions.core.scopes import path
from executions.core.statuses import WaitpointStatus
from executions.models import Snapshot, Waitpoint
from executions.serializers import NeededVotesSerializer, WantedEventSerializer
from handlers import PauseKind
from handlers.schemas import find_fault
from workflows.http.serializers import Body, EnumField, JSONObjectField, JSONValueField

LONGEST_PROMPT: Final = 10_000  # characters
LONGEST_VOTER: Final = 200  # characters
LONGEST_EXPIRY: Final = 10 * 366 * 24 * 3600  # seconds; ten years, as for what a node waits for
LONGEST_PATH: Final = 4_000  # characters; a few dozen containers and runs within each other
LONGEST_TYPE: Final = 200  # characters of an event's type
LONGEST_EVENT_ID: Final = 200  # characters
LONGEST_PAYLOAD: Final = 262_144  # characters of JSON; every run that waits for the event keeps a copy


class PausedSerializer(serializers.Serializer[Any]):
    """A run in which nothing new starts; it is paused once what runs has finished."""

    id = serializers.UUIDField()
    status = EnumField(RunStatus, help_text="`running` while something of it still runs.")
    message = serializers.CharField()


class SnapshotSummarySerializer(serializers.ModelSerializer[Snapshot]):
    """A moment at which a run paused."""

    seq = serializers.IntegerField(help_text="Number of the newest event that it knows of.")
    version = serializers.IntegerField(source="version.number", help_text="Of the workflow: the plan it goes on by.")

    class Meta:
        model = Snapshot
        fields = ["seq", "version", "created_at"]
        read_only_fields = fields


@extend_schema_serializer(component_name="Snapshot")
class SnapshotSerializer(SnapshotSummarySerializer):
    """The state of a run when it paused. Outputs stay with their nodes."""

    state = JSONObjectField()

    class Meta(SnapshotSummarySerializer.Meta):
        fields = [*SnapshotSummarySerializer.Meta.fields, "state"]


class VotesSerializer(NeededVotesSerializer):
    """How many decide, and how far they are."""

    yes = serializers.IntegerField(help_text="How many have said so.")
    no = serializers.IntegerField()


@extend_schema_serializer(component_name="WaitpointSummary")
class WaitpointSummarySerializer(serializers.ModelSerializer[Waitpoint]):
    """Something a run waits for, in a list."""

    execution_id = serializers.UUIDField(allow_null=True, help_text="Null: a token that no run waits for yet.")
    node_id = serializers.CharField(allow_null=True)
    scope = serializers.CharField(help_text="Path of iterations and branches; empty at the top.")
    path = serializers.SerializerMethodField(help_text="The node in its scope, which `resume` takes as `node_id`.")
    kind = EnumField(PauseKind)
    status = EnumField(WaitpointStatus)
    prompt = serializers.CharField(allow_null=True)
    schema = JSONObjectField(allow_null=True, help_text="JSON Schema of the answer; null: any.")
    form = JSONObjectField(help_text="How to ask: description, inputType, placeholder, defaultValue, required.")
    votes = serializers.SerializerMethodField()
    event = serializers.SerializerMethodField()
    wakes_at = serializers.SerializerMethodField(help_text="Of a timer.")
    expires_at = serializers.SerializerMethodField(help_text="Of all others; null: never.")

    class Meta:
        model = Waitpoint
        fields = [
            "id",
            "execution_id",
            "node_id",
            "scope",
            "path",
            "kind",
            "status",
            "prompt",
            "schema",
            "form",
            "votes",
            "event",
            "wakes_at",
            "expires_at",
            "answered_by",
            "created_at",
            "closed_at",
        ]
        read_only_fields = fields

    @extend_schema_field(serializers.CharField(allow_null=True))
    def get_path(self, waitpoint: Waitpoint) -> str | None:
        return None if waitpoint.node_id is None else path(waitpoint.scope, waitpoint.node_id)

    @extend_schema_field(VotesSerializer(allow_null=True))
    def get_votes(self, waitpoint: Any) -> Any:
        if waitpoint.votes_needed is None:
            return None
        told = {"needed": waitpoint.votes_needed, "voters": waitpoint.voters}
        return VotesSerializer({**told, "yes": waitpoint.yes, "no": waitpoint.no}).data

    @extend_schema_field(WantedEventSerializer(allow_null=True))
    def get_event(self, waitpoint: Waitpoint) -> Any:
        if waitpoint.kind != PauseKind.EVENT:
            return None
        return WantedEventSerializer({"type": waitpoint.key, "matches": waitpoint.matches}).data

    @extend_schema_field(serializers.DateTimeField(allow_null=True))
    def get_wakes_at(self, waitpoint: Waitpoint) -> Any:
        return waitpoint.due_at if waitpoint.kind == PauseKind.TIMER else None

    @extend_schema_field(serializers.DateTimeField(allow_null=True))
    def get_expires_at(self, waitpoint: Waitpoint) -> Any:
        return None if waitpoint.kind == PauseKind.TIMER else waitpoint.due_at


@extend_schema_serializer(component_name="Waitpoint")
class WaitpointSerializer(WaitpointSummarySerializer):
    """Something a run waits for, and what has come."""

    answer = JSONValueField(help_text="Null while there is none.")
    public_url = serializers.SerializerMethodField(
        help_text="A page with a form, for whoever holds the address; JSON that is posted there is the answer as well. "
        "Null: it takes no answer that way, each of several voters needs a link of their own, or the caller lacks "
        "`executions:resume`."
    )

    class Meta(WaitpointSummarySerializer.Meta):
        fields = [*WaitpointSummarySerializer.Meta.fields, "answer", "public_url"]

    @extend_schema_field(serializers.CharField(allow_null=True))
    def get_public_url(self, waitpoint: Waitpoint) -> str | None:
        del waitpoint
        url: str | None = self.context["public_url"]
        return url


@extend_schema_serializer(component_name="Answered")
class AnsweredSerializer(serializers.Serializer[Any]):
    """An answer that has been stored; its run goes on."""

    waitpoint_id = serializers.UUIDField(source="pk")
    execution_id = serializers.UUIDField(allow_null=True)
    status = EnumField(WaitpointStatus, help_text="`open` where more votes are needed.")


@extend_schema_serializer(component_name="PublicLink")
class LinkSerializer(serializers.Serializer[Any]):
    """A link for whoever is to answer. It lasts as long as what it leads to."""

    waitpoint_id = serializers.UUIDField()
    voter = serializers.CharField(allow_null=True)
    url = serializers.CharField()
    expires_at = serializers.DateTimeField(allow_null=True)


@extend_schema_serializer(component_name="Resumed")
class ResumedSerializer(serializers.Serializer[Any]):
    """What was asked has been stored, and the run goes on as soon as it can."""

    id = serializers.UUIDField(help_text="Of the run.")
    status = EnumField(RunStatus, help_text="As it was when this was answered.")
    waitpoint = AnsweredSerializer(allow_null=True, help_text="What was answered. Null: the run was paused on request.")
    message = serializers.CharField()


@extend_schema_serializer(component_name="EventReceived")
class EventReceivedSerializer(serializers.Serializer[Any]):
    type = serializers.CharField()
    id = serializers.CharField(allow_null=True)
    waitpoints_completed = serializers.IntegerField(help_text="So many runs, or branches of runs, waited for it.")


@extend_schema_serializer(
    component_name="Resume",
    examples=[
        OpenApiExample("Answer the only question", value={"input": True}),
        OpenApiExample("Answer a node's", value={"node_id": "loop1[0]/ask", "input": {"amount": 7}}),
        OpenApiExample("Go on after a pause on request", value={}),
    ],
)
class ResumeBody(Body):
    """An answer to what people are asked; empty, it lets a run go on that was paused on request."""

    waitpoint_id = serializers.UUIDField(required=False)
    node_id = serializers.CharField(
        required=False,
        max_length=LONGEST_PATH,
        help_text="Path of a node: `ask`, `loop1[0]/ask`, `call/ask` in the run that node `call` started; or its plain "
        "id, where only one node of that id waits.",
    )
    input = JSONValueField(required=False, help_text="The answer, as its waitpoint's schema wants it; absent: null.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if {"waitpoint_id", "node_id"} <= attrs.keys():
            raise serializers.ValidationError({"node_id": ["Name it by this or by waitpoint_id, not by both."]})
        return attrs


@extend_schema_serializer(
    component_name="Token",
    examples=[OpenApiExample("For a payment", value={"prompt": "Payment of order 7", "expires_in": 86400})],
)
class NewToken(Body):
    """Something another system will report. A node `waitForToken` waits for it by its id."""

    prompt = serializers.CharField(
        required=False, max_length=LONGEST_PROMPT, help_text="What is waited for, for people who look."
    )
    schema = JSONObjectField(required=False, help_text="JSON Schema (draft 2020-12) of the answer; absent: any.")
    expires_in = serializers.IntegerField(
        required=False, min_value=1, max_value=LONGEST_EXPIRY, help_text="Seconds; absent: it does not expire."
    )

    def validate_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        if (fault := find_fault(schema)) is not None:
            raise serializers.ValidationError(fault)
        return schema


@extend_schema_serializer(component_name="Complete")
class CompleteBody(Body):
    """What a token is completed with."""

    input = JSONValueField(required=False, help_text="As the token's schema wants it; absent: null.")


@extend_schema_serializer(component_name="Link")
class NewLink(Body):
    """Who the link is for."""

    voter = serializers.CharField(
        required=False,
        max_length=LONGEST_VOTER,
        help_text="Who answers by it. Needed where several people decide, each of whom has one vote.",
    )


@extend_schema_serializer(
    component_name="Event",
    examples=[OpenApiExample("An order is paid", value={"type": "order.paid", "payload": {"order": {"id": 7}}})],
)
class NewEvent(Body):
    """Something that has happened elsewhere."""

    type = serializers.CharField(max_length=LONGEST_TYPE)
    payload = JSONValueField(required=False, help_text="Up to 262,144 characters of JSON; absent: {}.")
    id = serializers.CharField(
        required=False,
        max_length=LONGEST_EVENT_ID,
        help_text="Within 24 hours, an event with the same id has no second effect, and the same answer.",
    )

    def validate_payload(self, payload: Any) -> Any:
        if (length := len(json.dumps(payload, ensure_ascii=False))) > LONGEST_PAYLOAD:
            raise serializers.ValidationError(f"It has {length:,} characters; at most {LONGEST_PAYLOAD:,} are taken.")
        return payload
