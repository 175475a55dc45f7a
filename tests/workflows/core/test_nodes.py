"""Stage 3: plan nodes."""

from __future__ import annotations

from typing import Any

import pytest

from handlers import ContainerKind, Effect, Lane, RetryDefaults
from handlers.registry import load
from tests.graphs import catalogue
from workflows.core import PlanNode
from workflows.core.definition import Node, OnError
from workflows.core.nodes import plan_nodes
from workflows.core.plan import DEFAULT_TIMEOUT_MS, OnErrorStrategy, OnInterrupted


def test_plan_nodes_take_what_was_drawn_and_what_the_type_says() -> None:
    """Everything a scheduler asks of a node is in the plan, under the type's own name."""
    node = Node(
        id="a",
        type="if",
        name="A",
        config={"expression": "x"},
        retry={"attempts": 2},
        timeout_ms=5,
        disabled=True,
        on_error=OnError(strategy=OnErrorStrategy.FALLBACK, fallback_value=[1]),
    )

    planned = plan_nodes({"a": node}, {"a": catalogue["if"]}, order=["a"], roots=["a"], parents={"a": "loop"})

    assert planned == (
        PlanNode(
            id="a",
            type="conditional",
            name="A",
            config={"expression": "x"},
            effect=Effect.PURE,
            lane=Lane.DRIVE,
            disabled=True,
            on_error=OnErrorStrategy.FALLBACK,
            fallback_value=[1],
            timeout_ms=5,
            retry={"attempts": 2},
            parent="loop",
        ),
    )


def test_plan_nodes_follow_their_type() -> None:
    """An input is a source only where nothing leads to it, an output an end only outside bodies; the rest is the type's."""
    kinds = {
        "in": "input", "fed": "input", "call": "call", "out": "output", "inner": "output", "set": "setVariable",
    }  # fmt: skip
    nodes = {node_id: Node(id=node_id, type=kind, name=node_id) for node_id, kind in kinds.items()}
    nodes["set"] = Node(id="set", type="setVariable", name="set", config={"name": "v", "value": 1})
    types = {node_id: catalogue[kind] for node_id, kind in kinds.items()}

    planned = plan_nodes(nodes, types, order=[*kinds], roots=["in"], parents={**dict.fromkeys(kinds), "inner": "loop"})

    assert [node.id for node in planned if node.source] == ["in"]
    assert [node.id for node in planned if node.terminal] == ["out"]
    assert [(node.id, node.effect, node.lane) for node in planned if node.cheap] == [("call", Effect.EFFECT, Lane.IO)]
    assert [(node.id, node.writes) for node in planned if node.writes] == [("set", "v")]
    assert {node.timeout_ms for node in planned} == {DEFAULT_TIMEOUT_MS}


@pytest.mark.parametrize(("kind", "planned"), [("call", OnInterrupted.FAIL), ("echo", OnInterrupted.RERUN)])
def test_plan_nodes_of_effects_alone_can_be_interrupted(kind: str, planned: OnInterrupted) -> None:
    """What does nothing outside is run again, whatever is drawn."""
    node = Node(id="a", type=kind, name="A", on_interrupted=OnInterrupted.FAIL)

    (told,) = plan_nodes({"a": node}, {"a": catalogue[kind]}, order=["a"], roots=["a"], parents={"a": None})

    assert told.on_interrupted is planned


def test_plan_nodes_leaves_out_what_is_not_in_order() -> None:
    """The order says which nodes there are."""
    nodes = {node_id: Node(id=node_id, type="echo", name=node_id) for node_id in "abc"}

    planned = plan_nodes(
        nodes, dict.fromkeys("abc", catalogue["echo"]), order=["c", "a"], roots=[], parents=dict.fromkeys("abc")
    )

    assert [node.id for node in planned] == ["c", "a"]


def test_plan_nodes_of_containers_are_never_retried_nor_timed() -> None:
    """A body takes the time it takes, and its failures are those of its nodes."""
    node = Node(id="p", type="parallel", name="P", retry={"attempts": 5}, timeout_ms=1)

    (planned,) = plan_nodes({"p": node}, {"p": catalogue["parallel"]}, order=["p"], roots=["p"], parents={"p": None})

    assert (planned.container, planned.retry, planned.timeout_ms) == (ContainerKind.PARALLEL, None, DEFAULT_TIMEOUT_MS)


def test_plan_nodes_that_pause_are_never_retried_nor_timed() -> None:
    """How long they wait is theirs to say, not that of an attempt."""
    node = Node(id="h", type="humanReview", name="H", retry={"attempts": 5}, timeout_ms=1)

    (planned,) = plan_nodes({"h": node}, {"h": catalogue["humanReview"]}, order=["h"], roots=["h"], parents={"h": None})

    assert (planned.pauses, planned.retry, planned.timeout_ms) == (True, None, DEFAULT_TIMEOUT_MS)


@pytest.mark.parametrize(
    ("kind", "drawn", "planned"),
    [
        ("http", None, RetryDefaults(initial_interval_ms=500, max_interval_ms=5_000).to_json()),
        ("llm", {"attempts": 7}, RetryDefaults(attempts=7, max_interval_ms=10_000).to_json()),
        ("conditional", None, None),  # left to its effect
        ("conditional", {"attempts": 2}, {"attempts": 2}),
    ],
)
def test_plan_nodes_are_tried_as_they_say_and_else_as_their_type_says(kind: str, drawn: Any, planned: Any) -> None:
    """A run keeps its plan: what a type is tried by is settled when the workflow is stored."""
    node = Node(id="a", type=kind, name="A", retry=drawn)

    (made,) = plan_nodes({"a": node}, {"a": load()[kind]}, order=["a"], roots=["a"], parents={"a": None})

    assert made.retry == planned


@pytest.mark.parametrize(
    ("config", "drawn", "attempts"),
    [
        ({}, None, 3),
        ({"retryCount": 0}, None, 1),
        ({"retryCount": 4}, None, 5),
        ({"retryCount": 4}, {"attempts": 2}, 2),  # the node's own word goes before
        ({"retryCount": 4}, {"factor": 3}, 5),
        ({"retryCount": True}, None, 3),  # refused by validation; here it is nothing
    ],
)
def test_plan_nodes_are_tried_as_their_configuration_says(config: Any, drawn: Any, attempts: int) -> None:
    """Workflows of the existing product say so in the node's configuration."""
    node = Node(id="a", type="http", name="A", config=config, retry=drawn)

    (made,) = plan_nodes({"a": node}, {"a": load()["http"]}, order=["a"], roots=["a"], parents={"a": None})

    assert made.retry is not None
    assert made.retry["attempts"] == attempts
