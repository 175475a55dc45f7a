from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from executions.core import (
    Graph,
    Outcome,
    RunNode,
    Succeeded,
    after_segments,
    continuation,
    lay_out,
    next_in_segment,
    segment_end,
    worth_folding,
)
from executions.core.scopes import path
from executions.core.segments import in_line
from handlers import Effect, Lane
from tests.executions.core.play import Boom, Played, Port, graph_of, outcome, play
from tests.executions.core.scripts import Run, runs
from tests.executions.core.test_properties import end_of, never_stopping

AT_LEISURE = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def of_effects(graph: Graph, **more: Any) -> Graph:
    """The same plan, its nodes being effects, and *more* of single nodes by id."""
    nodes = tuple(replace(node, effect=Effect.EFFECT, **more.get(node.id, {})) for node in graph.plan.nodes)
    return lay_out(replace(graph.plan, nodes=nodes))


def next_of(graph: Graph, node_id: str) -> str | None:
    found = next_in_segment(graph, graph.node(node_id))
    return None if found is None else found.id


class TestNextInSegment:
    @pytest.mark.parametrize(
        ("drawing", "found"),
        [
            ("start -> a -> b", "b"),
            ("start -> a -> b, a -> c", None),  # two follow: others may run one of them
            ("start -> a -> j, start -> b -> j", None),  # it waits for another, too
            ("start -> a, start -> b", None),
            ("start -> a -> loop", None),
        ],
    )
    def test_it_follows_this_node_only_and_is_all_that_does(self, drawing: str, found: str | None) -> None:
        graph = of_effects(graph_of(drawing))

        assert next_of(graph, "a") == found

    @pytest.mark.parametrize(
        ("a", "b", "is_next"),
        [
            ({}, {}, True),
            ({}, {"disabled": True}, False),
            ({}, {"effect": Effect.PURE}, False),  # of the drive, which runs many in one write
            ({}, {"delegates": True}, False),
            ({}, {"lane": Lane.CPU}, False),
            ({"cheap": True}, {}, False),
            ({"cheap": True}, {"cheap": True}, True),
            ({}, {"cheap": True}, True),
        ],
    )
    def test_it_is_an_effect_that_this_worker_may_run(self, a: Any, b: Any, is_next: bool) -> None:
        graph = of_effects(graph_of("start -> a -> b"), a=a)
        nodes = tuple(replace(node, **b) if node.id == "b" else node for node in graph.plan.nodes)

        assert next_of(lay_out(replace(graph.plan, nodes=nodes)), "a") == ("b" if is_next else None)

    @pytest.mark.parametrize("value", ["{{var.level}}", "{{level}}"])
    def test_it_reads_no_variable(self, value: str) -> None:
        """What those before it wrote is applied by the fold."""
        nodes = {"b": {"config": {"value": value}}}
        graph = of_effects(graph_of("start -> a -> b", nodes=nodes, variables={"level": 1}))

        assert next_of(graph, "a") is None

    def test_segment_goes_on_to_the_first_that_is_not(self) -> None:
        graph = of_effects(graph_of("start -> a -> b -> c -> j, start -> d -> j"))

        assert [segment_end(graph, graph.node(node)).id for node in "abcd"] == ["c", "c", "c", "d"]

    def test_bodies_have_their_own(self) -> None:
        graph = of_effects(graph_of("start -> par -> z, par:body -> a -> b"))

        assert (next_of(graph, "a"), next_of(graph, "b")) == ("b", None)


class TestContinuation:
    @pytest.mark.parametrize(
        ("drawing", "answer", "found"),
        [
            ("start -> a -> b", None, "b"),
            ("start -> a -> b", Boom(), None),
            ("start -> a, a:error -> b", None, None),
            ("start -> a, a:error -> b", Boom(), None),  # that is for the run to follow
            ("start -> if, if:true -> b", Port("true"), "b"),
            ("start -> if, if:true -> b", Port("false"), None),
        ],
    )
    def test_its_edge_is_taken(self, drawing: str, answer: Any, found: str | None) -> None:
        graph = of_effects(graph_of(drawing))
        follower = continuation(graph, outcome(graph, "a" if "a" in graph.nodes else "if", answer))

        assert (None if follower is None else follower.id) == found


