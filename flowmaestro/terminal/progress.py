"""What is known of a run, folded from its frames. Pure.

A loop may have ten thousand iterations. So of each node only its newest visit is kept, with counts of the others, and
of all visits those that are under way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final, TypeAlias, assert_never

from executions.core.events import FINAL_EVENTS, EventType
from executions.core.scopes import TOP, around, path
from executions.core.statuses import NodeStatus, PauseReason, RunStatus
from handlers import JSONObject
from realtime.core.wire import TOKEN

SNAPSHOT: Final = "snapshot"
_AT_WORK: Final = (NodeStatus.RUNNING, NodeStatus.READY)
_OPEN: Final = (*_AT_WORK, NodeStatus.WAITING)
Key: TypeAlias = str  # of a visit, as streams are called: "<node>/<scope>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A node in one scope."""

    node_id: str
    scope: str
    name: str
    kind: str  # its type
    status: NodeStatus = NodeStatus.RUNNING
    started_at: datetime | None = None  # of the newest attempt
    ended_at: datetime | None = None
    duration_ms: float | None = None
    attempt: int = 1
    attempts: int | None = None  # that it may have; known once one has failed
    due_at: datetime | None = None  # between two attempts: when the next is
    port: str | None = None  # the one it left by, if not the success edge
    model_tokens: int | None = None
    error: str | None = None
    is_handled: bool = False  # it failed, and the run goes on by its error edge
    waitpoint: JSONObject | None = None  # what it waits for: executions.core.events.WAITPOINT_FIELDS
    total: int | None = None  # of a container: iterations or branches, where that is known
    begun: int = 0  # of these

    @property
    def indices(self) -> tuple[int, ...]:
        return indices_of(self.scope)


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeProgress:
    """All visits of a node in a few figures."""

    newest: Visit
    visits: int = 0  # that began
    at_work: int = 0  # of these
    waiting: int = 0  # of these, for something outside
    failed: int = 0  # of these, and nothing took it


@dataclass(frozen=True, slots=True, kw_only=True)
class RunProgress:
    status: RunStatus = RunStatus.PENDING
    workflow: str = ""
    total_nodes: int = 0
    started_at: datetime | None = None
    nodes: Mapping[str, NodeProgress] = field(default_factory=dict)  # by id, in the order in which they began
    under_way: Mapping[Key, Visit] = field(default_factory=dict)
    told_of: Visit | None = None  # by the newest event
    texts: Mapping[Key, str] = field(default_factory=dict)  # streamed so far
    outputs: JSONObject | None = None  # None too when they are too long for a frame
    outputs_omitted: int | None = None  # their characters, when they are too long for any answer
    error: str | None = None
    ended_at: datetime | None = None
    pause_reason: PauseReason | None = None  # None: it is not paused
    paused_at: datetime | None = None
    paused_ms: int = 0  # of the pauses that are over

    @property
    def waits(self) -> list[Visit]:
        """What waits of it for something outside, the oldest first."""
        return [visit for visit in self.under_way.values() if visit.status is NodeStatus.WAITING]

    def seconds_at(self, moment: datetime | None) -> float | None:
        """When *moment* was, counted from the run's start."""
        if moment is None or self.started_at is None:
            return None
        return max((moment - self.started_at).total_seconds(), 0.0)


def key_of(visit: Visit) -> Key:
    return f"{visit.node_id}/{visit.scope}"


def indices_of(scope: str) -> tuple[int, ...]:
    """Those of the iterations and branches that *scope* lies in, outermost first."""
    found: tuple[int, ...] = ()
    while scope != TOP:
        scope, _, index = around(scope)
        found = (index, *found)
    return found


def place(visit: Visit) -> str:
    """`each[3]/ask`, as people name it."""
    return path(visit.scope, visit.node_id)


def fold(run: RunProgress, frame: Mapping[str, Any]) -> RunProgress:
    """*run* after *frame*. Frames of a type we do not know change nothing: a newer server may have more."""
    kind = frame["type"]
    if kind == SNAPSHOT:
        texts = {stream: stretch["text"] for stream, stretch in frame["streams"].items()}
        return replace(run, texts={**run.texts, **texts})
    if kind == TOKEN:
        stream = frame["stream"]
        text = run.texts.get(stream, "")[: frame["offset"]] + frame["text"]
        return replace(run, texts={**run.texts, stream: text})
    if kind in set(EventType):
        return _note(_without_text(run), EventType(kind), frame)
    return run


