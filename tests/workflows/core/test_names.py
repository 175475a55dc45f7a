"""What the first name of a reference means for a node."""

from __future__ import annotations

from typing import Any

import pytest

from tests.graphs import catalogue, draw
from workflows.core import parse_definition
from workflows.core.analysis import Analysis, analyse
from workflows.core.plan import Binding, Source

DRAWING = "start -> a -> b -> reader -> late, start -> side, in -> reader, start -> set -> reader"
NODES: dict[str, Any] = {
    "a": {"config": {"outputVariable": "made"}},
    "b": {"config": {"outputVariable": "made"}},
    "side": {"config": {"outputVariable": "aside"}},
    "late": {"config": {"outputVariable": "made"}},
    "in": {"config": {"inputName": "topic"}},
    "set": {"config": {"name": "written", "value": 1}},
}


def analysis_of(drawing: str, **more: Any) -> Analysis:
    return analyse(parse_definition(draw(drawing, **more)), catalogue)


def bind(analysis: Analysis, name: str, node: str, *, deferred: bool = False) -> Binding:
    assert analysis.ancestry is not None
    around = analysis.around(node, deferred=deferred)
    return analysis.names.bind(name, node=node, around=around, ancestry=analysis.ancestry)


@pytest.mark.parametrize(
    ("name", "binding"),
    [
        ("a", Binding(source=Source.NODE, nodes=("a",), alias="made")),  # a node upstream, by its id
        ("start", Binding(source=Source.NODE, nodes=("start",))),  # without an output variable
        ("made", Binding(source=Source.NODE, nodes=("a", "b"))),  # of several that are upstream the later is read
        ("side", Binding(source=Source.ABSENT)),  # a node that is not upstream
        ("late", Binding(source=Source.ABSENT)),  # downstream
        ("reader", Binding(source=Source.ABSENT)),  # itself
        ("aside", Binding(source=Source.ABSENT)),  # an output variable of such a node
        ("declared", Binding(source=Source.VARIABLE)),
        ("written", Binding(source=Source.VARIABLE)),  # declared by being set
        ("var", Binding(source=Source.VAR)),
        ("env", Binding(source=Source.ENV)),
        ("inputs", Binding(source=Source.INPUTS)),
        ("trigger", Binding(source=Source.INPUTS)),  # another name of the inputs
        ("$now", Binding(source=Source.NOW)),
        ("topic", Binding(source=Source.INPUT, nodes=("in",))),  # a key of an input node, which may have a default
        ("anything", Binding(source=Source.INPUT)),  # an input, if the run has it
    ],
)
def test_bind_of_a_name_follows_the_order_of_the_design(name: str, binding: Binding) -> None:
    """Workflow variables, then what is upstream, then the inputs; settled before any run."""
    analysis = analysis_of(DRAWING, nodes=NODES, variables={"declared": 0}, entryPoint="start")

    assert bind(analysis, name, "reader") == binding


@pytest.mark.parametrize(
    ("drawing", "more", "name", "binding"),
    [
        # A workflow variable comes before a node, a node before an input.
        ("x -> r", {"variables": {"x": 1}}, "x", Binding(source=Source.VARIABLE)),
        ("x -> r", {}, "x", Binding(source=Source.NODE, nodes=("x",))),
        # A node's own id comes before another's output variable …
        ("y -> x -> r", {"nodes": {"y": {"config": {"outputVariable": "x"}}}}, "x", Binding(source=Source.NODE, nodes=("x",))),
        # … but only where it is visible.
        ("y -> r -> x", {"nodes": {"y": {"config": {"outputVariable": "x"}}}}, "x", Binding(source=Source.NODE, nodes=("y",))),
        # A node that is called trigger is that node.
        ("trigger -> r", {}, "trigger", Binding(source=Source.NODE, nodes=("trigger",))),
        # What is fixed stays fixed.
        ("inputs -> r", {}, "inputs", Binding(source=Source.INPUTS)),
        # A disabled node is there, and skipped.
        ("x -> r", {"nodes": {"x": {"disabled": True}}}, "x", Binding(source=Source.NODE, nodes=("x",))),
        # An error edge that is not drawn makes upstream like one that is.
        ("s -> x, s -> r", {"nodes": {"x": {"onError": {"strategy": "goto", "gotoNode": "r"}}}}, "x", Binding(source=Source.NODE, nodes=("x",))),
        # A name that is made when the node runs cannot be known before.
        ("x -> r", {"nodes": {"x": {"config": {"outputVariable": "{{n}}"}}}}, "{{n}}", Binding(source=Source.INPUT)),
    ],
)  # fmt: skip
def test_bind_where_names_meet_prefers_one(drawing: str, more: dict[str, Any], name: str, binding: Binding) -> None:
    """One name, one meaning, however the run goes."""
    assert bind(analysis_of(drawing, **more), name, "r") == binding


