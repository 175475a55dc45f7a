"""Shapes of events and tickets on the wire."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from executions import frames
from executions.core import RunStatus
from workflows.http.serializers import EnumField, JSONObjectField


class EventSerializer(serializers.Serializer[Any]):
    """A numbered fact about a run: the same frame as a socket or the event stream gives."""

    type = serializers.CharField(help_text="For example node:completed.")
    seq = serializers.IntegerField(help_text="Without gaps from 1.")
    timestamp = serializers.DateTimeField()
    execution_id = serializers.UUIDField()
    node_id = serializers.CharField(required=False, help_text="Events of nodes only.")
    scope = serializers.CharField(required=False, help_text="Path of iterations and branches; events of nodes only.")
    data = JSONObjectField(help_text="The fields of its type.")  # type: ignore[assignment]  # DRF's `data` is of instances

    def to_representation(self, instance: Any) -> Any:
        return instance  # as executions.frames made it


class EventsSerializer(serializers.Serializer[Any]):
    """Events of a run, in order, and how to go on."""

    events = EventSerializer(many=True)
    status = EnumField(RunStatus, help_text="The run's, now.")
    next_after = serializers.IntegerField(help_text="For `after` of the next page.")
    has_more = serializers.BooleanField(help_text="There are newer events by now.")


class EventsQuery(serializers.Serializer[Any]):
    after = serializers.IntegerField(default=0, min_value=0, max_value=2**63 - 1)
    limit = serializers.IntegerField(default=100, min_value=1, max_value=frames.PAGE)


class TicketSerializer(serializers.Serializer[Any]):
    """What opens the run's socket and its live page, without a key or a session."""

    execution_id = serializers.UUIDField()
    token = serializers.CharField(help_text="For ?token=, or as a WebSocket sub-protocol beside `flowmaestro`.")
    expires_at = serializers.DateTimeField(help_text="Renewable over the socket until then.")
    websocket_url = serializers.CharField()
    live_url = serializers.CharField(help_text="A page that shows the run live; it carries the token.")
