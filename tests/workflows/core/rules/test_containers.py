"""Rules about containers."""

from __future__ import annotations

from typing import Any

import pytest

from tests.graphs import catalogue, draw
from workflows.core import Issue, Severity, check, parse_definition


def found(code: str, payload: dict[str, Any]) -> list[Issue]:
    return [issue for issue in check(parse_definition(payload), catalogue=catalogue) if issue.code == code]


@pytest.mark.parametrize(
    "drawing",
    [
        "start -> loop1 -> after, loop1:body -> a -> b",
        "start -> loop1, loop1:body -> a -> loop1, loop1:done -> after",
        "start -> par, par:body -> if, if:true -> par, if:false -> x, par:error -> h",
        "loop1:body -> a -> loop1",  # a loop is where it begins, though an edge leads to it
        "start -> loop1, loop1:body -> par -> loop2 -> loop1, par:body -> x -> par, loop2:body -> y -> loop2",
    ],
)
def test_check_of_bodies_that_are_well_drawn_finds_nothing(drawing: str) -> None:
    """Cycles through a container are what it is for."""
    assert check(parse_definition(draw(drawing)), catalogue=catalogue) == []


@pytest.mark.parametrize(
    ("drawing", "edge", "message", "suggestion"),
    [
        (
            "start -> loop1 -> b, loop1:body -> a -> b",
            "e4",
            "the edge a → b leads out of the body of loop1",
            "draw what comes after the body from loop1 itself, by its handle done",
        ),
        (
            "start -> loop1, loop1:body -> loop2, loop2:body -> a -> loop1",
            "e4",
            "the edge a → loop1 leads out of the body of loop2",
            "draw what comes after the body from loop2 itself, by its handle done",
        ),
        (
            "start -> loop1, start -> a, loop1:body -> a",
            "e3",
            "the edge loop1 → a takes a into the body of loop1, but a is reached from outside of any body too",
            "give loop1 a body of its own, or draw the edge from another handle",
        ),
        (
            "start -> loop1 -> loop2, loop1:body -> a, loop2:body -> b, loop2:body -> a",
            "e5",
            "the edge loop2 → a takes a into the body of loop2, but a is reached from the body of loop1 too",
            "give loop2 a body of its own, or draw the edge from another handle",
        ),
        (
            "start -> loop1 -> loop2, loop1:body -> a -> b, loop2:body -> b",
            "e5",
            "the edge loop2 → b takes b into the body of loop2, but b is reached from the body of loop1 too",
            "give loop2 a body of its own, or draw the edge from another handle",
        ),
        (
            "start -> loop1 -> loop2, loop1:body -> a -> b, loop2:body -> x -> b",
            "e6",
            "the edge x → b leads from outside into the body of loop1",
            "lead it to loop1 itself, whose handle body is the only way in",
        ),
    ],
)
def test_check_of_an_edge_that_crosses_a_border_is_an_error(
    drawing: str, edge: str, message: str, suggestion: str
) -> None:
    """One edge, which is the one to be drawn anew, and how."""
    issues = found("CROSSES_CONTAINER", draw(drawing))

    assert [(issue.edge_id, issue.message, issue.suggestion) for issue in issues] == [(edge, message, suggestion)]
    assert issues[0].node_id == message.partition(" → ")[0].removeprefix("the edge ")


def test_check_of_a_container_without_a_body_warns() -> None:
    """Most of those in the existing templates are drawn so; whatever their configuration, they run nothing."""
    payload = draw("start -> forEach -> after", types={"forEach": "forEach"}, nodes={"forEach": {"config": {"x": 1}}})

    (issue,) = check(parse_definition(payload), catalogue=catalogue)

    assert (issue.code, issue.severity, issue.node_id, issue.message, issue.suggestion) == (
        "LOOP_NO_BODY",
        Severity.WARNING,
        "forEach",
        "forEach has no body: it runs nothing and goes on",
        "draw what is to be repeated from the handle body of forEach",
    )


