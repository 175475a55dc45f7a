"""Outcomes and steps as a worker writes them, put together by hand."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from executions import hotpath
from executions.core import EventType, NodeStatus, RunEvent, RunStatus
from executions.frames import Told
from executions.leases import lease
from executions.models import Execution, NodeRun
from workflows.ids import uuid7


def outcome(node: NodeRun, **more: Any) -> hotpath.Recorded:
    now = timezone.now()
    named = {"attempt": node.attempt, "status": NodeStatus.COMPLETED, "handled": False, "output": '"done"'} | more
    return hotpath.Recorded(id=node.pk, started_at=now, ended_at=now, **named)


def save(run: Execution, **more: Any) -> tuple[bool, bool]:
    """A step that changes every table, written over version 1 unless *more* says otherwise."""
    now = timezone.now()
    born = hotpath.NewRow(
        id=uuid7(), node_id="j", scope="", node_type="t", lane="io", status=NodeStatus.READY, ready_at=now
    )
    told = RunEvent(type=EventType.EXECUTION_CANCELLED, at=now, data={"reason": "", "duration_ms": 0})
    closing = hotpath.Closing(
        status=RunStatus.CANCELLED, started_at=now, ended_at=now, outputs='{"x":1}', error='{"code":"c"}'
    )
    step = {
        "ver": 1,
        "state": '{"stepped":true}',
        "lets_go_on": True,
        "owner": lease.id(),
        "told": Told(run.pk, 3, [told]),
    }
    step |= {"born": [born], "closing": closing} | more
    return hotpath.save(run.pk, now=now, **step)
