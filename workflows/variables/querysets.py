from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import models


class VariableQuerySet(models.QuerySet[Any]):
    def of(self, workspace_id: UUID) -> VariableQuerySet:
        """Those of one workspace: the only ones its people and keys may see."""
        return self.filter(workspace_id=workspace_id)