@pytest.mark.parametrize(
    ("kind", "config", "field"),
    [
        ("loop", {"loopType": None, "count": None}, "count"),
        ("forEach", {"loopType": None}, "arrayPath"),  # what the alias asks for
        ("while", {"loopType": None}, "condition"),
        ("parallel", {"mode": "collection"}, "collection"),
    ],
)
def test_check_of_a_container_with_a_body_wants_what_it_needs(kind: str, config: dict[str, Any], field: str) -> None:
    """Nothing to repeat by is nothing to run."""
    payload = draw("start -> c, c:body -> a", types={"c": kind}, nodes={"c": {"config": config}})

    issues = found("INVALID_CONFIG", payload)

    assert [(issue.node_id, issue.field) for issue in issues] == [("c", field)]


@pytest.mark.parametrize(("depth", "told"), [(8, []), (9, ["l8"]), (11, ["l8"])])
def test_check_of_bodies_in_bodies_has_a_limit(depth: int, told: list[str]) -> None:
    """Eight are fine; what goes deeper is told once."""
    steps = [f"l{number}:body -> l{number + 1}" for number in range(depth - 1)]
    types = dict.fromkeys((f"l{number}" for number in range(depth)), "loop")
    payload = draw(", ".join([*steps, f"l{depth - 1}:body -> a"]), types=types)
    for node in types:
        payload["nodes"][node]["config"] = {"count": 1}

    issues = found("LIMIT_EXCEEDED", payload)

    assert [issue.node_id for issue in issues] == told
    assert {issue.message for issue in issues} <= {"l8 opens a body 9 containers deep; 8 is the most"}


@pytest.mark.parametrize(
    ("drawing", "more", "told"),
    [
        ("par:body -> set", {}, ["set sets set in every branch of par: any of them may win"]),
        ("par:body -> loop1, loop1:body -> set", {}, ["set sets set in every branch of par: any of them may win"]),
        ("par1:body -> par2, par2:body -> set", {}, ["set sets set in every branch of par2: any of them may win"]),
        ("loop1:body -> par -> set, par:body -> a", {}, []),  # beside a parallel, not in it
        ("par:body -> set", {"set": {"disabled": True}}, []),  # sets nothing
        ("par:body -> set", {"par": {"disabled": True}}, []),  # never runs
    ],
)
def test_check_of_a_variable_set_in_a_branch_is_an_error(drawing: str, more: dict[str, Any], told: list[str]) -> None:
    """At any depth: which branch is last depends on how fast it is."""
    assert [issue.message for issue in found("PARALLEL_VARIABLE_WRITE", draw(drawing, nodes=more))] == told


@pytest.mark.parametrize("how", ["increment", "append"])
def test_check_of_an_atomic_write_in_a_branch_is_fine(how: str) -> None:
    """Nothing is lost, whichever branch is last."""
    payload = draw("par:body -> set")
    payload["nodes"]["set"]["config"] = {"name": "v", how: 1}

    assert check(parse_definition(payload), catalogue=catalogue) == []


def test_check_of_a_policy_for_attempts_of_a_container_warns() -> None:
    """It is never attempted again; the nodes of its body are."""
    more: Any = {"par": {"retry": {"attempts": 2}, "timeoutMs": 5}, "a": {"retry": {"attempts": 2}, "timeoutMs": 5}}

    issues = found("IGNORED_SETTING", draw("par:body -> a", nodes=more))

    assert [(issue.severity, issue.node_id, issue.field, issue.message) for issue in issues] == [
        (Severity.WARNING, "par", field, f"par: {field} has no effect on a parallel; the nodes in it have their own")
        for field in ("retry", "timeoutMs")
    ]


def test_check_of_a_policy_for_attempts_of_a_pause_warns() -> None:
    """There is no attempt while it waits."""
    issues = found("IGNORED_SETTING", draw("start -> ask", nodes={"ask": {"retry": {"attempts": 2}, "timeoutMs": 5}}))

    assert [(issue.severity, issue.node_id, issue.field, issue.message) for issue in issues] == [
        (Severity.WARNING, "ask", field, f"ask: {field} has no effect on a humanReview; it is asked once and waits")
        for field in ("retry", "timeoutMs")
    ]


