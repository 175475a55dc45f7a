from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import Q

if TYPE_CHECKING:
    from workflows.workspaces.models import User


class WorkspaceQuerySet(models.QuerySet[Any]):
    def visible_to(self, user: User) -> WorkspaceQuerySet:
        return self.filter(member__user=user)


class ApiKeyQuerySet(models.QuerySet[Any]):
    def usable(self, now: datetime) -> ApiKeyQuerySet:
        return self.filter(Q(expires_at=None) | Q(expires_at__gt=now), revoked_at=None)

    def unused_since(self, moment: datetime) -> ApiKeyQuerySet:
        return self.filter(Q(last_used_at=None) | Q(last_used_at__lte=moment))
