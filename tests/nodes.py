"""Node types of the tests, as a plug-in would bring them (FLOWMAESTRO_NODE_HANDLERS=tests.nodes)."""

from __future__ import annotations

import time
from typing import Any

import redis
from django.conf import settings

from handlers import Effect, HandlerError, Lent, NodeConfig, NodeHandler, NodeInput, NodeOutput, node_type


class EchoConfig(NodeConfig):
    value: Any = None


@node_type("test.echo", category="test", effect=Effect.PURE)
class Echo(NodeHandler[EchoConfig]):
    """Gives back its value, or its own id when it has none."""

    Config = EchoConfig

    def run(self, node: NodeInput[EchoConfig], lent: Lent) -> NodeOutput:
        given = "value" in node.config.model_fields_set
        return NodeOutput(data={"result": node.config.value if given else node.node_id})


class SleepConfig(EchoConfig):
    ms: float = 0


def _sleep(ms: float, lent: Lent) -> None:
    ends = time.monotonic() + ms / 1000
    while (left := ends - time.monotonic()) > 0:
        lent.check_cancelled()
        time.sleep(min(left, 0.02))


@node_type("test.sleep", category="test")
class Sleep(NodeHandler[SleepConfig]):
    """Takes its time, then gives back its value. An effect for the engine, so that branches overlap."""

    Config = SleepConfig

    def run(self, node: NodeInput[SleepConfig], lent: Lent) -> NodeOutput:
        _sleep(node.config.ms, lent)
        return NodeOutput(data={"result": node.config.value})


class FailConfig(NodeConfig):
    message: str = "boom"
    code: str = "error"
    ms: float = 0
    retryable: bool = False


@node_type("test.fail", category="test")
class Fail(NodeHandler[FailConfig]):
    """Fails."""

    Config = FailConfig

    def run(self, node: NodeInput[FailConfig], lent: Lent) -> NodeOutput:
        _sleep(node.config.ms, lent)
        raise HandlerError(node.config.message, code=node.config.code, retryable=node.config.retryable)


class CountConfig(SleepConfig):
    url: str = ""  # of the Redis that counts; the suite's own when it is empty


@node_type("test.count", category="test")
class Count(NodeHandler[CountConfig]):
    """Counts, outside the engine's tables, how often it was started for a node of a run."""

    Config = CountConfig

    def run(self, node: NodeInput[CountConfig], lent: Lent) -> NodeOutput:
        with _client() as client:
            client.hincrby(count_key(str(node.execution_id)), node.node_id, 1)
        _sleep(node.config.ms, lent)
        return NodeOutput(data={"result": node.config.value})


@node_type("test.cheap", category="test", cheap=True)
class Cheap(Count):
    """The same, of the kind that shares messages."""


def count_key(execution_id: str) -> str:
    return f"{settings.REDIS_PREFIX}count:{execution_id}"


def _client() -> redis.Redis:
    return redis.Redis.from_url(settings.REDIS_URL, decode_responses=True)


def counted(execution_id: object) -> dict[str, int]:
    """How often each `test.count` node of a run was started."""
    with _client() as client:
        return {node: int(times) for node, times in client.hgetall(count_key(str(execution_id))).items()}
