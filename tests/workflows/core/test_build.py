"""Definition → plan, whole."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.graphs import catalogue, draw
from tests.strategies import definitions, json_values, plans
from workflows.core import (
    InvalidDefinition,
    Issue,
    Plan,
    Severity,
    build_plan,
    check,
    load_plan,
    parse_definition,
    validate,
)
from workflows.core.plan import EdgeType, OnFailure, Source


def build(payload: dict[str, Any]) -> Plan:
    return build_plan(parse_definition(payload), catalogue=catalogue)


def test_build_plan_of_a_definition_takes_its_settings() -> None:
    """What holds for the whole run is the plan's."""
    settings = {"timeout": 1000, "maxConcurrentNodes": 3, "onFailure": "finish-branches"}

    plan = build(draw("a -> b, in -> b", variables={"v": {"x": 1}}, settings=settings))

    assert (plan.entry, plan.variables, plan.timeout_ms, plan.max_concurrent_nodes, plan.on_failure) == (
        "a",
        {"v": {"x": 1}},
        1000,
        3,
        OnFailure.FINISH_BRANCHES,
    )


@pytest.mark.parametrize(
    ("drawing", "goto", "order"),
    [
        ("b -> a -> c", None, "b a c"),  # along the edges
        ("a -> b, x -> y -> b", None, "a x y b"),  # what another root reaches is kept: a run may be started there
        ("a -> b -> c", "c", "a b c"),  # a goto leads on like an edge
        ("a -> b, h -> z", "h", "a b h z"),  # and makes its target no root
    ],
)
def test_build_plan_holds_what_any_root_reaches(drawing: str, goto: str | None, order: str) -> None:
    """In plan order: by the number of nodes upstream, then by id."""
    on_error = {"onError": {"strategy": "goto", "gotoNode": goto}} if goto else {}

    plan = build(draw(drawing, nodes={"a": on_error}, entryPoint=drawing[0]))

    assert [node.id for node in plan.nodes] == order.split()


@pytest.mark.parametrize(
    ("kind", "config", "planned"),
    [
        ("forEach", {"items": [1]}, {"items": [1], "loopType": "forEach"}),
        ("repeat", {"count": 2}, {"count": 2, "loopType": "count"}),
        ("loop", {"loopType": "doWhile", "condition": "x"}, {"loopType": "doWhile", "condition": "x"}),
    ],
)
def test_build_plan_keeps_what_an_alias_of_a_type_implied(
    kind: str, config: dict[str, Any], planned: dict[str, Any]
) -> None:
    """The plan knows types by their own names, so what the alias said is written into the configuration."""
    payload = draw("loop:body -> a", types={"loop": kind})
    payload["nodes"]["loop"]["config"] = config

    (node,) = (node for node in build(payload).nodes if node.container)

    assert (node.type, node.config) == ("loop", planned)
    assert payload["nodes"]["loop"]["config"] == config


def test_build_plan_puts_bodies_into_the_plan_of_their_workflow() -> None:
    """One plan, whose nodes know the container they repeat with."""
    plan = build(draw("start -> loop -> out, loop:body -> par -> loop, par:body -> a"))

    assert [(node.id, node.parent, node.container) for node in plan.nodes] == [
        ("a", "par", None),
        ("par", "loop", "parallel"),
        ("start", None, None),
        ("loop", None, "loop"),
        ("out", None, None),
    ]


def test_build_plan_of_an_invalid_definition_raises_every_issue() -> None:
    """Warnings too: they are mended in the same round."""
    definition = parse_definition(
        draw("a -> b:nope -> c, x", nodes={"c": {"config": {"value": "{{1 +}} {{ghost}}"}}}, entryPoint="a")
    )

    with pytest.raises(InvalidDefinition) as refused:
        build_plan(definition, catalogue=catalogue)

    assert Counter(issue.code for issue in refused.value.issues) == Counter(
        ["UNKNOWN_HANDLE", "INVALID_REFERENCE", "UNREACHABLE_NODE", "UNDEFINED_VARIABLE"]
    )


def test_validate_tells_flaws_of_shape_and_of_sense_together() -> None:
    """One round for everything; of a node that cannot be read, nothing more is said."""
    payload = draw("a -> b:nope -> c -> d", nodes={"a": {"timeoutMs": 0}})
    payload["nodes"]["d"] = None

    issues = validate(payload, catalogue=catalogue)

    assert [(issue.code, issue.node_id) for issue in issues] == [
        ("INVALID_CONFIG", "a"),
        ("INVALID_INPUT", "d"),
        ("UNKNOWN_HANDLE", "b"),
    ]


