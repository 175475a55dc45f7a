"""Node types of the tests, as a plug-in would bring them (FLOWMAESTRO_NODE_HANDLERS=tests.nodes)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal, Protocol

import redis
from django.conf import settings
from pydantic import Field

from handlers import Effect, HandlerError, Lent, NodeConfig, NodeHandler, NodeInput, NodeOutput, NodeTimeout, node_type

STARTS, TRIES = "", ":tries"  # what is counted: of `test.count` and of `test.fail_n`


class Outside(Protocol):
    """What these nodes do beside returning an output."""

    def sleep(self, ms: float, lent: Lent) -> None:
        """Take so long, or until the attempt is called off."""

    def count(self, what: str, execution_id: str, node_id: str) -> int:
        """One more; how many it were by now, over all scopes of the run."""


class RealOutside:
    """Real time, and a hash in Redis for each run."""

    def sleep(self, ms: float, lent: Lent) -> None:
        ends = time.monotonic() + ms / 1000
        while (left := ends - time.monotonic()) > 0:
            lent.check_cancelled()
            time.sleep(min(left, 0.02))

    def count(self, what: str, execution_id: str, node_id: str) -> int:
        with _client() as client:
            return int(client.hincrby(count_key(execution_id) + what, node_id, 1))


_outside: list[Outside] = [RealOutside()]  # the last is asked


def outside() -> Outside:
    """What nodes have outside now."""
    return _outside[-1]


@contextmanager
def played_by(outside: Outside) -> Iterator[None]:
    """Let *outside* stand in for time and Redis, for a run that is simulated in this process."""
    _outside.append(outside)
    try:
        yield
    finally:
        _outside.remove(outside)


class EchoConfig(NodeConfig):
    value: Any = None

    def result_of(self, node_id: str) -> dict[str, Any]:
        """The value, or the node's id where none is given."""
        return {"result": self.value if "value" in self.model_fields_set else node_id}


@node_type("test.echo", category="test", effect=Effect.PURE)
class Echo(NodeHandler[EchoConfig]):
    """Gives back its value, or its own id when it has none."""

    Config = EchoConfig

    def run(self, node: NodeInput[EchoConfig], lent: Lent) -> NodeOutput:
        return NodeOutput(data=node.config.result_of(node.node_id))


class SleepConfig(EchoConfig):
    ms: float = 0


@node_type("test.sleep", category="test")
class Sleep(NodeHandler[SleepConfig]):
    """Takes its time, then gives back its value.

    An effect for the engine, so that branches overlap; yet not worth another attempt, as it does nothing outside.
    """

    Config = SleepConfig

    def run(self, node: NodeInput[SleepConfig], lent: Lent) -> NodeOutput:
        try:
            _outside[-1].sleep(node.config.ms, lent)
        except NodeTimeout as late:
            raise HandlerError(str(late), code=late.code, retryable=False) from late
        return NodeOutput(data=node.config.result_of(node.node_id))


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
        _outside[-1].sleep(node.config.ms, lent)
        raise HandlerError(node.config.message, code=node.config.code, retryable=node.config.retryable)


class FailFirstConfig(SleepConfig):
    n: int
    retryable: bool = True
    retry_after_ms: float | None = None
    counter: Literal["attempt", "run"] = Field("attempt", description="run: tries are counted over all scopes.")


@node_type("test.fail_n", category="test")
class FailFirst(NodeHandler[FailFirstConfig]):
    """Fails the first `n` times, then gives back its value."""

    Config = FailFirstConfig

    def run(self, node: NodeInput[FailFirstConfig], lent: Lent) -> NodeOutput:
        config, tries = node.config, node.attempt
        if config.counter == "run":
            tries = _outside[-1].count(TRIES, str(node.execution_id), node.node_id)
        _outside[-1].sleep(config.ms, lent)
        if tries > config.n:
            return NodeOutput(data=config.result_of(node.node_id))
        after = None if config.retry_after_ms is None else config.retry_after_ms / 1000
        raise HandlerError(f"fail#{tries}", code="error", retryable=config.retryable, retry_after=after)


@node_type("test.count", category="test")
class Count(NodeHandler[SleepConfig]):
    """Counts, outside the engine's tables, how often it was started for a node of a run."""

    Config = SleepConfig

    def run(self, node: NodeInput[SleepConfig], lent: Lent) -> NodeOutput:
        _outside[-1].count(STARTS, str(node.execution_id), node.node_id)
        _outside[-1].sleep(node.config.ms, lent)
        return NodeOutput(data=node.config.result_of(node.node_id))


@node_type("test.deaf", category="test")
class Deaf(NodeHandler[SleepConfig]):
    """The same, and does not look whether anybody still wants it."""

    Config = SleepConfig

    def run(self, node: NodeInput[SleepConfig], lent: Lent) -> NodeOutput:
        _outside[-1].count(STARTS, str(node.execution_id), node.node_id)
        time.sleep(node.config.ms / 1000)
        return NodeOutput(data=node.config.result_of(node.node_id))


@node_type("test.cheap", category="test", cheap=True)
class Cheap(Count):
    """The same, of the kind that shares messages."""


class BigConfig(NodeConfig):
    kb: int = Field(ge=0, le=1_000_000)


@node_type("test.big", category="test", effect=Effect.PURE)
class Big(NodeHandler[BigConfig]):
    """Gives back a text of so many kilobytes."""

    Config = BigConfig

    def run(self, node: NodeInput[BigConfig], lent: Lent) -> NodeOutput:
        return NodeOutput(data={"data": "x" * (node.config.kb * 1024), "kb": node.config.kb})


def count_key(execution_id: str) -> str:
    return f"{settings.REDIS_PREFIX}count:{execution_id}"


def _client() -> redis.Redis:
    return redis.Redis.from_url(settings.REDIS_URL, decode_responses=True)


def counted(execution_id: object) -> dict[str, int]:
    """How often each `test.count` node of a run was started."""
    with _client() as client:
        return {node: int(times) for node, times in client.hgetall(count_key(str(execution_id))).items()}