def _without_text(run: RunProgress) -> RunProgress:
    """*run* without the text of the visit whose end was told last: until then, somebody may want the whole of it."""
    ended = None if run.told_of is None else key_of(run.told_of)
    if ended is None or ended not in run.texts or ended in run.under_way:
        return replace(run, told_of=None)
    return replace(run, told_of=None, texts={key: text for key, text in run.texts.items() if key != ended})


def _note(run: RunProgress, kind: EventType, frame: Mapping[str, Any]) -> RunProgress:
    data, at = frame["data"], datetime.fromisoformat(frame["timestamp"])
    if kind in FINAL_EVENTS:
        run = _over(run, at)
    match kind:
        case EventType.EXECUTION_STARTED:
            return replace(
                run,
                status=RunStatus.RUNNING,
                started_at=at,
                workflow=data["workflow_name"],
                total_nodes=data["total_nodes"],
            )
        case EventType.EXECUTION_PAUSED | EventType.EXECUTION_RESUMED:
            return _gone_on(run, data["paused_ms"]) if "paused_ms" in data else _paused(run, data["reason"], at)
        case EventType.EXECUTION_COMPLETED:
            return replace(run, status=RunStatus.COMPLETED, outputs=data.get("outputs"), ended_at=at)
        case EventType.EXECUTION_FAILED:
            return replace(run, status=RunStatus.FAILED, error=data["error"]["message"], ended_at=at)
        case EventType.EXECUTION_CANCELLED:
            return replace(run, status=RunStatus.CANCELLED, error=data["reason"], ended_at=at)
        case (
            EventType.NODE_STARTED
            | EventType.NODE_COMPLETED
            | EventType.NODE_FAILED
            | EventType.NODE_RETRYING
            | EventType.NODE_SKIPPED
            | EventType.NODE_WAITING
            | EventType.NODE_CANCELLED
        ):
            return _with(run, _visit(run, kind, frame, at))
        case EventType.NODE_PROGRESS:
            return run
        case never:
            assert_never(never)


def _paused(run: RunProgress, reason: str, at: datetime) -> RunProgress:
    """*run*, paused. When it has been already, it is for another reason now."""
    since = run.paused_at or at
    return replace(run, status=RunStatus.PAUSED, pause_reason=PauseReason(reason), paused_at=since)


def _gone_on(run: RunProgress, paused_ms: int) -> RunProgress:
    """*run* after a pause of so long."""
    lasted = run.paused_ms + paused_ms
    return replace(run, status=RunStatus.RUNNING, pause_reason=None, paused_at=None, paused_ms=lasted)


def _over(run: RunProgress, at: datetime) -> RunProgress:
    """*run* when it ends: nothing of it is under way any more, nor is it paused."""
    if run.paused_at is not None:
        run = _gone_on(run, round((at - run.paused_at).total_seconds() * 1000))
    return _called_off(run, list(run.under_way.values()))


def _visit(run: RunProgress, kind: EventType, frame: Mapping[str, Any], at: datetime) -> Visit:
    """The visit that a node's event tells of, as it is after that."""
    data, node_id, scope = frame["data"], frame["node_id"], frame["scope"]
    known = run.under_way.get(f"{node_id}/{scope}")
    visit = known or Visit(node_id=node_id, scope=scope, name=data["node_name"], kind=data["node_type"])
    match kind:
        case EventType.NODE_STARTED:
            told = {"started_at": at, "attempt": data["attempt"], "total": data["total"]}
            anew: dict[str, Any] = dict.fromkeys(("ended_at", "duration_ms", "due_at", "error"))
            return replace(visit, status=NodeStatus.RUNNING, **anew, **told)
        case EventType.NODE_SKIPPED:
            return replace(visit, status=NodeStatus.SKIPPED)
        case EventType.NODE_WAITING:
            return replace(visit, status=NodeStatus.WAITING, waitpoint=data["waitpoint"])
        case EventType.NODE_CANCELLED:
            return replace(visit, status=NodeStatus.CANCELLED, ended_at=at, due_at=None, waitpoint=None)
        case EventType.NODE_RETRYING:
            return replace(
                visit,
                status=NodeStatus.READY,
                attempt=data["attempt"],
                attempts=max(data["attempts"], data["attempt"] + 1),  # those that a lost worker cost come on top
                due_at=datetime.fromisoformat(data["due_at"]),
                error=data["error"]["message"],
                ended_at=at,
                duration_ms=data["duration_ms"],
            )
        case EventType.NODE_FAILED:
            failed = {"error": data["error"]["message"], "is_handled": data["handled"]}
            return _ended(visit, NodeStatus.FAILED, at, data, **failed)
        case _:
            usage = data["usage"] or {}
            left = {"port": data["port"], "model_tokens": usage.get("total_tokens"), "error": None}
            return _ended(visit, NodeStatus.COMPLETED, at, data, **left)


