"""Rules about names that are read and variables that are written."""

from __future__ import annotations

from typing import Any

import pytest

from tests.graphs import catalogue, draw
from workflows.core import Issue, Severity, check, parse_definition


def warnings_of(code: str, payload: dict[str, Any]) -> list[Issue]:
    issues = check(parse_definition(payload), catalogue=catalogue)
    return [issue for issue in issues if issue.code == code and issue.severity is Severity.WARNING]


@pytest.mark.parametrize(
    ("value", "message", "suggestion"),
    [
        (
            "{{nothing.here}}",
            "r: value: nothing defines 'nothing'; if it is an input of the run, write inputs.nothing",
            None,
        ),
        ("{{frist.x}}", "r: value: nothing defines 'frist'; if it is an input of the run, write inputs.frist", "first"),
        ("{{var.cuont}}", "r: value: there is no workflow variable 'cuont'", "var.count"),
        ("{{loop.index}}", "r: value: r is in no loop, so loop.index means nothing", None),
        ("{{parallel.item}}", "r: value: r is in no parallel, so parallel.item means nothing", None),
        ("{{row.x}}", "r: value: 'row' means something in the body of loop1 only", None),
        (
            "{{inner.x}} {{made}}",
            "r: value: inner is in the body of loop1, which r cannot see into, so inner.x is always empty",
            "loop1.results",
        ),
        (
            "{{side.x[0]}}",
            "r: value: side does not come before r, so side.x[0] is always empty",
            "draw a path from side to r",
        ),
        ("{{aside}}", "r: value: side does not come before r, so aside is always empty", "draw a path from side to r"),
        ("{{r.x}}", "r: value: r does not come before r, so r.x is always empty", "draw a path from r to r"),
    ],
)
def test_check_of_a_name_that_cannot_be_read_warns(value: str, message: str, suggestion: str | None) -> None:
    """A slip is found before the run, though it does not keep it from running."""
    nodes: Any = {
        "r": {"config": {"value": value}},
        "side": {"config": {"outputVariable": "aside"}},
        "first": {"config": {"outputVariable": "made"}},
        "loop1": {"config": {"itemVariable": "row"}},
    }
    drawing = "start -> first -> loop1 -> r, start -> side, loop1:body -> inner"
    payload = draw(drawing, nodes=nodes, variables={"count": 0})

    issues = warnings_of("UNDEFINED_VARIABLE", payload)

    assert [(issue.message, issue.field, issue.suggestion) for issue in issues] == [(message, "value", suggestion)]


def test_check_of_names_that_can_be_read_is_silent() -> None:
    """Every kind of name there is."""
    value = (
        "{{start.x}} {{a}} {{made}} {{count}} {{var.count}} {{var.set}} {{set}} {{topic}} {{in.topic}}"
        "{{inputs.any}} {{trigger.any}} {{env.KEY}} {{$now}} {{var}}"
    )
    nodes: Any = {
        "a": {"config": {"outputVariable": "made"}},
        "in": {"config": {"inputName": "topic"}},
        "r": {"config": {"value": value}},
    }

    payload = draw("start -> a -> set -> r, in -> r", nodes=nodes, variables={"count": 0})

    assert check(parse_definition(payload), catalogue=catalogue) == []


@pytest.mark.parametrize(
    ("reader", "config"),
    [
        ("a", {"value": "{{loop.item.x}} {{loop1.index}} {{row}} {{at}} {{start}}"}),
        ("x", {"value": "{{loop.index}} {{parallel.item}} {{par.branchId}} {{cell}} {{a}} {{row}}"}),
        ("loop2", {"condition": "loop.index < 2 && loop2.iteration < row.n && here < 1", "indexVariable": "here"}),
        ("par", {"mode": "collection", "collection": "loop.item.cells"}),
    ],
)
def test_check_of_names_in_bodies_that_can_be_read_is_silent(reader: str, config: dict[str, Any]) -> None:
    """Contexts by every name they have, and what comes before."""
    nodes: Any = {
        "loop1": {"config": {"itemVariable": "row", "indexVariable": "at"}},
        "par": {"config": {"itemVariable": "cell"}},
        "loop2": {"config": {"loopType": "while", "condition": "loop.first"}},
    }
    nodes[reader] = {"config": {**nodes.get(reader, {"config": {}})["config"], **config}}

    drawing = "start -> loop1, loop1:body -> a -> par -> loop2, par:body -> x, loop2:body -> y"

    assert check(parse_definition(draw(drawing, nodes=nodes)), catalogue=catalogue) == []


def test_check_of_the_own_context_outside_a_condition_warns() -> None:
    """A loop's list is read before there is an iteration."""
    payload = draw("loop1:body -> a", nodes={"loop1": {"config": {"loopType": "forEach", "items": "loop.item"}}})

    issues = warnings_of("UNDEFINED_VARIABLE", payload)

    assert [issue.message for issue in issues] == ["loop1: items: loop1 is in no loop, so loop.item means nothing"]


