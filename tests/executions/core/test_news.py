from __future__ import annotations

from collections.abc import Iterable
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from executions.core import Graph, RunState, advance, start, worth_folding
from tests.executions.core.play import NOW, Played, graph_of, outcome
from tests.executions.core.scripts import Run, runs


def out_of_start(graph: Graph) -> RunState:
    return advance(graph, start(graph, entry="start", now=NOW).state, [outcome(graph, "start")], now=NOW).state


def visits(names: Iterable[str]) -> list[tuple[str, str]]:
    return [(scope, node_id) for scope, _, node_id in (name.rpartition("/") for name in names)]


@pytest.mark.parametrize(
    ("drawing", "ended", "worth"),
    [
        ("start -> a -> j, start -> b -> j", {"a"}, False),  # the join waits for b
        ("start -> a -> j, start -> b -> j", {"a", "b"}, True),
        ("start -> a -> x, start -> b -> j, a -> j", {"a"}, True),  # x may go on
        ("start -> a, start -> b", {"a"}, False),  # nothing follows
        ("start -> a, start -> b", {"a", "b"}, True),  # the run is over
        ("start -> a", set(), False),
    ],
)
def test_outcomes_are_worth_folding_when_something_follows(drawing: str, ended: set[str], worth: bool) -> None:
    graph = graph_of(drawing)

    assert worth_folding(graph, out_of_start(graph), visits(ended), any_failed=False) is worth


def test_failure_is_always_worth_folding() -> None:
    graph = graph_of("start -> a -> j, start -> b -> j")

    assert worth_folding(graph, out_of_start(graph), visits({"a"}), any_failed=True)


def test_place_under_the_cap_is_worth_folding() -> None:
    graph = graph_of("start -> a -> j, start -> b -> j, start -> c -> j", settings={"maxConcurrentNodes": 2})

    assert worth_folding(graph, out_of_start(graph), visits({"a"}), any_failed=False)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(run=runs(), order=st.randoms(use_true_random=False))
def test_what_is_not_worth_folding_would_have_changed_nothing(run: Run, order: Random) -> None:
    """Leaving such outcomes in the inbox cannot keep a run from going on."""
    played = Played(*run)
    while played.close is None:
        while not played.out and played.close is None:
            if played.waiting:
                played.answer(*played.waiting)
            else:
                played.fall_due(*played.due)
        if played.close is not None:
            break
        state, steps = played.state, len(played.steps)
        ended = order.sample(played.out, order.randint(1, len(played.out)))
        played.report(*ended)

        if not worth_folding(run[0], state, visits(ended), any_failed=False):
            assert played.steps[steps].commands == ()


def test_first_response_is_worth_folding() -> None:
    """Somebody waits for it, although nothing else follows."""
    graph = graph_of("start -> r, start -> b", types={"start": "trigger", "r": "response"})

    assert worth_folding(graph, out_of_start(graph), visits({"r"}), any_failed=False)
