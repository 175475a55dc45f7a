from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import models
from django.db.models import Q

from workflows.fields import storable

if TYPE_CHECKING:
    from workflows.credentials.models import Credential


class CredentialQuerySet(models.QuerySet[Any]):
    def of(self, workspace_id: UUID) -> CredentialQuerySet:
        """Those of one workspace: the only ones its people, keys and runs may see."""
        return self.filter(workspace_id=workspace_id)

    def called(self, key: str) -> Credential | None:
        """The one with the id or else the name *key*."""
        try:
            ids = [UUID(key)]
        except ValueError:
            ids = []
        found: list[Credential] = list(self.filter(Q(pk__in=ids) | Q(name=storable(key))))
        return min(found, key=lambda one: one.pk not in ids, default=None)

    def unused_since(self, moment: datetime) -> CredentialQuerySet:
        return self.filter(Q(last_used_at=None) | Q(last_used_at__lte=moment))
