from __future__ import annotations

import re
from typing import Any, Final
from uuid import UUID

from django.db import models
from django.db.models import Q

from executions.core.statuses import RunStatus, WaitpointStatus
from workflows.models import Workflow

# Of an id: what is shorter would be found in many, and is more likely a word.
_BEGINNING: Final = re.compile(r"[0-9a-f]{8,32}")


class ExecutionQuerySet(models.QuerySet[Any]):
    def of(self, workspace_id: UUID) -> ExecutionQuerySet:
        """Those of one workspace: the only ones its people and keys may see."""
        return self.filter(workspace_id=workspace_id)

    def live(self) -> ExecutionQuerySet:
        return self.filter(status__in=[status.value for status in RunStatus if not status.is_final])

    def answered(self) -> ExecutionQuerySet:
        """Those that have something for whoever waits: they are over, or a `response` node has run."""
        over = Q(status__in=[status.value for status in RunStatus if status.is_final])
        return self.filter(over | Q(response__isnull=False))

    def matching(self, text: str) -> ExecutionQuerySet:
        """Those that somebody may mean by *text*: an id, how one begins, a tag, or words of a workflow's name."""
        # Their ids first: joined to every run, names would be read a million times.
        named = list(Workflow.objects.filter(name__icontains=text.strip()).values_list("pk", flat=True))
        wanted = Q(workflow__in=named) | Q(tags__contains=[text.strip()])
        digits = text.strip().lower().replace("-", "")
        if _BEGINNING.fullmatch(digits):
            first, last = (UUID(digits.ljust(32, rest)) for rest in "0f")
            wanted |= Q(pk__range=(first, last))
        return self.filter(wanted)


class NodeRunQuerySet(models.QuerySet[Any]):
    def in_order(self) -> NodeRunQuerySet:
        """As people read them: by when they became ready."""
        return self.order_by("ready_at", "id")


class WaitpointQuerySet(models.QuerySet[Any]):
    def of(self, workspace_id: UUID) -> WaitpointQuerySet:
        """Those of one workspace: the only ones its people and keys may see."""
        return self.filter(workspace_id=workspace_id)

    def open(self) -> WaitpointQuerySet:
        """Those that wait. One whose time has come may be among them until its run has been told."""
        return self.filter(status=WaitpointStatus.OPEN)
