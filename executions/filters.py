from __future__ import annotations

from datetime import UTC
from typing import Any

from django.core.exceptions import ValidationError
from django_filters import rest_framework as filters
from django_filters.fields import IsoDateTimeField
from drf_spectacular.utils import extend_schema_field

from executions.core import RunStatus
from executions.models import Execution
from executions.querysets import ExecutionQuerySet
from workflows.http.serializers import EnumField


class MomentField(IsoDateTimeField):  # type: ignore[misc]  # django-filter brings no types
    """A moment that is also one in UTC: at the ends of the calendar, an offset can lead out of it."""

    def to_python(self, value: Any) -> Any:
        moment = super().to_python(value)
        try:
            return moment and moment.astimezone(UTC)
        except OverflowError:
            raise ValidationError("Out of range.") from None


class MomentFilter(filters.IsoDateTimeFilter):  # type: ignore[misc]  # django-filter brings no types
    field_class = MomentField


class ExecutionFilter(filters.FilterSet):  # type: ignore[misc]  # django-filter brings no types
    workflow_id = filters.UUIDFilter(help_text="Runs of this workflow, of any version.")
    status = extend_schema_field(EnumField(RunStatus))(
        filters.ChoiceFilter(choices=[(status.value, status.value) for status in RunStatus])
    )
    trigger = filters.CharFilter(help_text="What started it: `api`, …")
    parent_id = filters.UUIDFilter(help_text="Runs that this run started, by its sub-workflow nodes.")
    rerun_of = filters.UUIDFilter(field_name="rerun_of_id", help_text="Runs that took over from this run.")
    tag = filters.CharFilter(method="tagged", help_text="A tag that it has.")
    created_after = MomentFilter(field_name="created_at", lookup_expr="gte", help_text="From then on.")
    created_before = MomentFilter(field_name="created_at", lookup_expr="lt", help_text="Before then.")
    search = filters.CharFilter(
        method="matching", help_text="The run's id or how it begins, a tag, or text in the name of its workflow."
    )

    class Meta:
        model = Execution
        fields: list[str] = []

    def tagged(self, executions: ExecutionQuerySet, name: str, value: str) -> ExecutionQuerySet:
        del name
        return executions.filter(tags__contains=[value])

    def matching(self, executions: ExecutionQuerySet, name: str, value: str) -> ExecutionQuerySet:
        del name
        return executions.matching(value)