def _ended(visit: Visit, status: NodeStatus, at: datetime, data: Mapping[str, Any], **more: Any) -> Visit:
    return replace(
        visit, status=status, ended_at=at, duration_ms=data["duration_ms"], due_at=None, waitpoint=None, **more
    )


def _with(run: RunProgress, visit: Visit) -> RunProgress:
    """*run* with a visit that has changed: counted, kept if it is its node's newest, and noticed by its containers."""
    key, is_open = key_of(visit), visit.status in _OPEN
    if visit.begun and not is_open:
        body = f"{place(visit)}["
        run = _called_off(run, [inner for inner in run.under_way.values() if inner.scope.startswith(body)])
    before = run.under_way.get(key)
    was_open = before is not None
    others = {other: found for other, found in run.under_way.items() if other != key}
    under_way = {**run.under_way, key: visit} if is_open else others if was_open else run.under_way
    known = run.nodes.get(visit.node_id)
    if known is None:
        known = NodeProgress(newest=visit)
    has_begun = not was_open and visit.status is not NodeStatus.SKIPPED
    is_newest = has_begun or known.newest.scope == visit.scope
    node = NodeProgress(
        newest=visit if is_newest else known.newest,
        visits=known.visits + has_begun,
        at_work=known.at_work + _is_at_work(visit) - _is_at_work(before),
        waiting=known.waiting + _waits(visit) - _waits(before),
        failed=known.failed + (visit.status is NodeStatus.FAILED and not visit.is_handled),
    )
    run = replace(run, nodes={**run.nodes, visit.node_id: node}, under_way=under_way, told_of=visit)
    return _noticed(run, visit.scope)


def _is_at_work(visit: Visit | None) -> bool:
    return visit is not None and visit.status in _AT_WORK


def _waits(visit: Visit | None) -> bool:
    return visit is not None and visit.status is NodeStatus.WAITING


def _noticed(run: RunProgress, scope: str) -> RunProgress:
    """*run* whose containers know that *scope*, an iteration or a branch, has begun."""
    while scope != TOP:
        scope, container, index = around(scope)
        visit = run.under_way.get(f"{container}/{scope}")
        if visit is None or visit.begun > index:
            break  # it, and those around it, know
        visit = replace(visit, begun=index + 1)
        node = run.nodes[container]
        if node.newest.scope == scope:
            node = replace(node, newest=visit)
        run = replace(run, nodes={**run.nodes, container: node}, under_way={**run.under_way, key_of(visit): visit})
    return run


def _called_off(run: RunProgress, visits: list[Visit]) -> RunProgress:
    """*run* without these visits under way: what is around them is over, and no event will tell of their end."""
    if not visits:
        return run
    nodes = dict(run.nodes)
    for visit in visits:
        node = nodes[visit.node_id]
        newest = node.newest
        if newest.scope == visit.scope:
            newest = replace(newest, status=NodeStatus.CANCELLED, due_at=None, waitpoint=None)
        at_work, waiting = node.at_work - _is_at_work(visit), node.waiting - _waits(visit)
        nodes[visit.node_id] = replace(node, newest=newest, at_work=at_work, waiting=waiting)
    gone = {key_of(visit) for visit in visits}
    under_way = {key: visit for key, visit in run.under_way.items() if key not in gone}
    return replace(run, nodes=nodes, under_way=under_way)
