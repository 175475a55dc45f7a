"""What goes wrong in a data centre, as a test can make it happen at an exact moment."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import psycopg
from django.db import connection
from django.db.models import F
from django.utils import timezone

from executions import driver
from executions.core import RunStatus
from executions.leases import Orphans, lease
from executions.models import Execution, ExecutionState, NodeRun, Waitpoint, WorkerLease
from executions.sweep import Sweeper
from tests.executions.runs import reread
from tests.executions.scripted import Killed
from tests.factories import WorkerLeaseFactory
from tests.fakes import Messages

LONG = timedelta(minutes=1)


def process_dies() -> int:
    """Its lease is left behind and runs out; whoever runs next is another process. Returns the dead lease."""
    owner = lease.id()
    lease.release()
    WorkerLeaseFactory(pk=owner, expires_at=timezone.now() - LONG)
    return owner


def lease_runs_out() -> None:
    """The process lives, but was too slow to say so."""
    WorkerLease.objects.update(expires_at=timezone.now() - LONG)


def let_time_pass() -> None:
    """What is waiting has waited for a minute; what waits for a moment, as long as it had to."""
    NodeRun.objects.filter(folded=False).update(ready_at=F("ready_at") - LONG, ended_at=F("ended_at") - LONG)
    NodeRun.objects.filter(folded=False, due_at__isnull=False).update(due_at=timezone.now() - LONG)
    Waitpoint.objects.filter(folded=False).update(due_at=F("due_at") - 60 * LONG, closed_at=F("closed_at") - LONG)
    Execution.objects.update(created_at=F("created_at") - LONG, ended_at=F("ended_at") - LONG)


def fall_due(messages: Messages, run: Execution) -> None:
    """The waits of its nodes are over, and somebody looks."""
    NodeRun.objects.filter(execution=run, due_at__isnull=False).update(due_at=timezone.now() - LONG)
    driver.drive(run.pk)
    messages.deliver_all()


def make_late(run: Execution) -> None:
    """It has begun an hour ago, and its deadline is long over."""
    state = ExecutionState.objects.get(pk=run.pk)
    state.state["started_at"] = (timezone.now() - 60 * LONG).isoformat()
    state.save(update_fields=["state"])
    Execution.objects.filter(pk=run.pk).update(deadline_at=timezone.now() - LONG)


def recover(messages: Messages, run: Execution, *, looks: int = 10) -> int:
    """Let the sweep look until the run is over. Returns how many looks it took."""
    for look in range(1, looks + 1):
        let_time_pass()
        Sweeper().sweep()
        messages.deliver_all()
        if RunStatus(reread(run).status).is_final:
            return look
    raise AssertionError(f"after {looks} looks the run is {reread(run).status}")


class KillAt:
    """Around functions: the process is killed at the *moment*-th call of any of them, just before or just after it."""

    def __init__(self, moment: int, *, after: bool) -> None:
        self.left, self.after = moment, after

    def around(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def function(*args: Any, **named: Any) -> Any:
            self.left -= 1
            if self.left == 0 and not self.after:
                raise Killed
            answer = real(*args, **named)
            if self.left == 0:
                raise Killed
            return answer

        return function


def kill_connection() -> None:
    """The server ends our backend, as it does when it restarts."""
    connection.ensure_connection()
    pid = connection.connection.info.backend_pid
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 1000)", [pid])
    other.close()


class CutAt:
    """Around functions: the connection dies at the *moment*-th call of any of them; *after* it, the answer is lost."""

    def __init__(self, moment: int, *, after: bool) -> None:
        self.left, self.after = moment, after

    def around(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def function(*args: Any, **named: Any) -> Any:
            self.left -= 1
            if self.left == 0 and not self.after:
                kill_connection()
            answer = real(*args, **named)
            if self.left == 0:
                kill_connection()
                raise psycopg.OperationalError("the connection was lost before the answer came")
            return answer

        return function


def settle(messages: Messages, run: Execution) -> None:
    """Claims whose answer was lost are given back by their owner, and the sweep sends them."""
    orphans = Orphans()
    for _ in range(2):
        orphans.give_back(lease.id())
    if not RunStatus(reread(run).status).is_final:
        recover(messages, run)
