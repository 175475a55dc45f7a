"""Node types that do nothing, and the raw Celery tasks they are measured against: a plug-in of the workers."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import redis
from celery import shared_task
from django.conf import settings
from django.dispatch import receiver

from executions.core.events import FINAL_EVENTS
from executions.frames import Frame
from executions.signals import events_recorded
from handlers import (
    Effect,
    Lent,
    NodeConfig,
    NodeHandler,
    NodeInput,
    NodeOutput,
    Pause,
    PauseKind,
    Resumed,
    node_type,
)

DONE = "bench:done"


class _Nothing(NodeHandler[NodeConfig]):
    def run(self, node: NodeInput[NodeConfig], lent: Lent) -> NodeOutput:
        del lent
        return NodeOutput(data={"node": node.node_id})


@node_type("bench.pure", category="bench", effect=Effect.PURE)
class Pure(_Nothing):
    """A pure node that costs nothing."""


@node_type("bench.effect", category="bench")
class EffectNode(_Nothing):
    """An effect that costs nothing: its claim and its outcome are what is left."""


@node_type("bench.cheap", category="bench", cheap=True)
class Cheap(_Nothing):
    """The same, of the kind that shares messages."""


class _SleepConfig(NodeConfig):
    ms: int = 0


@node_type("bench.sleep", category="bench")
class Sleep(NodeHandler[_SleepConfig]):
    """An effect that takes its time."""

    Config = _SleepConfig

    def run(self, node: NodeInput[_SleepConfig], lent: Lent) -> NodeOutput:
        del lent
        time.sleep(node.config.ms / 1000)
        return NodeOutput(data={})


class _AskConfig(NodeConfig):
    kind: PauseKind = PauseKind.HUMAN
    at: datetime | None = None  # when a timer wakes


@node_type("bench.ask", category="bench", effect=Effect.PURE, pauses=True, retries=False)
class Ask(NodeHandler[_AskConfig]):
    """Waits."""

    Config = _AskConfig

    def run(self, node: NodeInput[_AskConfig], lent: Lent) -> NodeOutput:
        del lent
        is_timer = node.config.kind is PauseKind.TIMER
        pause = Pause(kind=node.config.kind, wakes_at=node.config.at if is_timer else None)
        return NodeOutput(data=None, signal=pause)

    def resume(self, node: Resumed) -> NodeOutput:
        return NodeOutput(data={"answer": node.answer})


@node_type("bench.stamp", category="bench")
class Stamp(NodeHandler[NodeConfig]):
    """An effect that says when it began."""

    def run(self, node: NodeInput[NodeConfig], lent: Lent) -> NodeOutput:
        del node, lent
        return NodeOutput(data={"at": time.time()})


class _LargeConfig(NodeConfig):
    bytes: int = 0
    read: Any = None


@node_type("bench.large", category="bench")
class Large(NodeHandler[_LargeConfig]):
    """An effect that returns much, and was given as much."""

    Config = _LargeConfig

    def run(self, node: NodeInput[_LargeConfig], lent: Lent) -> NodeOutput:
        del lent
        return NodeOutput(data={"data": "x" * node.config.bytes})


_redis = redis.Redis.from_url(settings.REDIS_URL)


@shared_task(name="bench.hop", ignore_result=True)
def hop() -> None:
    """One message there, one push back."""
    _redis.lpush(f"{settings.REDIS_PREFIX}{DONE}", 1)


@shared_task(name="bench.stamp", ignore_result=True)
def stamp() -> None:
    """When its first line was reached."""
    _redis.lpush(f"{settings.REDIS_PREFIX}bench:stamp", time.time())


@shared_task(name="bench.header", ignore_result=False)
def header() -> None:
    """A part of a raw chord, as Celery's documentation has it: with its result kept."""


@shared_task(name="bench.count", ignore_result=True)
def count(target: int) -> None:
    """A raw task; the *target*-th says that all are done."""
    if _redis.incr(f"{settings.REDIS_PREFIX}bench:count") == target:
        hop()


@receiver(events_recorded)
def push_end(*, execution_id: UUID, frames: Sequence[Frame], **_: Any) -> None:
    """The end of a run, pushed as a raw hop pushes its own: by the thread that committed it."""
    if frames[-1].type in FINAL_EVENTS:
        _redis.lpush(f"{settings.REDIS_PREFIX}bench:end:{execution_id}", frames[-1].type)