class TestFold:
    GRAPH = of_effects(graph_of("start -> a -> b -> j, start -> c -> j", settings={"onFailure": "stop"}))

    def started(self) -> Played:
        return Played(self.GRAPH).report("start")

    def gone_on(self, node: str, follower: str | None) -> Succeeded:
        told = outcome(self.GRAPH, node)
        assert isinstance(told, Succeeded)
        return replace(told, continued=follower)

    def test_node_that_was_gone_on_with_is_out_and_nobody_else_runs_it(self) -> None:
        played = self.started().fold(self.gone_on("a", "b"))

        assert played.statuses == {
            "start": "completed",
            "a": "completed",
            "b": "running",
            "c": "running",
            "j": "pending",
        }
        assert played.steps[-1].commands == ()

    @pytest.mark.parametrize("order", [(0, 1, 2), (1, 2, 0), (2, 1, 0), (1, 0, 2)])
    def test_outcomes_of_a_segment_may_come_together_in_any_order(self, order: tuple[int, ...]) -> None:
        """The clock of a worker may step back between two of its nodes."""
        told = [self.gone_on("a", "b"), self.gone_on("b", None), self.gone_on("c", None)]

        played = self.started().fold(*(told[place] for place in order))

        assert played.statuses == {
            "start": "completed",
            "a": "completed",
            "b": "completed",
            "c": "completed",
            "j": "running",
        }

    def test_node_that_was_gone_on_with_finishes_although_another_failed(self) -> None:
        played = self.started()
        played.fold(outcome(self.GRAPH, "c", Boom()), self.gone_on("a", "b"))
        assert (played.close, played.statuses["b"]) == (None, "running")

        played.fold(self.gone_on("b", None))

        assert played.close is not None
        assert (played.state.status.value, played.statuses["b"], played.statuses["j"]) == (
            "failed",
            "completed",
            "cancelled",
        )

    def test_second_delivery_changes_nothing(self) -> None:
        played = self.started().fold(self.gone_on("a", "b"), self.gone_on("b", None))
        before = played.state

        played.fold(self.gone_on("a", "b"), self.gone_on("b", None))

        assert (played.state, len(played.steps[-1].stale)) == (before, 2)

    def test_duplicates_of_a_segment_are_kept_in_line(self) -> None:
        a, b = self.gone_on("a", "b"), self.gone_on("b", None)

        assert list(in_line([b, b, a, a])) == [a, b, b, a]
        assert list(in_line([b])) == [b]


class TestNews:
    GRAPH = of_effects(graph_of("start -> a -> b -> j, start -> c -> j"))

    def state(self) -> Any:
        return Played(self.GRAPH).report("start").state

    @pytest.mark.parametrize(
        ("continued", "ended", "worth"),
        [
            ([("", "a", "b")], [], False),  # b is out: nobody waits for a fold
            ([("", "a", "b")], [("", "b")], False),  # j waits for c
            ([("", "a", "b")], [("", "b"), ("", "c")], True),
            ([], [("", "a")], True),  # its worker gave way: somebody has to start b
        ],
    )
    def test_what_a_worker_goes_on_with_is_no_reason_to_fold(self, continued: Any, ended: Any, worth: bool) -> None:
        state = after_segments(self.GRAPH, self.state(), continued)

        assert worth_folding(self.GRAPH, state, ended, any_failed=False) is worth

    def test_scope_that_is_over_is_left_out(self) -> None:
        state = self.state()

        assert after_segments(self.GRAPH, state, [("loop[1]", "a", "b")]) == state


@pytest.mark.parametrize(
    ("drawing", "settings_", "lets"),
    [
        ("start -> a, start -> b", {}, True),
        ("start -> a, start -> b", {"maxConcurrentNodes": 1}, False),  # b waits for a place
    ],
)
def test_run_lets_nobody_go_on_where_others_wait(drawing: str, settings_: Any, lets: bool) -> None:
    played = Played(graph_of(drawing, settings=settings_)).report("start")

    assert played.state.lets_go_on() is lets


def test_run_lets_nobody_go_on_after_a_failure_or_past_its_last_node() -> None:
    graph = graph_of("start -> a, start -> b -> c")

    assert not Played(graph).report("start").fold(outcome(graph, "a", Boom())).state.lets_go_on()
    assert not Played(graph, until="b").report("start").state.lets_go_on()


class GoingOn(Played):
    """Workers go on with what follows their node. Both report at once, or the second later."""

    order: Random

    def fold(self, *outcomes: Outcome) -> Played:
        told = [each for outcome in outcomes for each in self._segment(outcome)]
        self.order.shuffle(told)
        return super().fold(*told)

    def _segment(self, told: Outcome) -> list[Outcome]:
        follower = continuation(self.graph, told)
        if follower is None or not self.state.lets_go_on() or self.order.random() < 0.3:
            return [told]
        assert isinstance(told, Succeeded)
        self._obeyed(RunNode(node_id=follower.id, scope=told.scope, attempt=1))
        visit = path(told.scope, follower.id)
        gone_on: list[Outcome] = [replace(told, continued=follower.id)]
        following = self.told(visit)
        if not isinstance(following, Succeeded) or self.order.random() < 0.5:
            return gone_on
        self.out.remove(visit)
        return gone_on + self._segment(following)


def play_going_on(graph: Graph, answers: Any, seed: int) -> Played:
    GoingOn.order = Random(seed)
    return GoingOn(graph, answers).to_end(order=GoingOn.order)


@AT_LEISURE
@given(run=runs(failures=True, waits=False), seed=st.integers(0, 2**32))
def test_result_does_not_depend_on_who_goes_on(run: Run, seed: int) -> None:
    """Where nothing is stopped by a failure, all that may differ is which failure is called the run's error."""
    graph = of_effects(never_stopping(run[0]))

    alone, asked = play_going_on(graph, run[1], seed), play(graph, run[1])

    assert end_of(alone) | {"error": None} == end_of(asked) | {"error": None}


@AT_LEISURE
@given(run=runs(failures=True), seed=st.integers(0, 2**32))
def test_every_run_ends_whoever_goes_on(run: Run, seed: int) -> None:
    graph = of_effects(run[0])

    played = play_going_on(graph, run[1], seed)

    assert (set(played.state.scopes), played.state.frames, played.state.in_flight()) == ({""}, {}, 0)
