"""Loops and parallels while they are open: the next iteration or branch, the end of one, the end of all.

A container is one node of its scope and has a frame for as long as it is open. Each of its iterations or branches is a
scope of its own that starts blank and is forgotten when it is over; what its nodes returned stays in their rows, from
which the shell puts the container's results together at the end.
"""

from __future__ import annotations

from dataclasses import replace
from heapq import heappop, heappush

from executions.core.commands import CancelNode, CollectResults, EndContainer, TestCondition
from executions.core.draft import Draft, Scope, coming_to, milliseconds
from executions.core.events import EventType
from executions.core.failure import LOOP_LIMIT, describe, judge_error
from executions.core.outcomes import Opened, Tested
from executions.core.scopes import TOP, around, inside, is_within, path
from executions.core.state import (
    CANCELLED,
    CHILD,
    COMPLETED,
    FAILED,
    GIVEN,
    HANDLED,
    OPEN,
    PENDING,
    QUEUED,
    RESTING,
    RETRYING,
    WAITING,
    Edge,
    FrameState,
    Tests,
)
from executions.core.statuses import NodeStatus
from handlers import JSONObject
from workflows.core.plan import ContainerKind, OnFailure

# A node of these is on its way to an outcome; a scope that has one is not over.
_UNDER_WAY = (GIVEN, QUEUED, RETRYING, CHILD)
_RESTS = (WAITING, RESTING)  # it is, too, but a scope that fails waits for none of these


def open_container(draft: Draft, opened: Opened) -> None:
    """A container's configuration is known: it gets its frame, and its body begins."""
    visit = path(opened.scope, opened.node_id)
    draft.frames[visit] = FrameState(
        started_at=opened.started_at,
        total=opened.total,
        width=opened.width,
        limit=opened.limit,
        tests=opened.tests,
        collects_failures=opened.collects_failures,
    )
    proceed(draft, opened.scope, opened.node_id)


def go_on(draft: Draft, tested: Tested) -> None:
    """A loop's condition was asked: another iteration, if the limit allows it, or the end."""
    visit = path(tested.scope, tested.node_id)
    frame = draft.frames[visit] = replace(draft.frames[visit], is_asking=False)
    if draft.scope(tested.scope).halted:
        return  # stopped while it was asked: it gets no further iteration
    if draft.held:
        return  # it is asked again when the run goes on
    if not tested.is_met:
        draft.frames[visit] = replace(frame, total=frame.opened)
        _collect(draft, tested.scope, tested.node_id)
    elif frame.limit is not None and frame.opened >= frame.limit:
        error = describe(
            tested.node_id,
            message=f"{tested.node_id} needs more than {frame.limit} iterations, its maxIterations",
            code=LOOP_LIMIT,
            attempt=1,
            at=draft.now,
        )
        _fail(draft, tested.scope, tested.node_id, error)
    else:
        _open_next(draft, tested.scope, tested.node_id)


def fill(draft: Draft) -> None:
    """Open branches for which there is room now."""
    for visit in list(draft.frames):
        frame = draft.frames.get(visit)
        if frame is None or frame.total is None or frame.opened >= frame.total or frame.is_asking or draft.held:
            continue
        scope, _, node_id = visit.rpartition("/")
        # In a scope that was halted none is opened any more: it was looked at when it was halted, and is when one ends.
        if not draft.scope(scope).halted:
            proceed(draft, scope, node_id)


def close_what_is_over(draft: Draft) -> bool:
    """End every iteration and branch in which nothing can move any more. Returns whether the run itself is over.

    One that has failed or was stopped is over when nothing within it moves: what is within is looked at before it.
    """
    is_over, later = False, list[tuple[int, str]]()  # a heap: what is within a scope has a longer path
    while draft.touched or later:
        is_first_look = bool(draft.touched)
        scope_path = draft.touched.popitem()[0] if is_first_look else heappop(later)[1]
        if not draft.is_open(scope_path):
            continue
        scope = draft.scope(scope_path)
        if is_first_look and (scope.error is not None or scope.halted):
            heappush(later, (-len(scope_path), scope_path))
        elif not _is_over(draft, scope):
            _touch_failing_around(draft, scope_path)
        elif scope_path == TOP:
            is_over = True
        else:
            _close(draft, scope)
            _touch_failing_around(draft, scope_path)
    return is_over


