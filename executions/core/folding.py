"""What was reported, noted in the letters of its nodes; then a look at what follows them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from executions.core.commands import Respond
from executions.core.containers import fail_scope, go_on, open_container, tested_index, withdraw
from executions.core.draft import Draft, Scope, milliseconds
from executions.core.events import EventType
from executions.core.outcomes import (
    ChildMoved,
    Delegated,
    Due,
    Failed,
    Opened,
    Outcome,
    Paused,
    Retrying,
    Succeeded,
    Tested,
)
from executions.core.retry import policy_of
from executions.core.segments import in_line
from executions.core.state import (
    CHILD,
    COMPLETED,
    EXPIRED,
    FAILED,
    GIVEN,
    HANDLED,
    OPEN,
    PENDING,
    RESTING,
    RETRYING,
    WAITING,
)
from executions.core.variables import written
from handlers import JSONObject, JSONValue

# The letter a node has when an outcome of its kind is news; with any other, it was told before or nobody asked.
_OUT_FOR = {
    Due: (RETRYING,),
    Opened: (OPEN,),
    Tested: (OPEN,),
    Retrying: (GIVEN,),
    Delegated: (GIVEN,),
    ChildMoved: (CHILD, RESTING),
    Paused: (GIVEN,),
}
_OUT = (GIVEN, CHILD, RESTING, WAITING, OPEN)


def fold(draft: Draft, outcomes: Sequence[Outcome]) -> None:
    """Note everything, then look at what follows it."""
    ended: dict[str, list[int]] = {}  # by scope
    for outcome in in_line(outcomes):
        scope = draft.scope(outcome.scope) if draft.is_open(outcome.scope) else None
        if scope is None or not _is_news(draft, scope, outcome):
            draft.stale.append(outcome)
            continue
        if (place := _note(draft, scope, outcome)) is not None:
            ended.setdefault(scope.path, []).append(place)
    for at, places in ended.items():
        if draft.is_open(at):  # an iteration of a container whose condition failed is gone by now
            draft.follow(draft.scope(at), places)


def _is_news(draft: Draft, scope: Scope, outcome: Outcome) -> bool:
    place = scope.body.position[outcome.node_id]
    if scope.marks[place] not in _OUT_FOR.get(type(outcome), _OUT):
        return False
    match outcome:
        case Opened():
            return scope.visit(place) not in draft.frames
        case Tested():
            frame = draft.frames.get(scope.visit(place))
            if frame is None or not frame.is_asking or frame.total is not None:
                return False
            return outcome.index == tested_index(frame)
        case Succeeded() | Failed() | Retrying():
            return outcome.attempt >= scope.attempts.get(place, 1)
    return True


def _note(draft: Draft, scope: Scope, outcome: Outcome) -> int | None:  # noqa: C901, PLR0912 -- one case per kind
    """Note one outcome. Returns the node's place when it has ended, so that others may follow it."""
    place, node = scope.body.position[outcome.node_id], draft.graph.node(outcome.node_id)
    draft.touched[scope.path] = None
    if isinstance(outcome, Succeeded | Failed | Retrying) and not outcome.announced:
        told: JSONObject = {"attempt": outcome.attempt, "total": None}
        draft.tell(EventType.NODE_STARTED, node, scope.path, at=outcome.started_at, **told)
    match outcome:
        case Succeeded():
            _leave(draft, scope, place, EXPIRED if outcome.expired else COMPLETED)
            _note_success(draft, scope, place, outcome)
            if outcome.continued is None:
                return place
            _note_continued(draft, scope, scope.body.position[outcome.continued])
        case Failed():
            _leave(draft, scope, place, HANDLED if outcome.handled else FAILED)
            _tell_ended(draft, EventType.NODE_FAILED, outcome, error=outcome.error, handled=outcome.handled)
            if not outcome.handled:
                fail_scope(draft, scope, place, outcome.error)
            return place
        case Retrying():
            _leave(draft, scope, place, RETRYING)
            scope.attempts[place] = outcome.attempt + 1
            due_at, attempts = outcome.due_at.isoformat(), policy_of(node).attempts
            _tell_ended(draft, EventType.NODE_RETRYING, outcome, error=outcome.error, due_at=due_at, attempts=attempts)
            if scope.halted:  # a node between two attempts gets no further one
                withdraw(draft, scope, place)
        case Due():
            draft.queue(scope, place)
        case Delegated():
            _leave(draft, scope, place, CHILD)
        case ChildMoved():
            scope.marks[place] = RESTING if outcome.is_paused else CHILD
        case Paused():
            _leave(draft, scope, place, WAITING)
            draft.tell(EventType.NODE_WAITING, node, scope.path, at=draft.now, waitpoint=outcome.waitpoint)
        case Opened():
            open_container(draft, outcome)
        case Tested():
            go_on(draft, outcome)
        case _:
            assert_never(outcome)
    return None


def _note_success(draft: Draft, scope: Scope, place: int, outcome: Succeeded) -> None:
    if outcome.port is not None:
        scope.ports[place] = outcome.port
    for write in outcome.writes:
        draft.variables = written(draft.variables, write)
    _tell_ended(draft, EventType.NODE_COMPLETED, outcome, port=outcome.port, usage=outcome.usage)
    if scope.body.nodes[place].responds and not draft.has_responded:
        draft.has_responded = True
        draft.commands.append(Respond(node_id=outcome.node_id, scope=scope.path))


def _note_continued(draft: Draft, scope: Scope, place: int) -> None:
    """A worker has started this node itself. Also in a scope that has been halted since: it is out, and finishes."""
    if scope.marks[place] == PENDING:
        scope.marks[place] = GIVEN
        draft.given += 1


def _leave(draft: Draft, scope: Scope, place: int, mark: int) -> None:
    """A node that was out comes back, for good or for a while."""
    draft.given -= scope.marks[place] == GIVEN
    if scope.marks[place] == OPEN:
        draft.frames.pop(scope.visit(place), None)
    scope.marks[place] = mark
    scope.attempts.pop(place, None)


def _tell_ended(draft: Draft, kind: EventType, outcome: Succeeded | Failed | Retrying, **data: JSONValue) -> None:
    lasted = milliseconds(outcome.started_at, outcome.ended_at)
    node = draft.graph.node(outcome.node_id)
    draft.tell(kind, node, outcome.scope, at=outcome.ended_at, attempt=outcome.attempt, duration_ms=lasted, **data)
