from __future__ import annotations

from typing import Any

import pytest

from executions.core.context import (
    Values,
    container_context,
    containers_read,
    lookup,
    nodes_read,
    reads_any,
)
from workflows.core import MISSING, UNKNOWN, EvaluationError
from workflows.core.plan import Binding, Source


def values(**more: Any) -> Values:
    told: dict[str, Any] = {"outputs": {}, "variables": {}, "inputs": {}, "env": {}, "now_ms": 7, **more}
    return Values(**told)


def found(name: str, binding: Binding, *rest: Any, **more: Any) -> Any:
    return lookup({name: binding}, values(**more))([name, *rest])


class TestContainerContext:
    def test_branch_knows_where_it_is(self) -> None:
        assert container_context("par", 2, total=3, item={"a": 1}, results=[1]) == {
            "index": 2,
            "iteration": 3,
            "first": False,
            "last": True,
            "total": 3,
            "item": {"a": 1},
            "currentItem": {"a": 1},
            "branchId": "par[2]",
            "results": [1],
        }

    @pytest.mark.parametrize(
        ("index", "total", "first", "last"),
        [(0, 2, True, False), (1, 2, False, True), (0, 1, True, True), (0, None, True, None), (5, None, False, None)],
    )
    def test_last_is_known_when_the_total_is(
        self, index: int, total: int | None, first: bool, last: bool | None
    ) -> None:
        context = container_context("loop", index, total=total)

        assert (context["first"], context["last"], context["total"]) == (first, last, total)


CONTAINERS = {
    "loop": container_context("loop", 1, total=4, item={"name": "x"}, results=[{"a": 1}]),
    "par": container_context("par", 0, item=["y"]),
}


@pytest.mark.parametrize(
    ("binding", "rest", "value"),
    [
        (Binding(source=Source.LOOP, nodes=("loop",)), ("index",), 1),
        (Binding(source=Source.LOOP, nodes=("loop",)), ("item", "name"), "x"),
        (Binding(source=Source.LOOP, nodes=("loop",)), ("results", 0, "a"), 1),
        (Binding(source=Source.LOOP, nodes=("loop",)), (), CONTAINERS["loop"]),
        (Binding(source=Source.LOOP, nodes=("loop",)), ("ghost",), MISSING),
        (Binding(source=Source.PARALLEL, nodes=("par",)), ("currentItem", 0), "y"),
        (Binding(source=Source.PARALLEL, nodes=("par",)), ("total",), None),
        (Binding(source=Source.ITEM, nodes=("loop",)), ("name",), "x"),
        (Binding(source=Source.ITEM, nodes=("par",)), (), ["y"]),
        (Binding(source=Source.INDEX, nodes=("loop",)), (), 1),
        (Binding(source=Source.INDEX, nodes=("par",)), (), 0),
    ],
)
def test_reference_into_a_container_is_answered_by_its_context(binding: Binding, rest: Any, value: Any) -> None:
    assert found("name", binding, *rest, containers=CONTAINERS) == value


@pytest.mark.parametrize(
    ("binding", "rest", "outputs", "value"),
    [
        (Binding(source=Source.NODE, nodes=("a", "b")), ("x",), {"a": {"x": 1}, "b": {"x": 2}}, 2),  # the later that ran
        (Binding(source=Source.NODE, nodes=("a", "b")), ("x",), {"a": {"x": 1}}, 1),
        (Binding(source=Source.NODE, nodes=("a", "b")), ("x",), {}, MISSING),
        (Binding(source=Source.NODE, nodes=("a",), alias="made"), ("made", "x"), {"a": {"x": 1}}, 1),
        (Binding(source=Source.NODE, nodes=("a",), alias="made"), ("made",), {"a": {"made": 3}}, 3),  # its own key wins
        (Binding(source=Source.NODE, nodes=("a",)), (), {"a": None}, None),
    ],
)  # fmt: skip
def test_reference_to_a_node_is_answered_by_its_output(binding: Binding, rest: Any, outputs: Any, value: Any) -> None:
    assert found("name", binding, *rest, outputs=outputs) == value


@pytest.mark.parametrize(
    ("name", "source", "rest", "value"),
    [
        ("v", Source.VARIABLE, ("k",), 1),
        ("var", Source.VAR, ("v", "k"), 1),
        ("var", Source.VAR, ("ghost",), UNKNOWN),
        ("var", Source.VAR, (), UNKNOWN),
        ("inputs", Source.INPUTS, ("x",), 2),
        ("x", Source.INPUT, (), 2),
        ("ghost", Source.INPUT, (), UNKNOWN),
        ("x", Source.ABSENT, (), 2),  # a node that is not upstream leaves its name to an input
        ("ghost", Source.ABSENT, (), MISSING),
        ("env", Source.ENV, ("KEY",), "secret"),
        ("$now", Source.NOW, (), 7),
    ],
)
def test_reference_beyond_nodes_is_answered_by_its_source(name: str, source: Source, rest: Any, value: Any) -> None:
    more = {"variables": {"v": {"k": 1}}, "inputs": {"x": 2}, "env": {"KEY": "secret"}}

    assert found(name, Binding(source=source), *rest, **more) == value


@pytest.mark.parametrize(
    ("inputs", "outputs", "value"),
    [
        ({"x": 1}, {"in": {"x": 5}}, 1),
        ({}, {"in": {"x": 5}}, 5),  # its default
        ({}, {"in": {"y": 5}}, MISSING),
        ({}, {}, MISSING),
    ],
)
def test_input_that_was_not_given_has_the_default_of_its_node(inputs: Any, outputs: Any, value: Any) -> None:
    binding = Binding(source=Source.INPUT, nodes=("in",))

    assert found("x", binding, inputs=inputs, outputs=outputs) == value


@pytest.mark.parametrize("rest", [("GHOST",), ()])
def test_environment_that_is_not_set_cannot_be_evaluated(rest: Any) -> None:
    with pytest.raises(EvaluationError, match="the workspace has no variable") as missing:
        found("env", Binding(source=Source.ENV), *rest)

    assert missing.value.code == "missing_env"


def test_only_what_is_referred_to_is_loaded() -> None:
    reads = {
        "a": Binding(source=Source.NODE, nodes=("a",)),
        "made": Binding(source=Source.NODE, nodes=("b", "c")),
        "x": Binding(source=Source.INPUT, nodes=("in",)),
        "ghost": Binding(source=Source.ABSENT, nodes=()),
        "loop": Binding(source=Source.LOOP, nodes=("loop",), needs=("total",)),
        "each": Binding(source=Source.ITEM, nodes=("loop",), needs=("item",)),
        "at": Binding(source=Source.INDEX, nodes=("par",)),
    }

    assert nodes_read(reads) == {"a", "b", "c", "in"}
    assert containers_read(reads) == {"loop": {"item", "total"}, "par": set()}
    assert reads_any(reads, Source.ENV, Source.ITEM)
    assert not reads_any(reads, Source.ENV, Source.VAR)