def fail_scope(draft: Draft, scope: Scope, place: int, error: JSONObject) -> None:
    """The node at *place* failed, and nothing in *scope* takes it: what may still run beside it, the settings say.

    Of several failures the first counts, where it stops the others; else the first in plan order, whichever was faster.
    """
    stops = draft.graph.plan.on_failure is OnFailure.STOP
    if scope.error is None or (not stops and scope.marks.find(FAILED) == place):
        scope.error = error
    if stops:
        _halt(draft, scope.path)
    if scope.path == TOP:
        return
    outer, container, _ = around(scope.path)
    visit = path(outer, container)
    frame = draft.frames[visit]
    if draft.graph.node(container).container is ContainerKind.PARALLEL and not frame.collects_failures:
        if frame.error is None or is_within(str(_details(frame.error).get("scope")), scope.path):
            draft.frames[visit] = replace(frame, error=_of_body(scope))
        for other in {_branch(visit, at) for at in draft.paths_within(f"{visit}[")} - {scope.path}:
            _halt(draft, other)


def withdraw(draft: Draft, scope: Scope, place: int) -> None:
    """Do not run a node that is queued or between two attempts: the second has a row."""
    draft.queued -= scope.marks[place] == QUEUED
    if scope.attempts.pop(place, None) is None:
        scope.marks[place] = PENDING
    else:
        scope.marks[place] = CANCELLED
        _call_off(draft, scope, place)


# ---- one frame
def proceed(draft: Draft, outer: str, node_id: str) -> None:
    """Take a container one step on: open what may be open, ask what must be known, or end it."""
    visit = path(outer, node_id)
    frame = draft.frames[visit]
    if frame.error is not None:
        if frame.running == 0:
            _fail(draft, outer, node_id, frame.error)
    elif draft.scope(outer).halted:
        draft.touched[outer] = None
    elif draft.held:
        return
    elif frame.total is None:
        if frame.running == 0 and not frame.is_asking:
            _ask(draft, outer, node_id, frame)
    else:
        while frame.opened < frame.total and frame.running < frame.width and (frame.width == 1 or draft.room > 0):
            _open_next(draft, outer, node_id)
            frame = draft.frames[visit]
        if frame.running == 0 and frame.total is not None and frame.opened >= frame.total and not frame.is_asking:
            _collect(draft, outer, node_id)


def _tell_progress(draft: Draft, outer: str, node_id: str) -> None:
    frame = draft.frames[path(outer, node_id)]
    done = frame.opened - frame.running
    draft.tell(EventType.NODE_PROGRESS, draft.graph.node(node_id), outer, at=draft.now, done=done)


def _ask(draft: Draft, outer: str, node_id: str, frame: FrameState) -> None:
    """Have the condition tested: before an iteration with its index, after one with the index it had."""
    if frame.tests is Tests.AFTER and frame.opened == 0:
        _open_next(draft, outer, node_id)
        return
    draft.frames[path(outer, node_id)] = replace(frame, is_asking=True)
    draft.commands.append(TestCondition(node_id=node_id, scope=outer, index=tested_index(frame)))


def tested_index(frame: FrameState) -> int:
    """The iteration that a condition is asked about now."""
    return frame.opened if frame.tests is Tests.BEFORE else frame.opened - 1


def _open_next(draft: Draft, outer: str, node_id: str) -> None:
    visit = path(outer, node_id)
    frame = draft.frames[visit]
    draft.frames[visit] = replace(frame, opened=frame.opened + 1, running=frame.running + 1)
    draft.open_scope(inside(outer, node_id, frame.opened))


def _collect(draft: Draft, outer: str, node_id: str) -> None:
    visit = path(outer, node_id)
    frame = draft.frames[visit] = replace(draft.frames[visit], is_asking=True)
    draft.commands.append(CollectResults(node_id=node_id, scope=outer, count=frame.opened, started_at=frame.started_at))


def _fail(draft: Draft, outer: str, node_id: str, error: JSONObject) -> None:
    """The container fails; its own error edge and `onError` apply."""
    frame, scope, node = draft.frames.pop(path(outer, node_id)), draft.scope(outer), draft.graph.node(node_id)
    place = scope.body.position[node_id]
    verdict = judge_error(node, has_error_edge=scope.body.has_error_edge(place), error=error)
    draft.commands.append(
        EndContainer(node_id=node_id, scope=outer, verdict=verdict, started_at=frame.started_at, ended_at=draft.now)
    )
    told: JSONObject = {"attempt": 1, "duration_ms": milliseconds(frame.started_at, draft.now)}
    if verdict.status is NodeStatus.COMPLETED:
        scope.marks[place] = COMPLETED
        draft.tell(EventType.NODE_COMPLETED, node, outer, at=draft.now, port=None, usage=None, **told)
    else:
        scope.marks[place] = HANDLED if verdict.handled else FAILED
        more: JSONObject = {"error": verdict.error, "handled": verdict.handled}
        draft.tell(EventType.NODE_FAILED, node, outer, at=draft.now, **more, **told)
        if not verdict.handled:
            fail_scope(draft, scope, place, verdict.error)
    draft.follow(scope, [place])