@pytest.mark.parametrize(
    ("node", "on_interrupted", "why"),
    [
        ("par", "fail", "the nodes in it have their own"),
        ("set", "fail", "it does nothing outside, and is simply run again"),
        ("set", "rerun", None),  # as it does anyway
        ("call", "fail", None),
    ],
)
def test_check_of_an_interruption_that_does_no_harm_warns(node: str, on_interrupted: str, why: str | None) -> None:
    more: Any = {node: {"onInterrupted": on_interrupted}}

    issues = found("IGNORED_SETTING", draw("par:body -> set -> call", types={"call": "call"}, nodes=more))

    kind = {"par": "parallel", "set": "setVariable"}.get(node)
    assert [(issue.severity, issue.field, issue.message) for issue in issues] == (
        [(Severity.WARNING, "onInterrupted", f"{node}: onInterrupted has no effect on a {kind}; {why}")] if why else []
    )


@pytest.mark.parametrize(
    ("drawing", "gotos", "message"),
    [
        ("start -> loop1 -> h, loop1:body -> a", {"a": "h"}, "a: onError goto leads to h, out of the body of loop1"),
        ("start -> b -> loop1, loop1:body -> a", {"b": "a"}, "b: onError goto leads to a, into the body of loop1"),
        (
            "start -> loop1 -> loop2, loop1:body -> a, loop2:body -> b",
            {"a": "b"},
            "a: onError goto leads to b, into the body of loop2",
        ),
        (
            "start -> loop1, start -> b, loop1:body -> a, h",  # reached by gotos alone, from two scopes
            {"a": "h", "b": "h"},
            "a: onError goto leads to h, out of the body of loop1",
        ),
    ],
)
def test_check_of_a_goto_over_a_border_is_an_error(drawing: str, gotos: dict[str, str], message: str) -> None:
    """And the only one: the edges are in order."""
    nodes = {node: {"onError": {"strategy": "goto", "gotoNode": target}} for node, target in gotos.items()}

    issues = check(parse_definition(draw(drawing, nodes=nodes)), catalogue=catalogue)

    assert [(issue.code, issue.message) for issue in issues] == [("INVALID_GOTO", message)]


def test_check_of_a_goto_that_a_drawn_error_edge_overrules_is_fine() -> None:
    """It is never taken."""
    nodes: Any = {"a": {"onError": {"strategy": "goto", "gotoNode": "out"}}}

    assert found("INVALID_GOTO", draw("start -> loop1 -> out, loop1:body -> a, a:error -> b", nodes=nodes)) == []


@pytest.mark.parametrize("target", ["loop1", "b", "h"])
def test_check_of_a_goto_inside_a_body_is_fine(target: str) -> None:
    """To another node of it, to one that nothing else reaches, or back to the container, which ends the iteration."""
    nodes: Any = {"a": {"onError": {"strategy": "goto", "gotoNode": target}}}
    payload = draw("start -> loop1, loop1:body -> a, loop1:body -> b" + (", h" if target == "h" else ""), nodes=nodes)

    assert check(parse_definition(payload), catalogue=catalogue) == []


def test_check_of_an_entry_in_a_body_is_an_error() -> None:
    """A run has no iteration to begin in."""
    issues = found("MISSING_ENTRY_POINT", draw("start -> loop1, loop1:body -> par, par:body -> a", entryPoint="a"))

    assert [(issue.message, issue.suggestion) for issue in issues] == [
        ("the entry point a is in the body of par: a run cannot start there", "loop1")
    ]


def test_check_of_a_cycle_through_the_wrong_handle_names_the_right_one() -> None:
    """As one of the existing templates is drawn."""
    payload = draw("start -> loop1 -> a -> loop1")

    assert [issue.suggestion for issue in found("CIRCULAR_DEPENDENCY", payload)] == [
        "draw the edge from loop1 to a by the handle body of loop1"
    ]


def test_check_of_an_unknown_handle_of_a_container_says_nothing_else() -> None:
    """Where the edge was meant to lead is not known, so nothing is made of it."""
    issues = check(parse_definition(draw("start -> loop1, loop1:boddy -> a -> loop1")), catalogue=catalogue)

    assert [(issue.code, issue.suggestion) for issue in issues if issue.severity is Severity.ERROR] == [
        ("UNKNOWN_HANDLE", "body")
    ]
