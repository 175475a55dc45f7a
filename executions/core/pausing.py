"""When a run is paused: nothing of it moves, and it is not over. It then holds no worker, no message, no connection."""

from __future__ import annotations

from executions.core.containers import proceed
from executions.core.draft import Draft, milliseconds
from executions.core.events import EventType, RunEvent
from executions.core.scopes import path
from executions.core.state import CHILD, OPEN, RETRYING
from executions.core.statuses import PauseReason, RunStatus, step_run
from handlers import JSONObject


def settle_status(draft: Draft) -> None:
    """Pause a run in which nothing moves; let one go on in which something does again."""
    if _moves(draft):
        unpause(draft)
    elif draft.status is RunStatus.RUNNING:
        draft.status, draft.paused_at = step_run(draft.status, RunStatus.PAUSED), draft.now
        tell_paused(draft)


def tell_paused(draft: Draft) -> None:
    """Say that the run is paused, and why; once more when somebody wants it to be that has been waiting before."""
    data: JSONObject = {"reason": PauseReason.of(held=draft.held).value}
    draft.events.append(RunEvent(type=EventType.EXECUTION_PAUSED, at=draft.now, data=data))


def unpause(draft: Draft) -> None:
    """If it is paused, it is not any more."""
    if draft.status is not RunStatus.PAUSED or draft.paused_at is None:
        return
    lasted = milliseconds(draft.paused_at, draft.now)
    draft.status, draft.paused_at = step_run(draft.status, RunStatus.RUNNING), None
    draft.paused_ms += lasted
    told = RunEvent(type=EventType.EXECUTION_RESUMED, at=draft.now, data={"paused_ms": lasted})
    draft.events.insert(0, told)  # of what this step tells, it is why


def let_go(draft: Draft) -> None:
    """A run is held no more: look at everything that could not start meanwhile."""
    draft.was_released = False
    for at, _ in list(draft.marks()):
        scope = draft.scope(at)
        draft.touched[at] = None
        draft.settle(scope, list(range(len(scope.marks))))
    for visit in list(draft.frames):
        outer, _, node_id = visit.rpartition("/")
        proceed(draft, outer, node_id)


def _moves(draft: Draft) -> bool:
    """Whether something of it is under way, or will be with the shell's next report.

    In a run that is held, what is queued or between two attempts waits for its release.
    """
    if draft.was_released or draft.given or (draft.queued and not draft.held):
        return True
    for at, marks in draft.marks():
        if CHILD in marks or (RETRYING in marks and not draft.held):
            return True
        nodes = draft.graph.body(at).nodes
        for place, mark in enumerate(marks):
            if mark == OPEN:
                frame = draft.frames.get(path(at, nodes[place].id))
                if frame is None or frame.is_asking:
                    return True
    return False
