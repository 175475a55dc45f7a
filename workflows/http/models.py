from __future__ import annotations

from datetime import datetime

from django.db import models

from workflows.fields import PlainJSONField
from workflows.workspaces.models import Workspace


class StoredAnswerQuerySet(models.QuerySet["StoredAnswer"]):
    def older_than(self, moment: datetime) -> StoredAnswerQuerySet:
        return self.filter(created_at__lt=moment)


class StoredAnswer(models.Model):
    """What a request with an Idempotency-Key was answered. It is written in the transaction of the effect itself:

    there is neither an effect without its answer, which a repeat would do again, nor an answer without its effect.
    """

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+", db_index=False)
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)  # SHA-256 of method, path and body, hex
    status = models.PositiveSmallIntegerField()  # HTTP
    body = PlainJSONField()  # `data` of the answer, or its `error`
    created_at = models.DateTimeField()

    objects = StoredAnswerQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "key"], name="storedanswer_once")]
        indexes = [models.Index(fields=["workspace", "created_at"], name="storedanswer_age")]  # clearing old ones

    def __str__(self) -> str:
        return f"{self.key} ({self.status})"
