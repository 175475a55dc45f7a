"""What is asked of runs on the wire: bodies and queries."""

from __future__ import annotations

from typing import Any, Final

from drf_spectacular.utils import OpenApiExample, extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from executions.bulk import MOST, BulkAction
from executions.core import RunStatus
from workflows.http.serializers import Body, EnumField, JSONObjectField, TagsField

LARGEST_INTEGER: Final = 2**31 - 1  # of a PostgreSQL integer
LONGEST_WAIT: Final = 60  # seconds; below the idle limits of usual proxies
NEWEST: Final = "newest"  # the one that is published now
ORIGINAL: Final = "original"  # the version that ran


class VisitQuery(serializers.Serializer[Any]):
    scope = serializers.CharField(
        required=False, allow_blank=True, help_text="Path of iterations and branches; absent: the top level."
    )


class VisitsQuery(serializers.Serializer[Any]):
    node_id = serializers.CharField(required=False, allow_blank=True, help_text="Visits of this node only.")
    scope = serializers.CharField(
        required=False, allow_blank=True, help_text="Visits in this scope only; empty: those of the top level."
    )


@extend_schema_serializer(
    component_name="Execute",
    examples=[
        OpenApiExample("Start it", value={"inputs": {"name": "Ada"}}),
        OpenApiExample("Wait for the result", value={"inputs": {"name": "Ada"}, "wait": 30}),
    ],
)
class ExecuteBody(Body):
    """How to start a run."""

    inputs = JSONObjectField(required=False, help_text="What the run is started with; {} when absent.")
    version = serializers.IntegerField(
        required=False, min_value=1, max_value=LARGEST_INTEGER, help_text="Absent: the published one."
    )
    entry = serializers.CharField(required=False, help_text="The root to start from; absent: the workflow's own.")
    until_node = serializers.CharField(
        required=False, help_text="A top-level node to stop after: it and what leads to it run, nothing else."
    )
    tags = TagsField(required=False)
    wait = serializers.FloatField(
        required=False,
        min_value=0,
        max_value=LONGEST_WAIT,
        help_text="Seconds to wait for the end, or for a `response` node. By then: 200 with the run, otherwise 202.",
    )


@extend_schema_field(
    {
        "oneOf": [
            {"type": "integer", "minimum": 1, "maximum": LARGEST_INTEGER},
            {"type": "string", "enum": [ORIGINAL, NEWEST]},
            {"type": "null"},
        ]
    }
)
class VersionField(serializers.Field[Any, Any, Any, Any]):
    """The number of a version, or which one is meant."""

    default_error_messages = {"neither": f"Expected the number of a version, {ORIGINAL!r} or {NEWEST!r}."}

    def to_internal_value(self, data: Any) -> int | str:
        if isinstance(data, int) and not isinstance(data, bool) and 1 <= data <= LARGEST_INTEGER:
            return data
        if data not in (ORIGINAL, NEWEST):
            self.fail("neither")
        return str(data)


@extend_schema_serializer(component_name="Retry")
class RetryBody(Body):
    """How to begin a run again where it broke off."""

    inputs = JSONObjectField(required=False, help_text="In place of those of the same names; the others stay.")
    version = VersionField(
        required=False, help_text="`original`, which is also what absent means, `newest` (the published one), a number."
    )


@extend_schema_serializer(
    component_name="Rerun",
    examples=[
        OpenApiExample("From a node, with another input", value={"from_node": "reply", "inputs": {"tone": "warm"}}),
        OpenApiExample("All of it, as it is drawn now", value={"version": "newest"}),
    ],
)
class RerunBody(RetryBody):
    """How to begin a run again at a node of it."""

    from_node = serializers.CharField(
        required=False,
        help_text="A top-level node that ran: it and what follows it run again. Absent: everything does.",
    )
    until_node = serializers.CharField(
        required=False, help_text="A top-level node to stop after, wherever the run before stopped. Absent: none."
    )


@extend_schema_serializer(component_name="Cancel")
class CancelBody(Body):
    """Why a run is ended, for those who look at it later."""

    reason = serializers.CharField(required=False, max_length=500)


@extend_schema_serializer(component_name="BulkFilter")
class BulkFilterBody(Body):
    """Which runs are meant, as in the list of runs: what is given narrows together."""

    workflow_id = serializers.UUIDField(required=False)
    status = EnumField(RunStatus, required=False)
    trigger = serializers.CharField(required=False)
    parent_id = serializers.UUIDField(required=False)
    rerun_of = serializers.UUIDField(required=False)
    tag = serializers.CharField(required=False)
    created_after = serializers.CharField(required=False, help_text="ISO 8601: from then on.")
    created_before = serializers.CharField(required=False, help_text="ISO 8601: before then.")
    search = serializers.CharField(required=False)


@extend_schema_serializer(
    component_name="Bulk",
    examples=[
        OpenApiExample(
            "Those that are named", value={"action": "retry", "ids": ["0198c5a2-5c1e-7d3a-9f00-3d6f0c3b8a11"]}
        ),
        OpenApiExample("All that a filter finds", value={"action": "cancel", "filter": {"tag": "nightly"}}),
    ],
)
class BulkBody(Body):
    """What to do, and to which runs: `ids` or `filter`."""

    action = EnumField(BulkAction)
    ids = serializers.ListField(child=serializers.UUIDField(), required=False, allow_empty=False, max_length=MOST)
    filter = BulkFilterBody(required=False)
    reason = serializers.CharField(required=False, max_length=500, help_text="Of a cancel, for those who look later.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("ids" in attrs) == ("filter" in attrs):
            raise serializers.ValidationError("Name the runs by ids or by a filter.")
        if "filter" in attrs and not attrs["filter"]:
            raise serializers.ValidationError({"filter": ["An empty filter would mean every run: narrow it."]})
        if "reason" in attrs and attrs["action"] != BulkAction.CANCEL:
            raise serializers.ValidationError({"reason": ["Only a cancel has one."]})
        return attrs
