"""The stored form of a plan."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from handlers import Effect, Lane
from workflows.core import Plan, PlanEdge, PlanNode, PlanTooNew, load_plan
from workflows.core.plan import (
    FORMAT,
    Binding,
    ContainerKind,
    EdgeType,
    OnErrorStrategy,
    OnFailure,
    OnInterrupted,
    Source,
)

FULL = PlanNode(
    id="a",
    type="conditional",
    name="A",
    config={"x": [1]},
    effect=Effect.EFFECT,
    lane=Lane.CPU,
    cheap=True,
    source=True,
    terminal=True,
    responds=True,
    delegates=True,
    pauses=True,
    disabled=True,
    on_error=OnErrorStrategy.FALLBACK,
    fallback_value={"y": None},
    on_interrupted=OnInterrupted.FAIL,
    timeout_ms=1,
    retry={"attempts": 2},
    parent="loop",
    container=ContainerKind.PARALLEL,
    reads={"n": Binding(source=Source.NODE, nodes=("b", "c"), alias="m"), "$now": Binding(source=Source.NOW)},
    deferred_reads={"loop": Binding(source=Source.LOOP, nodes=("loop",), needs=("item", "total"))},
    writes="v",
)
LEAST = PlanNode(id="b", type="echo", name="B", config={}, effect=Effect.PURE, lane=Lane.DRIVE)


def test_full_node_differs_from_the_least_in_every_field() -> None:
    """So that the round trip below leaves no field out, the next one included."""
    assert [field.name for field in fields(PlanNode) if getattr(FULL, field.name) == getattr(LEAST, field.name)] == []


@pytest.mark.parametrize("node", [FULL, LEAST])
def test_plan_of_a_node_loads_as_it_was_dumped(node: PlanNode) -> None:
    """Every field survives."""
    plan = Plan(
        nodes=(node,),
        edges=(PlanEdge(source="a", target="b", type=EdgeType.PORT, port="true"),),
        entry=node.id,
        variables={"v": 1},
        timeout_ms=5,
        max_concurrent_nodes=1,
        on_failure=OnFailure.FINISH_BRANCHES,
    )

    assert load_plan(plan.dump()) == plan


def test_dump_leaves_out_defaults() -> None:
    """A plan is stored with every version: it is kept small."""
    plan = Plan(nodes=(LEAST,), edges=(), entry="b")

    assert plan.dump()["nodes"] == [
        {"id": "b", "type": "echo", "name": "B", "config": {}, "effect": "pure", "lane": "drive"}
    ]


def test_load_plan_of_the_first_format_reads_it() -> None:
    """A plan outlives every release that comes after the one that made it."""
    node = {
        "id": "b",
        "type": "echo",
        "name": "B",
        "config": {},
        "effect": "pure",
        "lane": "drive",
        "reads": {"a": ["node", ["a"], "m"]},
    }
    data = {**Plan(nodes=(), edges=(), entry="b").dump(), "format": 1, "nodes": [node]}

    assert load_plan(data).nodes == (replace(LEAST, reads={"a": Binding(source=Source.NODE, nodes=("a",), alias="m")}),)


def test_load_plan_of_a_newer_format_is_refused() -> None:
    """A process that does not know a format leaves its runs to those that do."""
    data = {**Plan(nodes=(), edges=(), entry="a").dump(), "format": FORMAT + 1}

    with pytest.raises(PlanTooNew, match=f"plan format {FORMAT + 1}, this release reads up to {FORMAT}"):
        load_plan(data)
