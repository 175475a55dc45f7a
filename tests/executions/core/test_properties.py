"""What holds of every plan, with loops and parallels at any depth, whoever reports first."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from executions.core import Graph, Outcome, RunState, RunStatus, Step, advance, lay_out, load_state
from tests.executions.core.play import NOW, Played, play
from tests.executions.core.scripts import Run, runs
from tests.strategies import plans
from workflows.core import Plan, load_plan
from workflows.core.plan import ContainerKind, OnFailure

AT_LEISURE = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # whole runs, on a busy machine
ORDERS = st.integers(0, 2**32)


def never_stopping(graph: Graph) -> Graph:
    """The same workflow, with the settings that let everything run that can."""
    nodes = tuple(
        replace(node, config={**node.config, "onFailure": "continue"})
        if node.container is ContainerKind.PARALLEL
        else node
        for node in graph.plan.nodes
    )
    return lay_out(replace(graph.plan, nodes=nodes, on_failure=OnFailure.FINISH_BRANCHES))


def end_of(played: Played) -> dict[str, Any]:
    """All that is to be seen of a run that is over, but for its order."""
    assert played.close is not None
    return {
        "statuses": played.statuses,
        "outputs_of": (played.close.outputs_of, played.close.named),
        "error": played.close.error,
        "ran": sorted(played.ran),
        "opened": sorted(played.opened),
        "collected": played.collected,
        "ended": played.ended,
        "skipped": sorted(played.skipped),
        "withdrawn": sorted(played.withdrawn),
    }


class Twice(Played):
    """Everything is delivered twice, and then once more."""

    def advance(self, outcomes: Sequence[Outcome]) -> Step:
        step = super().advance(outcomes)
        twice = super().advance([*outcomes, *outcomes])
        assert replace(twice, stale=step.stale) == step
        again = advance(self.graph, step.state, outcomes, now=NOW)
        assert again == Step(state=step.state, stale=tuple(outcomes))
        return step


class Reloaded(Played):
    """Before each step, the state is what was written down of it."""

    @property
    def state(self) -> RunState:
        return load_state(json.loads(json.dumps(super().state.dump())))


@AT_LEISURE
@given(run=runs(), order=ORDERS)
def test_result_does_not_depend_on_who_reports_first(run: Run, order: int) -> None:
    """While every failure is handled where it happens: another may stop what is late."""
    assert end_of(play(*run, order=Random(order))) == end_of(play(*run))


@AT_LEISURE
@given(run=runs(failures=True, waits=False), order=ORDERS)
def test_what_depends_on_no_failure_runs_whoever_reports_first(run: Run, order: int) -> None:
    """Where nothing is stopped by a failure, all that may differ is which failure is called the run's error."""
    graph = never_stopping(run[0])

    slow, fast = play(graph, run[1], order=Random(order)), play(graph, run[1])

    assert end_of(slow) | {"error": None} == end_of(fast) | {"error": None}


@AT_LEISURE
@given(run=runs(failures=True), order=ORDERS)
def test_every_run_ends_and_leaves_nothing_open(run: Run, order: int) -> None:
    graph, answers = run

    played = play(graph, answers, order=Random(order))

    assert (set(played.state.scopes), played.state.frames) == ({""}, {})
    taking_part = {node.id for node in graph.taking_part(graph.plan.entry) if node.parent is None}
    statuses = {played.statuses[node] for node in taking_part}
    assert statuses <= {"completed", "failed", "skipped", "cancelled"}
    assert "cancelled" not in statuses or played.state.status is RunStatus.FAILED


@AT_LEISURE
@given(run=runs(failures=True), order=ORDERS)
def test_outcome_that_is_delivered_again_changes_nothing(run: Run, order: int) -> None:
    Twice(*run).to_end(order=Random(order))


@AT_LEISURE
@given(run=runs(failures=True), order=ORDERS)
def test_run_whose_state_is_read_back_at_every_step_ends_the_same(run: Run, order: int) -> None:
    reloaded, plain = Reloaded(*run).to_end(order=Random(order)), play(*run, order=Random(order))

    assert reloaded.steps == plain.steps


@AT_LEISURE
@given(plan=plans(containers=True))
def test_plan_written_down_is_laid_out_alike(plan: Plan) -> None:
    assert lay_out(load_plan(json.loads(json.dumps(plan.dump())))) == lay_out(plan)
