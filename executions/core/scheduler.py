"""The whole decision: what a run does next. Pure: no clock, no chance, no I/O.

    start()    a new run                    → its first Step
    advance()  what was reported            → the next Step
    cancel()   somebody wants it to end     → the last Step

A step folds what was reported into the letters of its nodes, follows their edges (`draft`), opens and ends the bodies
of containers (`containers`), and hands out what is ready. It says what to do and what to tell; the shell obeys
(`executions.worker`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from executions.core.commands import CloseRun, CollectResults, Command, OpenContainer, Respond, RunNode, TestCondition
from executions.core.containers import (
    close_what_is_over,
    fail_scope,
    fill,
    go_on,
    open_container,
    tested_index,
    withdraw,
)
from executions.core.draft import Draft, Scope, milliseconds
from executions.core.errors import NotCancellable
from executions.core.events import EventType, RunEvent
from executions.core.failure import TIMEOUT, describe
from executions.core.graph import Graph
from executions.core.outcomes import Delegated, Due, Failed, Opened, Outcome, Retrying, Succeeded, Tested
from executions.core.results import outputs_of
from executions.core.retry import policy_of
from executions.core.scopes import TOP
from executions.core.state import (
    CANCELLED,
    CHILD,
    COMPLETED,
    FAILED,
    GIVEN,
    HANDLED,
    OPEN,
    OUT,
    PENDING,
    QUEUED,
    RETRYING,
    RunState,
    ScopeState,
    deadline,
)
from executions.core.statuses import RunStatus, step_run
from executions.core.variables import written
from handlers import JSONObject, JSONValue

# When a run ends early, what has not ended by itself is cancelled.
_ENDED = bytes.maketrans(bytes([PENDING, QUEUED, GIVEN, OPEN, CHILD, RETRYING]), bytes([CANCELLED] * 6))
# The letter a node has when an outcome of its kind is news; with any other, it was told before or nobody asked.
_OUT_FOR = {Due: (RETRYING,), Opened: (OPEN,), Tested: (OPEN,), Retrying: (GIVEN,), Delegated: (GIVEN,)}
_OUT = (GIVEN, CHILD, OPEN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One decision: the next state, what to do, what to tell, and which outcomes were not news."""

    state: RunState
    commands: tuple[Command, ...] = ()
    events: tuple[RunEvent, ...] = ()
    stale: tuple[Outcome, ...] = ()  # of nodes that are not out any more: duplicates, or late


def start(graph: Graph, *, entry: str, until: str | None = None, now: datetime) -> Step:
    """A new run from *entry*, a root, and from every root of an input kind; it goes no further than *until*."""
    top, members = graph.top, graph.members(entry, until)
    draft = Draft(
        graph,
        RunState(
            status=RunStatus.RUNNING,
            started_at=now,
            scopes={TOP: ScopeState(marks=bytes(PENDING if at in members else OUT for at in range(len(top.nodes))))},
            variables=dict(graph.plan.variables),
            until=until,
        ),
        now,
    )
    draft.touched[TOP] = None
    draft.settle(draft.top, [at for at in members if not any(arc.other in members for arc in top.into[at])])
    return _step(draft, _decide(draft))


def advance(graph: Graph, state: RunState, outcomes: Sequence[Outcome], *, now: datetime) -> Step:
    """Fold what was reported into the run: its next state, what to do, what to tell.

    Equal arguments give an equal Step. An outcome of a node that is not out any more, which is what a duplicate
    delivery looks like, is left out and named in Step.stale. A run that is late ends here.
    """
    if state.status.is_final:
        return Step(state=state, stale=tuple(outcomes))
    draft = Draft(graph, state, now)
    return _step(draft, _advance(draft, outcomes))


class Burst:
    """Steps of one turn, one after the other: as `advance`, without writing the state down between them."""

    def __init__(self, graph: Graph, step: Step, *, now: datetime) -> None:
        self._draft, self._state = Draft(graph, step.state, now), step.state
        self._is_state_old = False
        self.commands, self.events = step.commands, step.events  # of the last step

    @property
    def state(self) -> RunState:
        """As of the last step. Good until the next one."""
        if self._is_state_old:
            self._state, self._is_state_old = self._draft.freeze(), False
        return self._state

    def advance(self, outcomes: Sequence[Outcome], *, now: datetime) -> None:
        draft = self._draft
        draft.begin(now)
        self.commands = () if draft.status.is_final else tuple(_advance(draft, outcomes))
        self.events = tuple(draft.events)
        self._is_state_old = True

    def step(self) -> Step:
        """The last of them."""
        return Step(state=self.state, commands=self.commands, events=self.events)


def _advance(draft: Draft, outcomes: Sequence[Outcome]) -> list[Command]:
    _fold(draft, outcomes)
    timeout = draft.graph.plan.timeout_ms
    ends_at = deadline(draft.before.started_at, timeout)
    if ends_at is not None and draft.now >= ends_at:
        message = f"The run took longer than its timeout of {timeout} ms."
        draft.top.error = describe(None, message=message, code=TIMEOUT, attempt=1, at=draft.now)
        return _close(draft, RunStatus.FAILED)
    return _decide(draft)


