from __future__ import annotations

from typing import Final

from django.db import models

from handlers.paths import LONGEST_PATH
from workflows.files.querysets import WorkspaceFileQuerySet
from workflows.ids import uuid7
from workflows.workspaces.models import Workspace

LONGEST_TYPE: Final = 255  # characters of a content type. Source: RFC 6838, 4.2: 127 for each half


class WorkspaceFile(models.Model):
    """What lies under a path of a workspace, and where its content is."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="files", db_index=False)
    # By bytes, so that the unique index finds all that begin with a prefix, and lists are in the order of parts.
    path = models.CharField(max_length=LONGEST_PATH, db_collation="C")
    key = models.CharField(max_length=100)  # in STORAGES["files"]
    size = models.BigIntegerField()  # bytes
    content_type = models.CharField(max_length=LONGEST_TYPE)
    sha256 = models.CharField(max_length=64)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = WorkspaceFileQuerySet.as_manager()

    class Meta:
        constraints = [
            # Decides between two writers of a path. Also the index of lists, prefixes and every read.
            models.UniqueConstraint(fields=["workspace", "path"], name="file_once"),
        ]

    def __str__(self) -> str:
        return self.path

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]
