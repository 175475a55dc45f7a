"""Shapes of a timeline on the wire."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from executions.timeline import SpanKind
from workflows.http.serializers import EnumField


class SpanSerializer(serializers.Serializer[Any]):
    """What a node did for some time, in milliseconds after the run began."""

    kind = EnumField(SpanKind, help_text="`retry`: between two attempts; `wait`: for something outside.")
    began_ms = serializers.IntegerField()
    ended_ms = serializers.IntegerField(allow_null=True, help_text="Null: it goes on.")
    count = serializers.IntegerField(help_text="Visits that it stands for: those of a body that began together.")


class PauseSpanSerializer(serializers.Serializer[Any]):
    """A time in which the run stood still."""

    began_ms = serializers.IntegerField()
    ended_ms = serializers.IntegerField(allow_null=True, help_text="Null: it is paused.")


class NodeSpansSerializer(serializers.Serializer[Any]):
    node_id = serializers.CharField()
    spans = SpanSerializer(many=True)


class TimelineSerializer(serializers.Serializer[Any]):
    """A run as bars: every attempt and wait of the nodes at the top level, and those in bodies in slices of time."""

    started_at = serializers.DateTimeField()
    completed_at = serializers.DateTimeField(allow_null=True)
    pauses = PauseSpanSerializer(many=True)
    nodes = NodeSpansSerializer(many=True, help_text="Those that began.")