def test_bind_lists_candidates_in_plan_order() -> None:
    """The later in plan order is read, whatever the ids and whichever was faster."""
    same: Any = {"config": {"outputVariable": "v"}}

    analysis = analysis_of("s -> z -> m -> r, s -> b -> r", nodes={"z": same, "m": same, "b": same})

    assert bind(analysis, "v", "r").nodes == ("b", "z", "m")


NESTED = (
    "start -> before -> loop1, loop1:body -> a -> par -> b -> loop1, par:body -> x -> y, loop1 -> after, start -> side"
)
NESTED_NODES: Any = {
    "a": {"config": {"outputVariable": "made"}},
    "loop1": {"config": {"itemVariable": "row", "indexVariable": "at"}},
    "par": {"config": {"itemVariable": "cell"}},
    "side": {"config": {"outputVariable": "row"}},
}


def context(source: Source, container: str) -> Binding:
    return Binding(source=source, nodes=(container,))


def node(*ids: str) -> Binding:
    return Binding(source=Source.NODE, nodes=ids)


@pytest.mark.parametrize(
    ("name", "reader", "binding"),
    [
        ("loop", "a", context(Source.LOOP, "loop1")),
        ("loop1", "a", context(Source.LOOP, "loop1")),  # by its id
        ("row", "a", context(Source.ITEM, "loop1")),  # before an output variable of that name
        ("at", "a", context(Source.INDEX, "loop1")),
        ("loop", "y", context(Source.LOOP, "loop1")),  # through another container
        ("parallel", "y", context(Source.PARALLEL, "par")),
        ("par", "y", context(Source.PARALLEL, "par")),
        ("cell", "y", context(Source.ITEM, "par")),
        ("loop", "par", context(Source.LOOP, "loop1")),  # a container's fields are read outside of it
        ("parallel", "par", Binding(source=Source.INPUT)),
        ("par", "par", Binding(source=Source.ABSENT)),
        ("par", "b", node("par")),  # behind it, by id, its output
        ("loop1", "after", node("loop1")),
        ("loop", "after", Binding(source=Source.INPUT)),
        ("at", "after", Binding(source=Source.INPUT)),
        (
            "row",
            "after",
            Binding(source=Source.ABSENT),
        ),  # there it is the output variable, of a node that is not upstream
        ("x", "y", node("x")),  # a sibling of this branch
        ("a", "y", Binding(source=Source.NODE, nodes=("a",), alias="made")),  # of this iteration
        ("made", "y", node("a")),
        ("before", "y", node("before")),  # what comes before the outermost
        ("after", "y", Binding(source=Source.ABSENT)),
        ("b", "y", Binding(source=Source.ABSENT)),
        ("x", "b", Binding(source=Source.ABSENT)),  # closed bodies cannot be seen into
        ("a", "after", Binding(source=Source.ABSENT)),
        ("made", "after", Binding(source=Source.ABSENT)),
    ],
)
def test_bind_in_and_around_bodies_sees_outwards_only(name: str, reader: str, binding: Binding) -> None:
    """A node sees what is upstream of it in its own scope and of each container around it, and their contexts."""
    analysis = analysis_of(NESTED, nodes=NESTED_NODES)

    assert bind(analysis, name, reader) == binding


def test_bind_in_a_condition_of_a_loop_sees_its_own_context() -> None:
    """It is tested beside the iterations; its other fields are read before there is one."""
    analysis = analysis_of("loop1:body -> loop2, loop2:body -> a")

    assert bind(analysis, "loop", "loop2", deferred=True) == context(Source.LOOP, "loop2")
    assert bind(analysis, "loop", "loop2") == context(Source.LOOP, "loop1")
    assert bind(analysis, "loop1", "loop2", deferred=True) == context(Source.LOOP, "loop1")


def test_bind_of_a_loop_in_a_loop_is_the_inner_one() -> None:
    """The outer one goes by its id; a name of both is that of the inner."""
    named: Any = {"config": {"itemVariable": "it"}}
    analysis = analysis_of("loop1:body -> loop2, loop2:body -> a", nodes={"loop1": named, "loop2": named})

    assert [bind(analysis, name, "a").nodes for name in ("loop", "loop1", "it")] == [("loop2",), ("loop1",), ("loop2",)]


def test_bind_of_a_node_that_is_called_loop_is_that_node_outside_loops() -> None:
    """And by its name the context, inside its own body."""
    analysis = analysis_of("loop -> after, loop:body -> a")

    assert bind(analysis, "loop", "after") == node("loop")
    assert bind(analysis, "loop", "a") == context(Source.LOOP, "loop")
