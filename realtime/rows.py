"""The rows of runs, read from an event loop: on a few threads of our own, each read giving its connection back.

Channels and Django would otherwise take one thread for all sockets, or one for each stream.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import wraps
from typing import Any, Final, ParamSpec, TypeVar
from uuid import UUID

from asgiref.sync import sync_to_async
from django.db import close_old_connections

from executions import frames, run_outputs
from executions.core import RunStatus
from executions.models import Execution, ExecutionState
from handlers import JSONObject
from realtime.core import Numbered

P = ParamSpec("P")
T = TypeVar("T")

PAGE: Final = frames.PAGE
_THREADS: Final = 4  # and so database connections of a web process for all its listeners
_pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="realtime-rows")


def in_thread(function: Callable[P, T]) -> Callable[P, Coroutine[Any, Any, T]]:
    """An awaitable twin of a function that uses the ORM."""

    @wraps(function)
    def with_connection(*args: P.args, **kwargs: P.kwargs) -> T:
        close_old_connections()
        try:
            return function(*args, **kwargs)
        finally:
            close_old_connections()

    return sync_to_async(with_connection, thread_sensitive=False, executor=_pool)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    id: UUID
    workspace_id: UUID
    status: RunStatus
    seq: int  # number of the newest event


@in_thread
def find(execution_id: UUID) -> Run | None:
    columns = ("id", "workspace_id", "status", "state__seq")
    row = Execution.objects.filter(pk=execution_id).values_list(*columns).first()
    if row is None:
        return None
    pk, workspace_id, status, seq = row
    return Run(id=pk, workspace_id=workspace_id, status=RunStatus(status), seq=seq)


@in_thread
def newest(execution_ids: Collection[UUID]) -> Mapping[UUID, int]:
    """Number of the newest event by run; runs that are not there are left out."""
    return dict(ExecutionState.objects.filter(pk__in=list(execution_ids)).values_list("pk", "seq"))


@in_thread
def ending(execution_id: UUID) -> JSONObject:
    """How a run ended, as the REST API names it: what a client of the event stream finds beside the last event."""
    columns = ("status", "outputs", "outputs_ref", "error", "ended_at")
    run: Execution = Execution.objects.only(*columns).get(pk=execution_id)
    omitted = run_outputs.omitted(run, whole=True)
    return {
        "status": run.status,
        "outputs": None if omitted else run_outputs.read(run),
        "outputs_omitted": omitted,
        "error": run.error,
        "completed_at": None if run.ended_at is None else run.ended_at.isoformat(),
    }


@in_thread
def page(execution_id: UUID, *, after: int, limit: int = PAGE) -> list[Numbered]:
    """Events with numbers above *after*, in order, at most *limit*."""
    found = frames.load(execution_id, after=after, limit=limit)
    return [Numbered(seq=frame.seq, type=frame.type, text=frame.text) for frame in found]
