"""Definition → plan, whole."""

from __future__ import annotations

import json
import sys
from collections import Counter
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
from workflows.core.plan import OnFailure


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


@given(payload=definitions())
def test_check_of_a_valid_definition_has_no_error(payload: dict[str, Any]) -> None:
    """Only warnings: the strategy and the rules agree on what is valid."""
    issues = check(parse_definition(payload), catalogue=catalogue)

    assert [issue for issue in issues if issue.severity is Severity.ERROR] == []


@given(plan=plans())
def test_plan_order_is_topological_and_by_upstream(plan: Plan) -> None:
    """A node comes after everything upstream of it."""
    place = {node.id: index for index, node in enumerate(plan.nodes)}
    upstream: dict[str, set[str]] = {node.id: set() for node in plan.nodes}
    for node in plan.nodes:
        for edge in plan.edges:
            if edge.target == node.id:
                upstream[node.id] |= {edge.source, *upstream[edge.source]}

    assert all(place[edge.source] < place[edge.target] for edge in plan.edges)
    assert [node.id for node in plan.nodes] == sorted(upstream, key=lambda node: (len(upstream[node]), node))


@given(plan=plans())
def test_plan_reads_only_what_is_upstream(plan: Plan) -> None:
    """Whatever a node reads of other nodes is settled before it starts."""
    place = {node.id: index for index, node in enumerate(plan.nodes)}

    assert all(
        [*read.nodes] == sorted(read.nodes, key=place.__getitem__)
        and all(place[other] < place[node.id] for other in read.nodes)
        for node in plan.nodes
        for read in node.reads.values()
    )


@given(plan=plans())
def test_plan_dumped_as_json_loads_as_itself(plan: Plan) -> None:
    """A plan outlives every deployment: what is stored is what was made."""
    stored = json.dumps(plan.dump())

    assert load_plan(json.loads(stored)) == plan


@given(payload=definitions(), order=st.randoms(use_true_random=False))
def test_build_plan_does_not_depend_on_the_order_of_drawing(payload: dict[str, Any], order: Any) -> None:
    """The database does not keep the order of keys, so nothing may depend on it."""
    nodes, edges = [*payload["nodes"].items()], [*payload["edges"]]
    order.shuffle(nodes)
    order.shuffle(edges)

    assert build({**payload, "nodes": dict(nodes), "edges": edges}) == build(payload)


@given(data=st.data(), payload=definitions(max_nodes=4))
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


def large(count: int) -> dict[str, Any]:
    """A drawing of *count* nodes, five edges each, every node reading another."""
    ids = [f"n{number}" for number in range(count)]
    steps = (1, 2, 7, 31, 127)
    edges = [
        {"id": f"{source}-{step}", "source": ids[source], "target": ids[source + step]}
        for source in range(count)
        for step in steps
        if source + step < count
    ]
    nodes = {
        node_id: {"type": "echo", "name": node_id, "config": {"value": f"a {{{{n{number // 2}.x}}}}"}}
        for number, node_id in enumerate(ids)
    }
    return {"nodes": nodes, "edges": edges}


def work_of(payload: dict[str, Any]) -> int:
    """Python calls that building takes: what a clock would measure, without the noise."""
    calls = 0

    def count(*_: object) -> None:
        nonlocal calls
        calls += 1

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        build(payload)
    finally:
        sys.setprofile(before)
    return calls


def test_build_plan_of_the_largest_definition_costs_little_more_per_node() -> None:
    """Four times the nodes are about four times the work: nothing in it is quadratic."""
    small, largest = work_of(large(500)), work_of(large(2000))

    assert largest < 5 * small
