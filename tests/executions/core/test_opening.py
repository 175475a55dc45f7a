from __future__ import annotations

from typing import Any

import pytest

from executions.core import Opened, state
from executions.core.opening import empty, opening
from handlers import HandlerError
from handlers.nodes.containers import LoopConfig, ParallelConfig
from tests.executions.core.play import NOW
from tests.graphs import EchoConfig

TOLD: dict[str, Any] = {"node_id": "c", "scope": "outer[1]", "started_at": NOW}


def opened(kind: type[Any], config: Any) -> tuple[Opened, Any]:
    begun = opening("c", "outer[1]", kind.model_validate(config), at=NOW)
    return begun.opened, begun.items


@pytest.mark.parametrize(
    ("config", "says", "items"),
    [
        ({"count": 3}, {"total": 3, "limit": 1000}, None),
        ({"count": "3"}, {"total": 3, "limit": 1000}, None),
        ({"count": 0}, {"total": 0, "limit": 1000}, None),
        ({"count": 5, "maxIterations": 5}, {"total": 5, "limit": 5}, None),  # exactly that many is allowed
        ({"loopType": "forEach", "arrayPath": ["a", None]}, {"total": 2, "limit": 1000}, ["a", None]),
        ({"loopType": "forEach", "items": []}, {"total": 0, "limit": 1000}, []),
        (
            {"loopType": "forEach", "collection": {"b": 1, "a": 2}},
            {"total": 2, "limit": 1000},
            [{"key": "a", "value": 2}, {"key": "b", "value": 1}],  # by key
        ),
        ({"loopType": "while", "condition": "x"}, {"total": None, "limit": 1000, "tests": state.Tests.BEFORE}, None),
        (
            {"loopType": "doWhile", "condition": "x", "maxIterations": 7},
            {"total": None, "limit": 7, "tests": state.Tests.AFTER},
            None,
        ),
    ],
)
def test_loop_opens_one_iteration_at_a_time(config: Any, says: Any, items: Any) -> None:
    assert opened(LoopConfig, config) == (Opened(**TOLD, width=1, **says), items)


@pytest.mark.parametrize(
    ("config", "says", "items"),
    [
        ({"mode": "count", "count": 3}, {"total": 3, "width": 20}, None),
        ({"mode": "collection", "collection": [1, 2], "maxConcurrency": 5}, {"total": 2, "width": 5}, [1, 2]),
        ({"mode": "count", "count": 3, "onFailure": "stop"}, {"total": 3, "width": 20}, None),
        (
            {"mode": "count", "count": 3, "onFailure": "continue"},
            {"total": 3, "width": 20, "collects_failures": True},
            None,
        ),
        ({"mode": "count", "count": 50_000}, {"total": 50_000, "width": 20}, None),  # no limit but its concurrency
    ],
)
def test_parallel_opens_as_many_branches_as_may_run_at_once(config: Any, says: Any, items: Any) -> None:
    assert opened(ParallelConfig, config) == (Opened(**TOLD, **says), items)


@pytest.mark.parametrize(
    ("kind", "config", "code", "message"),
    [
        (LoopConfig, {"count": -1}, "invalid_count", "-1 is no whole number from 0 on"),
        (LoopConfig, {"count": 1.5}, "invalid_count", "1.5 is no whole number from 0 on"),
        (LoopConfig, {"count": None}, "invalid_count", "null is no whole number from 0 on"),
        (LoopConfig, {"count": True}, "invalid_count", "true is no whole number from 0 on"),
        (LoopConfig, {"loopType": "forEach", "items": "abc"}, "not_iterable", "abc is neither a list nor an object"),
        (LoopConfig, {"loopType": "forEach", "items": None}, "not_iterable", "null is neither a list nor an object"),
        (
            LoopConfig,
            {"count": 1001},
            "loop_limit",
            "c needs 1001 iterations; its maxIterations is 1000",
        ),
        (
            LoopConfig,
            {"loopType": "forEach", "items": [1, 2, 3], "maxIterations": 2},
            "loop_limit",
            "c needs 3 iterations; its maxIterations is 2",
        ),
        (ParallelConfig, {"mode": "count", "count": "x"}, "invalid_count", "x is no whole number from 0 on"),
        (ParallelConfig, {"mode": "collection", "collection": 7}, "not_iterable", "7 is neither a list nor an object"),
    ],
)
def test_container_that_cannot_begin_fails_and_says_why(kind: type[Any], config: Any, code: str, message: str) -> None:
    with pytest.raises(HandlerError) as failed:
        opened(kind, config)

    assert (failed.value.code, str(failed.value), failed.value.retryable) == (code, message, False)


def test_limit_is_told_with_what_is_needed() -> None:
    with pytest.raises(HandlerError) as failed:
        opened(LoopConfig, {"count": 12, "maxIterations": 10})

    assert failed.value.details == {"needed": 12, "limit": 10}


def test_container_without_a_body_repeats_nothing() -> None:
    """Whatever its configuration asks for."""
    begun = empty("c", "outer[1]", at=NOW)

    assert (begun.opened, begun.items) == (Opened(**TOLD, total=0), None)


def test_configuration_of_another_kind_is_a_bug() -> None:
    with pytest.raises(TypeError, match="EchoConfig is no container's configuration"):
        opening("c", "", EchoConfig(), at=NOW)
