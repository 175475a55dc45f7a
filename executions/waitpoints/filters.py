from __future__ import annotations

from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema_field

from executions.core.statuses import WaitpointStatus
from executions.models import Waitpoint
from handlers import PauseKind
from workflows.http.serializers import EnumField


class WaitpointFilter(filters.FilterSet):  # type: ignore[misc]  # django-filter brings no types
    status = extend_schema_field(EnumField(WaitpointStatus))(
        filters.ChoiceFilter(choices=[(status.value, status.value) for status in WaitpointStatus])
    )
    kind = extend_schema_field(EnumField(PauseKind))(
        filters.ChoiceFilter(choices=[(kind.value, kind.value) for kind in PauseKind])
    )
    execution_id = filters.UUIDFilter(help_text="What this run waits for; those within it are runs of their own.")

    class Meta:
        model = Waitpoint
        fields: list[str] = []