def test_check_of_a_name_read_twice_warns_once_for_each_field() -> None:
    """One slip, one warning, at each place where it has to be mended."""
    nodes: Any = {"r": {"config": {"value": "{{ghost.a}} {{ghost.b}}", "other": "{{ghost}}"}}}

    issues = warnings_of("UNDEFINED_VARIABLE", draw("start -> r", nodes=nodes))

    assert [issue.field for issue in issues] == ["value", "other"]


def test_check_in_a_drawing_with_a_cycle_still_knows_its_names() -> None:
    """What comes before what cannot be said, what is defined can."""
    nodes: Any = {"b": {"config": {"value": "{{a}} {{ghost}}"}}}

    issues = warnings_of("UNDEFINED_VARIABLE", draw("start -> a -> b -> a", nodes=nodes))

    assert [issue.message.partition(";")[0] for issue in issues] == ["b: value: nothing defines 'ghost'"]


BOTH: Any = {"config": {"name": "v"}}
NO_ORDER = "both set v, and neither comes first: either may win"


@pytest.mark.parametrize(
    ("drawing", "more", "warned"),
    [
        ("start -> set1, start -> set2", {}, [f"set1 and set2 {NO_ORDER}"]),
        (
            "start -> a -> b -> set1, start -> set2",
            {},
            [f"set2 and set1 {NO_ORDER}"],
        ),
        ("start -> set1 -> a -> set2", {}, []),  # one after the other
        ("start -> if, if:true -> set1, if:false -> set2", {}, []),  # never both
        ("start -> a -> set1, a:error -> set2", {}, []),
        ("start -> set1, start -> set2", {"set2": {"config": {"name": "w"}}}, []),  # two variables
        ("start -> set1, start -> set2", {"set2": {"disabled": True}}, []),  # one does nothing
        ("trigger -> set1, start -> set2", {}, []),  # two ways to start
        # What a body does, its container does.
        ("start -> loop1 -> set2, loop1:body -> set1", {}, []),
        ("start -> loop1, start -> set2, loop1:body -> set1", {}, [f"set1 and set2 {NO_ORDER}"]),
        ("start -> set2, start -> loop1, loop1:body -> loop2, loop2:body -> set1", {}, [f"set1 and set2 {NO_ORDER}"]),
        ("start -> loop1, start -> loop2, loop1:body -> set1, loop2:body -> set2", {}, [f"set1 and set2 {NO_ORDER}"]),
        ("start -> loop1, loop1:body -> set1, loop1:body -> set2", {}, [f"set1 and set2 {NO_ORDER}"]),
        ("start -> loop1, loop1:body -> set1 -> set2 -> loop1", {}, []),
        ("start -> loop1, loop1:body -> if, if:true -> set1, if:false -> set2", {}, []),  # never both in one iteration
        ("start -> if, if:true -> loop1, if:false -> set2, loop1:body -> set1", {}, []),  # the loop never runs
        ("start -> loop1, start -> set2, loop1:body -> set1", {"loop1": {"disabled": True}}, []),  # nor here
        ("start -> par, par:body -> set1, par:body -> set2", {}, []),  # an error, told as such
        ("a -> set1 -> a -> set2", {}, []),  # no order to speak of in a cycle, which is told
    ],
)
def test_check_of_writes_without_an_order_warns(drawing: str, more: dict[str, Any], warned: list[str]) -> None:
    """The result would depend on which branch is faster."""
    nodes = {
        "set1": BOTH,
        "set2": BOTH,
        **{node: {**(BOTH if node != "loop1" else {}), **extra} for node, extra in more.items()},
    }

    issues = warnings_of("UNORDERED_VARIABLE_WRITE", draw(drawing, nodes=nodes, entryPoint=drawing.partition(" ")[0]))

    assert [issue.message for issue in issues] == warned


@pytest.mark.parametrize("how", ["increment", "append"])
def test_check_of_atomic_writes_needs_no_order(how: str) -> None:
    """Adding up comes to the same in any order; the order of appended items is exempt."""
    payload = draw("start -> set1, start -> set2")
    for node in ("set1", "set2"):
        payload["nodes"][node]["config"] = {"name": "v", how: 1}

    assert warnings_of("UNORDERED_VARIABLE_WRITE", payload) == []


def test_check_of_three_writes_warns_of_each_after_the_first() -> None:
    """Every node that has to be moved is named."""
    nodes = dict.fromkeys(["set1", "set2", "set3"], BOTH)

    issues = warnings_of("UNORDERED_VARIABLE_WRITE", draw("start -> set1, start -> set2, start -> set3", nodes=nodes))

    assert [issue.node_id for issue in issues] == ["set2", "set3"]
