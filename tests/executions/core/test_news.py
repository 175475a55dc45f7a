from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executions.core import Graph, RunState, advance, lay_out, start, worth_folding
from tests.executions.core.play import NOW, graph_of, outcome
from tests.strategies import plans
from workflows.core import Plan


def out_of_start(graph: Graph) -> RunState:
    return advance(graph, start(graph, entry="start", now=NOW).state, [outcome(graph, "start")], now=NOW).state


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

    assert worth_folding(graph, out_of_start(graph), ended, any_failed=False) is worth


def test_failure_is_always_worth_folding() -> None:
    graph = graph_of("start -> a -> j, start -> b -> j")

    assert worth_folding(graph, out_of_start(graph), {"a"}, any_failed=True)


def test_place_under_the_cap_is_worth_folding() -> None:
    graph = graph_of("start -> a -> j, start -> b -> j, start -> c -> j", settings={"maxConcurrentNodes": 2})

    assert worth_folding(graph, out_of_start(graph), {"a"}, any_failed=False)


@given(plan=plans(), order=st.randoms(use_true_random=False))
def test_what_is_not_worth_folding_would_have_changed_nothing(plan: Plan, order: Random) -> None:
    """Leaving such outcomes in the inbox cannot keep a run from going on."""
    graph = lay_out(plan)
    step = start(graph, entry=plan.entry, now=NOW)
    waiting: list[str] = [command.node_id for command in step.commands if hasattr(command, "node_id")]
    while waiting:
        ended = set(order.sample(waiting, order.randint(1, len(waiting))))
        folded = advance(graph, step.state, [outcome(graph, node) for node in ended], now=NOW)

        if not worth_folding(graph, step.state, ended, any_failed=False):
            assert folded.commands == ()

        step = folded
        waiting = [node for node in waiting if node not in ended]
        waiting += [command.node_id for command in step.commands if hasattr(command, "node_id")]
