"""What a run costs, counted: the length of its state, and the calls that a step makes. Clocks have no say in it."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

import pytest

from executions.core import Graph, Outcome, Step
from tests.executions.core.play import Played, graph_of


class Counted(Played):
    """A run that notes what each of its steps cost; its states are not kept."""

    def __init__(self, graph: Graph) -> None:
        self.lengths: list[int] = []  # characters of the state as it is stored
        self.calls: list[int] = []
        super().__init__(graph)

    def advance(self, outcomes: Sequence[Outcome]) -> Step:
        calls = 0

        def note(frame: Any, event: str, argument: Any) -> None:
            nonlocal calls
            calls += event in ("call", "c_call")

        sys.setprofile(note)
        try:
            step = super().advance(outcomes)
        finally:
            sys.setprofile(None)
        self.calls.append(calls)
        self.lengths.append(len(json.dumps(step.state.dump())))
        del self.steps[:-1]
        return step


def looped(count: int) -> Graph:
    return graph_of(
        "start -> loop -> z, loop:body -> a", nodes={"loop": {"config": {"count": count, "maxIterations": count}}}
    )


def branched(count: int) -> Graph:
    return graph_of("start -> par -> z, par:body -> a", nodes={"par": {"config": {"count": count}}})


@pytest.mark.parametrize("graph", [looped(10_000), branched(5_000)], ids=["loop of 10,000", "parallel of 5,000"])
def test_run_is_as_small_and_its_steps_as_short_at_the_end_as_at_the_beginning(graph: Graph) -> None:
    played = Counted(graph)

    played.to_end()

    early, late = slice(100, 200), slice(-300, -200)
    assert len(played.ran) > 5_000
    assert max(played.lengths[late]) < max(played.lengths[early]) + 100  # there are more digits in the paths
    assert max(played.calls[late]) == max(played.calls[early])


def test_step_of_a_wide_run_makes_no_more_calls_than_that_of_a_narrow_one() -> None:
    calls = []
    for width in (10, 990):
        drawing = ", ".join(f"start -> a{number} -> b{number}" for number in range(width))
        played = Counted(graph_of(drawing, settings={"maxConcurrentNodes": width})).report("start")
        calls.append(played.report("a5").calls[-1])

    assert calls[0] == calls[1]
