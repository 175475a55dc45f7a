"""Which nodes cannot both run."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from hypothesis import given

from tests.graphs import catalogue, draw
from tests.strategies import definitions
from workflows.core import parse_definition
from workflows.core.analysis import analyse
from workflows.core.exclusion import Exclusion, find_exclusion
from workflows.core.plan import EdgeType


def exclusion_of(payload: dict[str, Any]) -> Exclusion:
    analysis = analyse(parse_definition(payload), catalogue)
    assert analysis.ancestry is not None
    return find_exclusion(analysis, analysis.ancestry)


@pytest.mark.parametrize(
    ("drawing", "excluded"),
    [
        ("s -> a, s -> b", False),  # two branches
        ("s -> a -> b", False),  # one after the other
        ("if:true -> a, if:false -> b", True),  # two answers of one condition
        ("if:true -> x -> a, if:false -> y -> b", True),  # at any distance
        ("if:true -> a, if:true -> b", False),  # the same answer
        ("if:true -> a, if -> b", False),  # the success edge is taken beside the port
        ("s -> a, s:error -> b", True),  # completed or failed
        ("if:true -> a, if:error -> b", True),  # who chose a port did not fail
        ("ask -> a, ask:timeout -> b", True),  # answered or expired
        ("ask:timeout -> a, ask:error -> b", True),
        ("s -> if1, s -> if2, if1:true -> a, if2:false -> b", False),  # answers of two conditions
        ("switch:a -> a, switch:b -> b, switch:c -> c", True),
        ("switch:a -> x, switch:b -> x -> a, switch:c -> b", True),  # either of two answers, against a third
        ("switch:a -> x, switch:c -> x -> a, switch:c -> b", False),  # where the third is among them
        ("if:true -> x -> j, if:false -> y -> j -> a, if:false -> b", False),  # a join takes both back
        ("s1 -> a, s2 -> b", True),  # two roots: a run starts at one
        ("in1 -> a, in2 -> b", False),  # but at all inputs
        ("s1 -> j, s2 -> j -> a, s1 -> b", False),
        ("if:true -> loop1, if:false -> loop2, loop1:body -> x -> loop1, loop2 -> a, loop1 -> b", True),  # past bodies
        ("loop:body -> if, if:true -> a -> loop, if:false -> b", True),  # in one iteration
        ("loop:body -> a, loop:body -> b", False),
    ],
)
def test_between_is_told_by_what_must_have_been_answered(drawing: str, excluded: bool) -> None:
    """Two nodes exclude each other when they need different answers to one question."""
    exclusion = exclusion_of(draw(drawing, entryPoint="s1" if "s1" in drawing else None))

    assert (exclusion.between("a", "b"), exclusion.between("b", "a")) == (excluded, excluded)


@given(payload=definitions(max_nodes=5, containers=True))
def test_between_never_separates_nodes_that_run_together(payload: dict[str, Any]) -> None:
    """Every way in which nodes can answer is tried; no two that ran were said to exclude each other."""
    analysis = analyse(parse_definition(payload), catalogue)
    exclusion = exclusion_of(payload)
    bodies = analysis.bodies
    edges: list[tuple[str, str, EdgeType, str | None]] = [
        (wire.source, wire.target, wire.type, wire.port)
        for wire in analysis.wires
        if wire.type is not None and bodies.is_inside(wire.source, wire.target)
    ]
    entered = {target for _, target, _, _ in edges}
    answers = [
        sorted({(kind, port or "") for source, _, kind, port in edges if source == node}) or [(EdgeType.SUCCESS, "")]
        for node in payload["nodes"]
    ]

    for chosen in product(*answers):
        said = dict(zip(payload["nodes"], chosen, strict=True))
        ran: list[str] = []
        assert analysis.ancestry is not None
        for node in analysis.ancestry.order:
            ways = [
                kind is said[source][0] is EdgeType.ERROR
                or (said[source][0] is not EdgeType.ERROR and kind is EdgeType.SUCCESS)
                or (kind, port) == said[source]
                for source, target, kind, port in edges
                if target == node and source in ran
            ]
            is_input = analysis.types[node].source and node in analysis.paths.roots
            begins = bodies.parents[node] is not None and node not in entered
            if node == analysis.paths.entry or is_input or begins or any(ways):
                ran.append(node)

        together = [pair for pair in product(ran, repeat=2) if bodies.is_inside(*pair)]
        assert [pair for pair in together if exclusion.between(*pair)] == []