# ---- one scope
def _is_over(draft: Draft, scope: Scope) -> bool:
    """Whether nothing in it is under way, and no container in it can go on.

    In one that has failed or was stopped, what only waits is not waited for.
    """
    if any(mark in scope.marks for mark in _UNDER_WAY):
        return False
    if _waits_for_release(draft, scope):
        return False
    if scope.error is not None or scope.halted:
        return not _moves_below(draft, scope)
    return not any(mark in scope.marks for mark in (*_RESTS, OPEN))


def _moves_below(draft: Draft, scope: Scope) -> bool:
    """Whether something in the containers of a scope is under way, or will be."""
    for place, mark in enumerate(scope.marks):
        if mark == OPEN and _can_go_on(draft, scope, place):
            return True
    for at in draft.paths_within(f"{scope.path}/" if scope.path else ""):
        inner = draft.scope(at)
        if inner is scope:
            continue
        if any(mark in inner.marks for mark in _UNDER_WAY) or _waits_for_release(draft, inner):
            return True
        if any(mark == OPEN and _can_go_on(draft, inner, place) for place, mark in enumerate(inner.marks)):
            return True
    return False


def _can_go_on(draft: Draft, scope: Scope, place: int) -> bool:
    """Whether an open container goes on by itself, or once its run is held no more."""
    frame = draft.frames.get(scope.visit(place))
    if frame is None:
        return True
    if scope.halted:
        return False
    has_more = frame.total is not None and frame.opened < frame.total and frame.running < frame.width
    return frame.is_asking or frame.running == 0 or has_more


def _waits_for_release(draft: Draft, scope: Scope) -> bool:
    """Whether a node could start here if its run were not held."""
    if not draft.held or scope.halted:
        return False
    pending = (place for place, mark in enumerate(scope.marks) if mark == PENDING)
    return any(coming_to(scope, place) is not Edge.UNKNOWN for place in pending)


def _touch_failing_around(draft: Draft, scope_path: str) -> None:
    """A scope that fails waits for what moves within it: look at it again now that less may."""
    while scope_path != TOP:
        scope_path = around(scope_path)[0]
        if draft.is_open(scope_path) and draft.scope(scope_path).error is not None:
            draft.touched[scope_path] = None


def _close(draft: Draft, scope: Scope) -> None:
    """An iteration or branch is over: its container goes on, or fails with it."""
    outer, container, _ = around(scope.path)
    visit = path(outer, container)
    for at in [*draft.paths_within(f"{scope.path}/"), scope.path]:
        _withdraw_all(draft, draft.scope(at))
        draft.drop_scope(at)
    frame = draft.frames[visit]
    error = frame.error
    if scope.error is not None and not frame.collects_failures:
        error = error or _of_body(scope)
    draft.frames[visit] = replace(frame, running=frame.running - 1, error=error)
    _tell_progress(draft, outer, container)
    proceed(draft, outer, container)


def _withdraw_all(draft: Draft, scope: Scope) -> None:
    """What waits in a scope that is over, and the containers that were stopped between two of their own."""
    for place, mark in enumerate(scope.marks):
        if mark == OPEN:
            draft.frames.pop(scope.visit(place), None)
        if mark == OPEN or mark in _RESTS:
            _call_off(draft, scope, place)


def _call_off(draft: Draft, scope: Scope, place: int) -> None:
    """End a visit that has a row, without an outcome."""
    node = scope.body.nodes[place]
    draft.commands.append(CancelNode(node_id=node.id, scope=scope.path))
    draft.tell(EventType.NODE_CANCELLED, node, scope.path, at=draft.now)


def _halt(draft: Draft, scope_path: str) -> None:
    """Nothing new starts in this scope, nor in any within it; what is out finishes."""
    for at in [scope_path, *draft.paths_within(f"{scope_path}/" if scope_path else "")]:
        scope = draft.scope(at)
        if scope.halted:
            continue
        scope.halted = True
        draft.touched[at] = None
        for place, mark in enumerate(scope.marks):
            if mark in (QUEUED, RETRYING):
                withdraw(draft, scope, place)


def _branch(visit: str, scope_path: str) -> str:
    """The branch of the container at *visit* that *scope_path* is, or lies in."""
    return visit + scope_path.removeprefix(visit).partition("/")[0]


def _of_body(scope: Scope) -> JSONObject:
    """The failure of a body as its container's: it still names the node, and says in which scope."""
    error = scope.error or {}
    if error.get("node_id") not in scope.body.position:  # of a body further in, which has said so
        return error
    return {**error, "details": {**_details(error), "scope": scope.path}}


def _details(error: JSONObject) -> JSONObject:
    details = error.get("details")
    return details if isinstance(details, dict) else {}
