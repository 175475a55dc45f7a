"""The whole decision: what a run does next. Pure: no clock, no chance, no I/O.

    start()    a new run                    → its first Step
    advance()  what was reported            → the next Step
    hold()     somebody wants it to pause   → the next Step; `release` undoes it
    cancel()   somebody wants it to end     → the last Step

A step folds what was reported into the letters of its nodes, follows their edges (`draft`), opens and ends the bodies
of containers (`containers`), and hands out what is ready. It says what to do and what to tell; the shell obeys
(`executions.driver`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce

from executions.core.commands import CloseRun, CollectResults, Command, OpenContainer, RunNode, TestCondition
from executions.core.containers import (
    close_what_is_over,
    fill,
)
from executions.core.draft import Draft, milliseconds
from executions.core.errors import NotCancellable, NotHeld, NotPausable
from executions.core.events import EventType, RunEvent
from executions.core.failure import TIMEOUT, describe
from executions.core.folding import fold
from executions.core.graph import Graph
from executions.core.kept import Kept
from executions.core.outcomes import (
    Outcome,
)
from executions.core.pausing import let_go, settle_status, tell_paused, unpause
from executions.core.results import outputs_of
from executions.core.scopes import TOP
from executions.core.state import (
    CANCELLED,
    CHILD,
    GIVEN,
    OPEN,
    OUT,
    PENDING,
    QUEUED,
    RESTING,
    RETRYING,
    WAITING,
    RunState,
    ScopeState,
)
from executions.core.statuses import RunStatus, step_run
from executions.core.variables import written
from handlers import JSONObject, VariableWrite

# When a run ends early, what has not ended by itself is cancelled.
_NOT_ENDED = bytes([PENDING, QUEUED, GIVEN, OPEN, CHILD, RESTING, WAITING, RETRYING])
_ENDED = bytes.maketrans(_NOT_ENDED, bytes([CANCELLED] * len(_NOT_ENDED)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One decision: the next state, what to do, what to tell, and which outcomes were not news."""

    state: RunState
    commands: tuple[Command, ...] = ()
    events: tuple[RunEvent, ...] = ()
    stale: tuple[Outcome, ...] = ()  # of nodes that are not out any more: duplicates, or late


def start(
    graph: Graph,
    *,
    entry: str,
    until: str | None = None,
    held: bool = False,
    now: datetime,
    kept: Mapping[str, Kept] | None = None,
    writes: Iterable[VariableWrite] = (),
) -> Step:
    """A new run from *entry*, a root, and from every root of an input kind; it goes no further than *until*.

    *held*: it begins with a pause, before anything has started. *kept* are top-level nodes, by id, of which the run
    before has the end: the walk goes on behind them. One that it reaches only after something has run is run as well.
    *writes* are those that the run before made of the variables.
    """
    top, members = graph.top, graph.members(entry, until)
    draft = Draft(
        graph,
        RunState(
            status=RunStatus.RUNNING,
            started_at=now,
            scopes={TOP: ScopeState(marks=bytes(PENDING if at in members else OUT for at in range(len(top.nodes))))},
            variables=reduce(written, writes, dict(graph.plan.variables)),
            until=until,
            held=held,
        ),
        now,
    )
    draft.kept = kept or {}
    draft.touched[TOP] = None
    draft.settle(draft.top, [at for at in members if not any(arc.other in members for arc in top.into[at])])
    return _step(draft, _decide(draft))


def hold(graph: Graph, state: RunState, *, now: datetime) -> Step:
    """Start nothing new; what is out finishes. Raises NotPausable when the run is over."""
    if state.status.is_final:
        raise NotPausable(state.status)
    draft = Draft(graph, state, now)
    draft.held, draft.was_released = True, False
    if state.status is RunStatus.PAUSED and not state.held:
        tell_paused(draft)
    return _step(draft, _decide(draft))


def release(graph: Graph, state: RunState, *, now: datetime) -> Step:
    """Undo `hold`. What can start now, the next `advance` says. Raises NotHeld."""
    if not state.held or state.status.is_final:
        raise NotHeld(state.status)
    draft = Draft(graph, state, now)
    draft.held, draft.was_released = False, True
    settle_status(draft)
    return _step(draft, [])


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
    if draft.was_released:
        let_go(draft)
    fold(draft, outcomes)
    timeout = draft.graph.plan.timeout_ms
    ends_at = draft.before.ends_at(timeout)
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
    fold(draft, outcomes)
    return _step(draft, _close(draft, RunStatus.CANCELLED, reason=reason))


def _decide(draft: Draft) -> list[Command]:
    """End what is over, open what there is room for, then hand out what is ready."""
    is_over = close_what_is_over(draft)
    while not is_over:
        fill(draft)
        if not draft.touched:
            commands = _hand_out(draft)
            settle_status(draft)
            return commands
        is_over = close_what_is_over(draft)
    return _close(draft, RunStatus.FAILED if draft.top.error else RunStatus.COMPLETED)


def _hand_out(draft: Draft) -> list[Command]:
    """Queued nodes as far as the cap allows: of the older scopes first, and in plan order."""
    most = draft.graph.plan.max_concurrent_nodes
    for at in list(draft.waiting):
        scope = draft.scope(at) if draft.is_open(at) else None
        while scope and not draft.held and draft.given < most and (place := scope.marks.find(QUEUED)) >= 0:
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
    if status is RunStatus.COMPLETED:
        unpause(draft)
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
