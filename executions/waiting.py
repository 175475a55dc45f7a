"""Waiting for a run on behalf of somebody who asked over HTTP: by its row, since only that is certain."""

from __future__ import annotations

from datetime import timedelta
from time import monotonic, sleep
from typing import Final
from uuid import UUID

from django.db import connection

from executions.models import Execution

_FIRST_LOOK: Final = 0.01  # seconds; a run of pure nodes is over in a few milliseconds
_LATER_LOOKS: Final = 0.25  # seconds; what takes long is not in a hurry
_GROWTH: Final = 1.5


def wait_for_answer(execution_id: UUID, *, timeout: timedelta) -> bool:
    """Whether the run came to its end, or to a `response` node, within *timeout*.

    Holds no database connection between two looks.
    """
    deadline = monotonic() + timeout.total_seconds()
    pause = _FIRST_LOOK
    while True:
        if Execution.objects.filter(pk=execution_id).answered().exists():
            return True
        left = deadline - monotonic()
        if left <= 0:
            return False
        if not connection.in_atomic_block:  # then it is not ours to give back
            connection.close_if_unusable_or_obsolete()
        sleep(min(pause, left))
        pause = min(pause * _GROWTH, _LATER_LOOKS)
