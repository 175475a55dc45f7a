"""A state being changed by one step: its scopes, what follows from a change, what is told of it.

One rule carries the walk. A node is looked at whenever the node behind one of its edges changed. It runs **once**, when
none of its incoming edges is unknown and at least one is taken; when all are dead it is skipped, and its own edges are
dead in turn, to any depth. What an edge is, is read off the letter of the node it comes from (`state.EDGES`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from executions.core.commands import Command, OpenContainer
from executions.core.events import EventType, RunEvent
from executions.core.graph import Body, Graph
from executions.core.kept import Kept
from executions.core.outcomes import Outcome
from executions.core.scopes import TOP, path
from executions.core.state import (
    GIVEN,
    OPEN,
    PASSED,
    PENDING,
    QUEUED,
    SKIPPED,
    Edge,
    FrameState,
    RunState,
    ScopeState,
    edge,
)
from handlers import JSONObject, JSONValue
from workflows.core.plan import PlanNode


@dataclass(slots=True, kw_only=True)
class Scope:
    """One scope being changed."""

    path: str
    body: Body
    marks: bytearray
    ports: dict[int, str]
    attempts: dict[int, int]
    error: JSONObject | None = None
    halted: bool = False

    def visit(self, place: int) -> str:
        return path(self.path, self.body.nodes[place].id)

    def freeze(self) -> ScopeState:
        return ScopeState(
            marks=bytes(self.marks), ports=self.ports, attempts=self.attempts, error=self.error, halted=self.halted
        )


class Draft:
    """The run between two states."""

    def __init__(self, graph: Graph, state: RunState, now: datetime) -> None:
        self.graph, self.before, self.now = graph, state, now
        self.status, self.variables, self.has_responded = state.status, state.variables, state.has_responded
        self.held, self.was_released = state.held, state.was_released
        self.paused_at, self.paused_ms = state.paused_at, state.paused_ms
        self.frames: dict[str, FrameState] = dict(state.frames)
        self.commands: list[Command] = []
        self.events: list[RunEvent] = []
        self.stale: list[Outcome] = []
        self.touched: dict[str, None] = {}  # scopes that may be over; a set in the order of its making
        self._scopes: dict[str, ScopeState | None] = dict(state.scopes)  # None: see _changed
        self._changed: dict[str, Scope] = {}
        self.kept: Mapping[str, Kept] = {}  # top-level nodes that a run begins with, by id
        self.given = self.queued = 0  # nodes, over all scopes
        self.waiting: dict[str, None] = {}  # scopes that may have a queued node, the older first
        for at, scope in state.scopes.items():
            self.given += scope.marks.count(GIVEN)
            if QUEUED in scope.marks:
                self.queued += scope.marks.count(QUEUED)
                self.waiting[at] = None

    def begin(self, now: datetime) -> None:
        """Another step over the same state."""
        self.now, self.commands, self.events, self.stale = now, [], [], []

    @property
    def room(self) -> int:
        """How many more nodes could be handed out when all that is queued has been."""
        return self.graph.plan.max_concurrent_nodes - self.given - self.queued

    # ---- scopes
    @property
    def top(self) -> Scope:
        return self.scope(TOP)

    def scope(self, scope_path: str) -> Scope:
        """The scope, to be read or changed. Raises KeyError when it is over."""
        scope = self._changed.get(scope_path)
        if scope is None:
            frozen = self._scopes[scope_path]
            if frozen is None:
                raise KeyError(scope_path)
            scope = self._changed[scope_path] = Scope(
                path=scope_path,
                body=self.graph.body(scope_path),
                marks=bytearray(frozen.marks),
                ports=dict(frozen.ports),
                attempts=dict(frozen.attempts),
                error=frozen.error,
                halted=frozen.halted,
            )
        return scope

    def is_open(self, scope_path: str) -> bool:
        return scope_path in self._scopes

    def marks(self) -> Iterator[tuple[str, bytes | bytearray]]:
        """The letters of every open scope."""
        for at, frozen in self._scopes.items():
            changed = self._changed.get(at)
            if changed is not None:
                yield at, changed.marks
            elif frozen is not None:
                yield at, frozen.marks

    def paths_within(self, prefix: str) -> Iterator[str]:
        """Open scopes whose path begins so: `loop1[` are all iterations of loop1 and what is in them."""
        return (at for at in list(self._scopes) if at.startswith(prefix))

    def open_scope(self, scope_path: str) -> None:
        body = self.graph.body(scope_path)
        self._scopes[scope_path] = None
        self._changed[scope_path] = scope = Scope(
            path=scope_path, body=body, marks=bytearray([PENDING]) * len(body.nodes), ports={}, attempts={}
        )
        self.touched[scope_path] = None
        self.settle(scope, body.roots)

    def drop_scope(self, scope_path: str) -> None:
        self._scopes.pop(scope_path, None)
        self._changed.pop(scope_path, None)

    # ---- the walk
    def settle(self, scope: Scope, places: list[int]) -> None:
        """Look at these nodes again, and at every node that this touches. In a scope that was halted nothing starts.

        Nor in a run that is held, but what it is to take over it takes over when it begins, or never.
        """
        if scope.halted or (self.held and not self.kept):
            return
        marks, body = scope.marks, scope.body
        while places:
            place = places.pop()
            if marks[place] != PENDING:
                continue
            coming = coming_to(scope, place)
            if coming is Edge.UNKNOWN:
                continue
            node = body.nodes[place]
            if coming is Edge.DEAD:
                marks[place] = SKIPPED
                self._tell_skipped(scope, node, "dead_path")
            elif node.disabled:
                marks[place] = PASSED
                self._tell_skipped(scope, node, "disabled")
            elif node.id in self.kept:
                self._take_over(scope, place, self.kept[node.id])
            elif self.held:
                continue
            else:
                self._start(scope, place, node)
                continue
            places += [arc.other for arc in body.out[place]]

    def follow(self, scope: Scope, places: list[int]) -> None:
        """Look at what comes after these nodes, which have just ended: once, however many of them lead there."""
        followers = dict.fromkeys(arc.other for place in places for arc in scope.body.out[place])
        self.touched[scope.path] = None
        self.settle(scope, list(followers))

    def _start(self, scope: Scope, place: int, node: PlanNode) -> None:
        if node.container is None:
            self.queue(scope, place)
        else:  # takes no worker, so it waits for none
            scope.marks[place] = OPEN
            self.commands.append(OpenContainer(node_id=node.id, scope=scope.path))

    @staticmethod
    def _take_over(scope: Scope, place: int, kept: Kept) -> None:
        scope.marks[place] = kept.mark
        if kept.port is not None:
            scope.ports[place] = kept.port

    def queue(self, scope: Scope, place: int) -> None:
        scope.marks[place] = QUEUED
        self.queued += 1
        self.waiting[scope.path] = None

    # ---- telling
    def tell(self, kind: EventType, node: PlanNode, scope: str, *, at: datetime, **data: JSONValue) -> None:
        told: JSONObject = {"node_type": node.type, "node_name": node.name, **data}
        self.events.append(RunEvent(type=kind, at=at, node_id=node.id, scope=scope, data=told))

    def _tell_skipped(self, scope: Scope, node: PlanNode, reason: str) -> None:
        self.tell(EventType.NODE_SKIPPED, node, scope.path, at=self.now, reason=reason)

    # ---- the end
    def freeze(self) -> RunState:
        scopes: dict[str, ScopeState] = {}
        for at, frozen in self._scopes.items():
            changed = self._changed.get(at)
            if changed is not None:
                scopes[at] = changed.freeze()
            elif frozen is not None:
                scopes[at] = frozen
        return RunState(
            status=self.status,
            started_at=self.before.started_at,
            scopes=scopes,
            frames=self.frames,
            variables=self.variables,
            has_responded=self.has_responded,
            until=self.before.until,
            held=self.held,
            was_released=self.was_released,
            paused_at=self.paused_at,
            paused_ms=self.paused_ms,
        )

    def forget_bodies(self) -> None:
        """Keep the top level only: the run is over."""
        self._scopes = {TOP: self._scopes[TOP]}
        self._changed = {at: scope for at, scope in self._changed.items() if at == TOP}
        self.frames = {}


def coming_to(scope: Scope, place: int) -> Edge:
    """What the incoming edges come to: unknown while one is, taken when one is, else dead; absent at a root."""
    coming = Edge.ABSENT
    for arc in scope.body.into[place]:
        other = arc.other
        found = edge(scope.marks[other], arc.type, drawn=arc.port, chosen=scope.ports.get(other))
        if found is Edge.UNKNOWN:
            return found
        if found is Edge.TAKEN or coming is Edge.ABSENT:
            coming = found
    return coming


def milliseconds(since: datetime, until: datetime) -> int:
    return max(0, round((until - since).total_seconds() * 1000))
