from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import models


class WorkspaceFileQuerySet(models.QuerySet[Any]):
    def of(self, workspace_id: UUID) -> WorkspaceFileQuerySet:
        """Those of one workspace: the only ones its people, keys and runs may see."""
        return self.filter(workspace_id=workspace_id)

    def below(self, prefix: str) -> WorkspaceFileQuerySet:
        """Those whose path begins with *prefix*; all for an empty one."""
        return self.filter(path__startswith=prefix) if prefix else self
