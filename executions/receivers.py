"""What has to follow when a row goes."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from executions import blobs
from executions.models import Execution


def on_execution_deleted(*, instance: Execution, **_: Any) -> None:
    """Its blobs go after it: were they the first, a deletion that is undone would leave a run without its outputs.

    Should the storage be away then, they stay behind as blobs of a run that is not there.
    """
    workspace_id, execution_id = instance.workspace_id, instance.pk
    transaction.on_commit(lambda: blobs.delete_of(workspace_id, execution_id), robust=True)
