from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import models
from django.db.models import Q

from executions.core.statuses import RunStatus, WaitpointStatus


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