def test_validate_of_what_is_no_definition_tells_so() -> None:
    """Without a shape there is nothing to judge."""
    assert validate("x", catalogue=catalogue) == [
        Issue(code="INVALID_INPUT", message="a definition is an object, not a text")
    ]


@given(payload=definitions(containers=True))
def test_check_of_a_valid_definition_has_no_error(payload: dict[str, Any]) -> None:
    """Only warnings: the strategy and the rules agree on what is valid."""
    issues = check(parse_definition(payload), catalogue=catalogue)

    assert [issue for issue in issues if issue.severity is Severity.ERROR] == []


def upstream_in(plan: Plan) -> dict[str, set[str]]:
    """What is upstream of each node in its own scope, by the definition of it."""
    parents = {node.id: node.parent for node in plan.nodes}
    found: dict[str, set[str]] = {node.id: set() for node in plan.nodes}
    for _ in plan.nodes:
        for edge in plan.edges:
            if parents[edge.source] == parents[edge.target]:
                found[edge.target] |= {edge.source, *found[edge.source]}
    return found


@given(plan=plans(containers=True))
def test_plan_order_is_topological_and_by_upstream(plan: Plan) -> None:
    """In each scope a node comes after everything upstream of it."""
    place = {node.id: index for index, node in enumerate(plan.nodes)}
    parents = {node.id: node.parent for node in plan.nodes}

    upstream = upstream_in(plan)

    inside = [edge for edge in plan.edges if parents[edge.source] == parents[edge.target]]
    assert all(place[edge.source] < place[edge.target] for edge in inside)
    assert [node.id for node in plan.nodes] == sorted(upstream, key=lambda node: (len(upstream[node]), node))


@given(plan=plans(containers=True))
def test_plan_edges_keep_to_their_scope_or_open_or_close_it(plan: Plan) -> None:
    """A body is entered from its container and left to its container, by edges that say so."""
    parents = {node.id: node.parent for node in plan.nodes}

    for edge in plan.edges:
        match edge.type:
            case EdgeType.BODY:
                assert parents[edge.target] == edge.source
            case EdgeType.BACK:
                assert parents[edge.source] == edge.target
            case _:
                assert parents[edge.source] == parents[edge.target]


@given(plan=plans(containers=True))
def test_plan_reads_only_what_is_settled(plan: Plan) -> None:
    """Nodes upstream, in plan order, of the node or of a container around it; contexts of those around it."""
    place = {node.id: index for index, node in enumerate(plan.nodes)}
    parents = {node.id: node.parent for node in plan.nodes}
    upstream = upstream_in(plan)

    for node in plan.nodes:
        around = [node.id]
        while (parent := parents[around[-1]]) is not None:
            around.append(parent)
        seen = {other for place in around for other in upstream[place]}
        for reads, containers in ((node.reads, around[1:]), (node.deferred_reads, around)):
            for read in reads.values():
                if read.source in (Source.NODE, Source.INPUT):
                    assert [*read.nodes] == sorted(read.nodes, key=place.__getitem__)
                    assert seen.issuperset(read.nodes)
                else:
                    assert set(read.nodes) <= set(containers)


@given(plan=plans(containers=True))
def test_plan_dumped_as_json_loads_as_itself(plan: Plan) -> None:
    """A plan outlives every deployment: what is stored is what was made."""
    stored = json.dumps(plan.dump())

    assert load_plan(json.loads(stored)) == plan


@given(payload=definitions(containers=True), order=st.randoms(use_true_random=False))
def test_build_plan_does_not_depend_on_the_order_of_drawing(payload: dict[str, Any], order: Any) -> None:
    """The database does not keep the order of keys, so nothing may depend on it."""
    nodes, edges = [*payload["nodes"].items()], [*payload["edges"]]
    order.shuffle(nodes)
    order.shuffle(edges)

    assert build({**payload, "nodes": dict(nodes), "edges": edges}) == build(payload)