def cancel(graph: Graph, state: RunState, outcomes: Sequence[Outcome], *, reason: str, now: datetime) -> Step:
    """End the run now. *outcomes* that are in already are part of it; what is still out will be stale.

    Raises NotCancellable when it is over already.
    """
    if state.status.is_final:
        raise NotCancellable(state.status)
    draft = Draft(graph, state, now)
    _fold(draft, outcomes)
    return _step(draft, _close(draft, RunStatus.CANCELLED, reason=reason))


# ---- folding
def _fold(draft: Draft, outcomes: Sequence[Outcome]) -> None:
    """Note everything, then look at what follows it."""
    ended: dict[str, list[int]] = {}  # by scope
    for outcome in outcomes:
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


def _note(draft: Draft, scope: Scope, outcome: Outcome) -> int | None:  # noqa: C901 -- one case per kind
    """Note one outcome. Returns the node's place when it has ended, so that others may follow it."""
    place, node = scope.body.position[outcome.node_id], draft.graph.node(outcome.node_id)
    draft.touched[scope.path] = None
    if isinstance(outcome, Succeeded | Failed | Retrying) and not outcome.announced:
        told: JSONObject = {"attempt": outcome.attempt, "total": None}
        draft.tell(EventType.NODE_STARTED, node, scope.path, at=outcome.started_at, **told)
    match outcome:
        case Succeeded():
            _leave(draft, scope, place, COMPLETED)
            _note_success(draft, scope, place, outcome)
            return place
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


# ---- deciding
def _decide(draft: Draft) -> list[Command]:
    """End what is over, open what there is room for, then hand out what is ready."""
    is_over = close_what_is_over(draft)
    while not is_over:
        fill(draft)
        if not draft.touched:
            return _hand_out(draft)
        is_over = close_what_is_over(draft)
    return _close(draft, RunStatus.FAILED if draft.top.error else RunStatus.COMPLETED)


def _hand_out(draft: Draft) -> list[Command]:
    """Queued nodes as far as the cap allows: of the older scopes first, and in plan order."""
    most = draft.graph.plan.max_concurrent_nodes
    for at in list(draft.waiting):
        scope = draft.scope(at) if draft.is_open(at) else None
        while scope and draft.given < most and (place := scope.marks.find(QUEUED)) >= 0:
            scope.marks[place] = GIVEN
            draft.given, draft.queued = draft.given + 1, draft.queued - 1
            node_id, attempt = scope.body.nodes[place].id, scope.attempts.get(place, 1)
            draft.commands.append(RunNode(node_id=node_id, scope=at, attempt=attempt))
        if scope is None or QUEUED not in scope.marks:
            del draft.waiting[at]
    return [command for command in draft.commands if _is_wanted(draft, command)]


def _is_wanted(draft: Draft, command: Command) -> bool:
    """Whether a container that was to be opened, tested or collected has not been stopped within this very step."""
    if not isinstance(command, OpenContainer | TestCondition | CollectResults):
        return True
    if not draft.is_open(command.scope):
        return False
    scope = draft.scope(command.scope)
    return scope.marks[scope.body.position[command.node_id]] == OPEN


def _close(draft: Draft, status: RunStatus, *, reason: str | None = None) -> list[Command]:
    top = draft.top
    nodes, named = outputs_of(top.body, top.marks, top.ports, until=draft.before.until)
    if status is not RunStatus.COMPLETED:
        top.marks = top.marks.translate(_ENDED)
    data: JSONObject = {"duration_ms": milliseconds(draft.before.started_at, draft.now)}
    match status:
        case RunStatus.COMPLETED:
            kind = EventType.EXECUTION_COMPLETED
        case RunStatus.FAILED:
            kind, data["error"] = EventType.EXECUTION_FAILED, top.error
        case _:
            kind, data["reason"] = EventType.EXECUTION_CANCELLED, reason
    draft.events.append(RunEvent(type=kind, at=draft.now, data=data))
    draft.status = step_run(draft.status, status)
    draft.forget_bodies()
    close = CloseRun(status=status, at=draft.now, error=top.error, outputs_of=nodes, named=named)
    dropped = (OpenContainer, TestCondition, CollectResults)
    return [*(command for command in draft.commands if not isinstance(command, dropped)), close]


def _step(draft: Draft, commands: Sequence[Command]) -> Step:
    return Step(state=draft.freeze(), commands=tuple(commands), events=tuple(draft.events), stale=tuple(draft.stale))


def started(
    graph: Graph, node_id: str, *, attempt: int, at: datetime, scope: str = TOP, total: int | None = None
) -> RunEvent:
    """The event of a claim. Made by whoever claims: only the claim knows when a node starts.

    *total*: of a container, how many iterations or branches there will be; None where its condition says.
    """
    node = graph.node(node_id)
    data: JSONObject = {"node_type": node.type, "node_name": node.name, "attempt": attempt, "total": total}
    return RunEvent(type=EventType.NODE_STARTED, at=at, node_id=node_id, scope=scope, data=data)
