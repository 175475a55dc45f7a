from __future__ import annotations

from typing import Final

from django.db import models
from django.db.models import Q

from workflows.ids import uuid7
from workflows.variables.querysets import VariableQuerySet
from workflows.workspaces.models import Workspace

LONGEST_NAME: Final = 128  # characters
NAME: Final = r"^[A-Za-z_][A-Za-z0-9_]*$"


class Variable(models.Model):
    """A name that every workflow of the workspace can read as `{{env.NAME}}`."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="variables", db_index=False)
    name = models.CharField(max_length=LONGEST_NAME)
    value = models.TextField()  # of a secret: encrypted (`workflows.encryption`); services alone know how to read it
    secret = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = VariableQuerySet.as_manager()

    class Meta:
        constraints = [
            # Also the index of a workspace's list, and of the names that a run reads.
            models.UniqueConstraint(fields=["workspace", "name"], name="variable_once"),
            models.CheckConstraint(condition=Q(name__regex=NAME), name="variable_name"),
        ]

    def __str__(self) -> str:
        return self.name