@given(data=st.data(), payload=definitions(max_nodes=4, containers=True))
def test_validate_with_anything_anywhere_gives_issues(data: st.DataObject, payload: dict[str, Any]) -> None:
    """Whatever stands in place of any part, validation answers, and a plan is built exactly when no error was found."""
    place: Any = payload
    key: Any = data.draw(st.sampled_from(sorted(payload)))
    while isinstance(place[key], dict | list) and place[key] and data.draw(st.integers(0, 6)):
        place = place[key]
        key = data.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
    place[key] = data.draw(json_values() | st.sampled_from(["n0", "n1", "goto", "error", "{{x", "{{1 +}}", "{{n1}}"]))

    issues = validate(payload, catalogue=catalogue)

    errors = [issue for issue in issues if issue.severity is Severity.ERROR]
    if not errors:
        assert build(payload).nodes
    else:
        with pytest.raises(InvalidDefinition):
            build(payload)


def large(count: int, *, containers: int = 0) -> dict[str, Any]:
    """A drawing of *count* nodes, five edges each, every node reading another.

    With *containers*, so many of them are spread over it, each with a body that lasts until the next one.
    """
    ids = [f"n{number}" for number in range(count)]
    every = count // containers if containers else count
    steps = (1, 2, 7, 31, 127)
    edges = [
        {"id": f"{source}-{step}", "source": ids[source], "target": ids[source + step]}
        for source in range(count)
        for step in steps
        if source + step < count
        and (not containers or (source // every == (source + step) // every and source % every))
    ]
    nodes = {
        node_id: {
            "type": "echo",
            "name": node_id,
            "config": {"value": f"a {{{{n{number // 2}.x}}}} {{{{loop.item.x}}}}"},
        }
        for number, node_id in enumerate(ids)
    }
    for number in range(0, count, every) if containers else ():
        nodes[ids[number]] = {"type": "loop", "name": ids[number], "config": {"items": [1]}}
        edges += [
            {"id": f"body-{number}", "source": ids[number], "target": ids[number + 1], "sourceHandle": "body"},
            {"id": f"back-{number}", "source": ids[number + every - 1], "target": ids[number]},
        ]
        if number:
            edges.append({"id": f"next-{number}", "source": ids[number - every], "target": ids[number]})
    return {"nodes": nodes, "edges": edges, "entryPoint": ids[0]}


def nested(count: int, *, depth: int) -> dict[str, Any]:
    """A drawing of *count* nodes in loops that are *depth* deep, the last one with all the rest in its body."""
    ids = [f"n{number}" for number in range(count)]
    nodes: dict[str, Any] = {
        node_id: {"type": "echo", "name": node_id, "config": {"value": f"{{{{n{number - 1}.x}}}} {{{{n0.index}}}}"}}
        for number, node_id in enumerate(ids)
    }
    edges: list[dict[str, Any]] = [
        {"id": f"e{number}", "source": ids[number - 1], "target": ids[number]} for number in range(1, count)
    ]
    for number in range(depth):
        nodes[ids[number]] = {"type": "loop", "name": ids[number], "config": {"count": 1}}
        edges[number]["sourceHandle"] = "body"
    return {"nodes": nodes, "edges": edges}


def work_of(payload: dict[str, Any]) -> int:
    return counted(lambda: build(payload))


def counted(work: Callable[[], object]) -> int:
    """Python calls that *work* takes: what a clock would measure, without the noise."""
    calls = 0

    def count(*_: object) -> None:
        nonlocal calls
        calls += 1

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(before)
    return calls


@pytest.mark.parametrize(
    ("small", "largest"),
    [
        (large(500), large(2000)),
        (large(500, containers=25), large(2000, containers=100)),  # many bodies
        (large(500, containers=1), large(2000, containers=1)),  # one that holds everything
        (large(500, containers=250), large(2000, containers=1000)),  # as many bodies as there can be
        (nested(500, depth=8), nested(2000, depth=8)),
    ],
)
def test_build_plan_of_the_largest_definition_costs_little_more_per_node(
    small: dict[str, Any], largest: dict[str, Any]
) -> None:
    """Four times the nodes are about four times the work: nothing in it is quadratic."""
    assert work_of(largest) < 5 * work_of(small)


def test_validate_of_the_deepest_drawing_costs_little_more_per_node() -> None:
    """It is refused, and what is refused must not cost more than what is not."""
    drawn = [nested(count, depth=count - 1) for count in (500, 2000)]

    small, largest = (counted(partial(validate, payload, catalogue=catalogue)) for payload in drawn)

    assert largest < 5 * small
