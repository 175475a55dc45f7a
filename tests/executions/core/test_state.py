from __future__ import annotations

import json
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executions.core import StateTooNew, lay_out, load_state
from tests.executions.core.play import graph_of, play, scripts
from tests.strategies import plans
from workflows.core import Plan


@given(plan=plans(containers=True), order=st.randoms(use_true_random=False), data=st.data())
def test_state_survives_its_json_at_every_step(plan: Plan, order: Random, data: st.DataObject) -> None:
    graph = lay_out(plan)
    for step in play(graph, data.draw(scripts(graph, failures=True)), order=order).steps:
        assert load_state(json.loads(json.dumps(step.state.dump()))) == step.state


def test_state_of_a_newer_release_is_refused() -> None:
    state = play(graph_of("start -> a")).state.dump()

    with pytest.raises(StateTooNew, match="format 99"):
        load_state({**state, "format": 99})


def test_state_of_a_thousand_nodes_is_a_few_kilobytes() -> None:
    """It is written at every step."""
    graph = graph_of(" -> ".join(f"n{place}" for place in range(1000)))

    assert len(json.dumps(play(graph).state.dump())) < 2_000
