"""What is known of a run, folded from its frames. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, assert_never

from executions.core.events import EventType
from executions.core.statuses import NodeStatus, RunStatus
from handlers import JSONObject
from realtime.core.wire import TOKEN

SNAPSHOT = "snapshot"


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeProgress:
    name: str
    kind: str  # its type
    status: NodeStatus = NodeStatus.RUNNING
    started_at: datetime | None = None
    ended_at: datetime | None = None
    duration_ms: float | None = None
    port: str | None = None  # the one it left by, if not the success edge
    model_tokens: int | None = None
    error: str | None = None
    is_handled: bool = False  # it failed, and the run goes on by its error edge


@dataclass(frozen=True, slots=True, kw_only=True)
class RunProgress:
    status: RunStatus = RunStatus.PENDING
    workflow: str = ""
    total_nodes: int = 0
    started_at: datetime | None = None
    nodes: Mapping[str, NodeProgress] = field(
        default_factory=dict
    )  # by "<node>/<scope>", in the order in which they began
    texts: Mapping[str, str] = field(default_factory=dict)  # streamed so far, by the same keys
    outputs: JSONObject | None = None  # None too when they are too long for a frame
    outputs_omitted: int | None = None  # their characters, when they are too long for any answer
    error: str | None = None
    ended_at: datetime | None = None

    def seconds_at(self, moment: datetime | None) -> float | None:
        """When *moment* was, counted from the run's start."""
        if moment is None or self.started_at is None:
            return None
        return max((moment - self.started_at).total_seconds(), 0.0)


def stream_of(frame: Mapping[str, Any]) -> str:
    """The key in `RunProgress.nodes` of what *frame* is about."""
    return str(frame["stream"]) if frame["type"] == TOKEN else f"{frame['node_id']}/{frame['scope']}"


def fold(run: RunProgress, frame: Mapping[str, Any]) -> RunProgress:
    """*run* after *frame*. Frames of a type we do not know change nothing: a newer server may have more."""
    kind = frame["type"]
    if kind == SNAPSHOT:
        texts = {stream: stretch["text"] for stream, stretch in frame["streams"].items()}
        return replace(run, texts={**run.texts, **texts})
    if kind == TOKEN:
        text = run.texts.get(frame["stream"], "")[: frame["offset"]] + frame["text"]
        return replace(run, texts={**run.texts, frame["stream"]: text})
    if kind in set(EventType):
        return _note(run, EventType(kind), frame)
    return run


def _note(run: RunProgress, kind: EventType, frame: Mapping[str, Any]) -> RunProgress:
    data, at = frame["data"], datetime.fromisoformat(frame["timestamp"])
    match kind:
        case EventType.EXECUTION_STARTED:
            return replace(
                run,
                status=RunStatus.RUNNING,
                started_at=at,
                workflow=data["workflow_name"],
                total_nodes=data["total_nodes"],
            )
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
        ):
            return _with(run, stream_of(frame), _node(run.nodes.get(stream_of(frame)), kind, data, at))
        case never:
            assert_never(never)


def _node(known: NodeProgress | None, kind: EventType, data: Mapping[str, Any], at: datetime) -> NodeProgress:
    node = known or NodeProgress(name=data["node_name"], kind=data["node_type"])
    match kind:
        case EventType.NODE_STARTED:
            return replace(node, status=NodeStatus.RUNNING, started_at=at)
        case EventType.NODE_SKIPPED:
            return replace(node, status=NodeStatus.SKIPPED)
        case EventType.NODE_RETRYING:
            return replace(node, status=NodeStatus.READY, error=data["error"]["message"])
        case EventType.NODE_FAILED:
            return replace(
                node,
                status=NodeStatus.FAILED,
                ended_at=at,
                duration_ms=data["duration_ms"],
                error=data["error"]["message"],
                is_handled=data["handled"],
            )
        case _:
            usage = data["usage"] or {}
            return replace(
                node,
                status=NodeStatus.COMPLETED,
                ended_at=at,
                duration_ms=data["duration_ms"],
                port=data["port"],
                model_tokens=usage.get("total_tokens"),
            )


def _with(run: RunProgress, key: str, node: NodeProgress) -> RunProgress:
    return replace(run, nodes={**run.nodes, key: node})
