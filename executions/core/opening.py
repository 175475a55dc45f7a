"""What a container's resolved configuration comes to: how many iterations or branches, of what."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from executions.core.failure import LOOP_LIMIT
from executions.core.outcomes import Opened
from executions.core.state import Tests
from handlers import HandlerError, JSONValue, NodeConfig
from handlers.nodes.containers import LoopConfig, LoopType, ParallelConfig, count_of, items_of

_TESTS: Final = {LoopType.WHILE: Tests.BEFORE, LoopType.DO_WHILE: Tests.AFTER}


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    opened: Opened
    items: list[JSONValue] | None = None  # of a collection


def opening(node_id: str, scope: str, config: NodeConfig, *, at: datetime) -> Opening:
    """How a container begins. Raises HandlerError for a collection, a count or a limit that it cannot begin with."""
    match config:
        case LoopConfig():
            return _loop(node_id, scope, config, at)
        case ParallelConfig():
            return _parallel(node_id, scope, config, at)
    raise TypeError(f"{type(config).__name__} is no container's configuration")


def empty(node_id: str, scope: str, *, at: datetime) -> Opening:
    """A container without a body: nothing to repeat."""
    return Opening(opened=Opened(node_id=node_id, scope=scope, started_at=at, total=0))


def _loop(node_id: str, scope: str, config: LoopConfig, at: datetime) -> Opening:
    limit = config.max_iterations
    if config.loop_type in _TESTS:
        tests = _TESTS[config.loop_type]
        return Opening(opened=Opened(node_id=node_id, scope=scope, started_at=at, total=None, limit=limit, tests=tests))
    items = items_of(config.items) if config.loop_type is LoopType.FOR_EACH else None
    total = count_of(config.count) if items is None else len(items)
    if total > limit:
        raise HandlerError(
            f"{node_id} needs {total} iterations; its maxIterations is {limit}",
            code=LOOP_LIMIT,
            details={"needed": total, "limit": limit},
        )
    return Opening(opened=Opened(node_id=node_id, scope=scope, started_at=at, total=total, limit=limit), items=items)


def _parallel(node_id: str, scope: str, config: ParallelConfig, at: datetime) -> Opening:
    items = items_of(config.collection) if config.mode == "collection" else None
    total = count_of(config.count) if items is None else len(items)
    opened = Opened(
        node_id=node_id,
        scope=scope,
        started_at=at,
        total=total,
        width=config.max_concurrency,
        collects_failures=config.on_failure == "continue",
    )
    return Opening(opened=opened, items=items)
