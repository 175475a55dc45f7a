from __future__ import annotations

from django.db.models import Q
from django_filters import rest_framework as filters

from workflows.models import Workflow
from workflows.querysets import WorkflowQuerySet


class WorkflowFilter(filters.FilterSet):  # type: ignore[misc]  # django-filter brings no types
    search = filters.CharFilter(method="matching", help_text="Text in the name or the description, in any case.")
    tag = filters.CharFilter(method="tagged", help_text="A tag that it has.")

    class Meta:
        model = Workflow
        fields: list[str] = []

    def matching(self, workflows: WorkflowQuerySet, name: str, value: str) -> WorkflowQuerySet:
        del name
        return workflows.filter(Q(name__icontains=value) | Q(description__icontains=value))

    def tagged(self, workflows: WorkflowQuerySet, name: str, value: str) -> WorkflowQuerySet:
        del name
        return workflows.filter(tags__contains=[value])
