from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import models


class WorkflowQuerySet(models.QuerySet[Any]):
    def alive(self) -> WorkflowQuerySet:
        return self.filter(deleted_at=None)

    def of(self, workspace_id: UUID) -> WorkflowQuerySet:
        """Those of one workspace: the only ones its people and keys may see."""
        return self.filter(workspace_id=workspace_id)
