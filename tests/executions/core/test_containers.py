from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

import pytest

from executions import core
from executions.core import Graph, RunStatus, advance
from tests.executions.core.bodies import begun, branched, looped
from tests.executions.core.play import NOW, Port, While, graph_of, outcome, play


class TestSequence:
    @pytest.mark.parametrize("count", [0, 1, 3])
    def test_iterations_come_one_after_the_other(self, count: int) -> None:
        played = play(looped(count=count))

        iterations = [f"loop[{index}]/{node}" for index in range(count) for node in "ab"]
        assert played.ran == ["start", *iterations, "z"]
        assert (played.collected, played.most_out) == ({"loop": count}, 1)
        assert played.state.status is RunStatus.COMPLETED

    def test_for_each_runs_once_for_each_item(self) -> None:
        played = play(looped(loopType="forEach", arrayPath=["x", "y"], count=None))

        assert played.ran == ["start", "loop[0]/a", "loop[0]/b", "loop[1]/a", "loop[1]/b", "z"]

    @pytest.mark.parametrize(
        ("loop_type", "below", "iterations", "tested"),
        [
            ("while", 0, 0, [0]),  # tested before each iteration, with its index
            ("while", 2, 2, [0, 1, 2]),
            ("doWhile", 0, 1, [0]),  # tested after each, with the index it had
            ("doWhile", 2, 3, [0, 1, 2]),
        ],
    )
    def test_condition_is_tested_around_iterations(
        self, loop_type: str, below: int, iterations: int, tested: list[int]
    ) -> None:
        played = play(looped(loopType=loop_type, condition="x"), {"loop": While(below)})

        assert (played.collected, [index for _, index in played.tested]) == ({"loop": iterations}, tested)
        assert played.state.status is RunStatus.COMPLETED

    @pytest.mark.parametrize("loop_type", ["while", "doWhile"])
    def test_exactly_as_many_as_the_limit_are_allowed(self, loop_type: str) -> None:
        below = 3 if loop_type == "while" else 2

        played = play(looped(loopType=loop_type, condition="x", maxIterations=3), {"loop": While(below)})

        assert (played.collected, played.state.status) == ({"loop": 3}, RunStatus.COMPLETED)

    @pytest.mark.parametrize("loop_type", ["while", "doWhile"])
    def test_loop_fails_when_one_more_than_its_limit_would_start(self, loop_type: str) -> None:
        played = play(looped(loopType=loop_type, condition="x", maxIterations=3), {"loop": While(99)})

        error = played.ended["loop"].error
        assert played.ran.count("loop[2]/a") == 1
        assert "loop[3]/a" not in played.ran
        assert (error["code"], error["node_id"]) == ("loop_limit", "loop")
        assert error["message"] == "loop needs more than 3 iterations, its maxIterations"
        assert played.state.status is RunStatus.FAILED

    @pytest.mark.parametrize("config", [{"count": 4}, {"loopType": "forEach", "arrayPath": [1, 2, 3, 4]}])
    def test_loop_that_will_need_more_fails_before_its_first_iteration(self, config: Any) -> None:
        played = play(looped(maxIterations=3, **config))

        assert (played.ran, played.state.status) == (["start"], RunStatus.FAILED)

    def test_iteration_starts_blank(self) -> None:
        """Another branch is taken, another node skipped: nothing of the one before is left."""
        drawing = "start -> loop, loop:body -> if, if:true -> a, if:false -> b"

        played = play(looped(drawing, count=2), {"loop[0]/if": Port("true"), "loop[1]/if": Port("false")})

        assert played.ran == ["start", "loop[0]/if", "loop[0]/a", "loop[1]/if", "loop[1]/b"]
        assert played.skipped == ["loop[0]/b", "loop[1]/a"]

    def test_iteration_waits_for_all_that_is_in_it(self) -> None:
        drawing = "start -> loop, loop:body -> a, loop:body -> b"

        played = begun(looped(drawing, count=2), "loop[0]/b")

        assert (played.out, played.state.frames["loop"].opened) == (["loop[0]/a"], 1)
        assert played.report("loop[0]/a").out == ["loop[1]/a", "loop[1]/b"]

    def test_edge_back_ends_the_iteration(self) -> None:
        played = play(looped("start -> loop -> z, loop:body -> a -> b -> loop", count=2))

        assert played.ran == ["start", "loop[0]/a", "loop[0]/b", "loop[1]/a", "loop[1]/b", "z"]


class TestEmpty:
    @pytest.mark.parametrize("container", ["loop", "par"])
    def test_container_without_a_body_goes_on(self, container: str) -> None:
        played = play(graph_of(f"start -> {container} -> z"))

        assert (played.ran, played.collected) == (["start", "z"], {container: 0})

    @pytest.mark.parametrize("graph", [looped(count=0), branched(count=0)])
    def test_container_that_repeats_nothing_goes_on(self, graph: Graph) -> None:
        played = play(graph)

        assert played.ran == ["start", "z"]
        assert set(played.collected.values()) == {0}

    def test_body_of_disabled_nodes_passes(self) -> None:
        drawing = "start -> par -> z, par:body -> a -> b"

        played = play(branched(drawing, nodes={"a": {"disabled": True}, "b": {"disabled": True}}))

        assert (played.ran, played.collected) == (["start", "z"], {"par": 3})
        assert played.skipped == [f"par[{index}]/{node}" for index in range(3) for node in "ab"]

    @pytest.mark.parametrize("container", ["loop", "par"])
    def test_disabled_container_runs_nothing_and_passes_on(self, container: str) -> None:
        drawing = f"start -> {container} -> z, {container}:body -> a, {container}:error -> h"

        played = play(graph_of(drawing, nodes={container: {"disabled": True}}))

        assert (played.ran, played.opened) == (["start", "z"], [])
        assert played.statuses == {"start": "completed", container: "skipped", "z": "completed", "h": "skipped"}

    @pytest.mark.parametrize("container", ["loop", "par"])
    def test_container_behind_dead_edges_never_starts(self, container: str) -> None:
        """No ghost iterations."""
        drawing = f"start -> if, if:true -> {container} -> z, {container}:body -> a"

        played = play(graph_of(drawing), {"if": Port("false")})

        assert (played.ran, played.opened, played.skipped) == (["start", "if"], [], [container, "z"])


class TestWidth:
    def test_branches_run_at_once_up_to_their_concurrency(self) -> None:
        played = begun(branched(count=5, maxConcurrency=2))

        assert played.out == ["par[0]/a", "par[1]/a"]
        assert played.report("par[1]/a").out == ["par[0]/a", "par[1]/b"]
        assert played.report("par[1]/b").out == ["par[0]/a", "par[2]/a"]

    def test_all_branches_run_and_are_collected_once(self) -> None:
        played = play(branched(count=5, maxConcurrency=2), order=Random(1))

        assert sorted(played.ran) == sorted(["start", "z", *(f"par[{at}]/{node}" for at in range(5) for node in "ab")])
        assert (played.collected, played.most_out) == ({"par": 5}, 2)

    @pytest.mark.parametrize("order", [None, Random(1), Random(2)])
    def test_run_hands_out_no_more_than_its_cap(self, order: Random | None) -> None:
        played = play(branched(count=9, maxConcurrency=5, settings={"maxConcurrentNodes": 3}), order=order)

        assert (played.most_out, played.collected) == (3, {"par": 9})

    def test_branch_is_opened_only_when_there_is_room_for_it(self) -> None:
        """Five thousand branches, and the state holds those that can run."""
        played = begun(branched(count=5_000, maxConcurrency=5_000, settings={"maxConcurrentNodes": 4}))

        assert (len(played.out), played.state.frames["par"].opened, len(played.state.scopes)) == (4, 4, 5)

    def test_room_that_another_leaves_is_used(self) -> None:
        drawing = "start -> x, start -> par, par:body -> a"
        played = begun(branched(drawing, settings={"maxConcurrentNodes": 2}))

        assert sorted(played.out) == ["par[0]/a", "x"]
        assert sorted(played.report("x").out) == ["par[0]/a", "par[1]/a"]

    def test_run_with_a_single_place_gets_to_its_end(self) -> None:
        drawing = "start -> par -> z, par:body -> par2, par2:body -> loop, loop:body -> a"

        played = play(branched(drawing, count=2, settings={"maxConcurrentNodes": 1}))

        assert (played.most_out, len(played.ran), played.state.status) == (1, 2 + 2 * 2 * 2, RunStatus.COMPLETED)

    def test_containers_take_no_place(self) -> None:
        played = begun(branched("start -> par, par:body -> loop, loop:body -> a", settings={"maxConcurrentNodes": 3}))

        assert played.out == [f"par[{index}]/loop[0]/a" for index in range(3)]


class TestNested:
    DRAWING = "start -> loop -> z, loop:body -> a -> par -> c, par:body -> b -> loop2, loop2:body -> d"

    @pytest.mark.parametrize("seed", range(5))
    def test_every_body_runs_in_every_scope_around_it(self, seed: int) -> None:
        played = play(graph_of(self.DRAWING), order=Random(seed))

        expected = ["start", "z"]
        for i in range(2):
            expected += [f"loop[{i}]/a", f"loop[{i}]/c"]
            for j in range(2):
                expected += [f"loop[{i}]/par[{j}]/b", *(f"loop[{i}]/par[{j}]/loop2[{k}]/d" for k in range(2))]
        assert sorted(played.ran) == sorted(expected)
        assert (len(played.opened), len(played.collected)) == (1 + 2 + 4, 7)

    def test_nothing_is_left_of_scopes_that_are_over(self) -> None:
        played = play(graph_of(self.DRAWING))

        assert (list(played.state.scopes), dict(played.state.frames)) == ([""], {})

    def test_long_loop_is_as_small_as_a_short_one(self) -> None:
        """The live state grows with what is open, not with what has been."""
        played = begun(looped(count=9_000, maxIterations=10_000))
        early = len(str(played.state.dump()))
        for index in range(500):
            played.report(f"loop[{index}]/a").report(f"loop[{index}]/b")

        assert len(str(played.state.dump())) < early + 20


class TestStale:
    def test_outcome_of_an_iteration_that_is_over_changes_nothing(self) -> None:
        played = begun(looped(count=3), "loop[0]/a")
        late = outcome(played.graph, "loop[0]/b")
        played.report("loop[0]/b")

        step = advance(played.graph, played.state, [late], now=NOW)

        assert (step.state, step.commands, len(step.stale)) == (played.state, (), 1)

    @pytest.mark.parametrize("is_met", [True, False])
    def test_answer_of_a_condition_that_nobody_asks_changes_nothing(self, is_met: bool) -> None:
        played = play(looped(loopType="while", condition="x"), {"loop": While(1)})
        late = core.Tested(node_id="loop", scope="", index=0, is_met=is_met)

        assert advance(played.graph, played.state, [late], now=NOW).stale == (late,)

    def test_opening_that_is_told_again_does_not_begin_anew(self) -> None:
        graph = branched()
        played = begun(graph, "par[0]/a")
        again = core.Opened(node_id="par", scope="", started_at=NOW, total=3)

        step = advance(graph, played.state, [again], now=NOW)

        assert (step.state, step.commands, step.stale) == (played.state, (), (again,))

    @pytest.mark.parametrize(("below", "is_met"), [(0, False), (0, True), (2, True)])
    def test_answer_of_a_condition_that_is_told_again_changes_nothing(self, below: int, is_met: bool) -> None:
        """Neither while the next iteration runs, nor while the results of all are put together."""
        graph = looped(loopType="while", condition="x")
        asked = next(
            step.state
            for step in begun(graph, answers={"loop": While(below)}).steps
            if any(isinstance(command, core.TestCondition) for command in step.commands)
        )
        answer = core.Tested(node_id="loop", scope="", index=0, is_met=below > 0)
        step = advance(graph, asked, [answer], now=NOW)

        again = advance(graph, step.state, [replace(answer, is_met=is_met)], now=NOW)

        assert (again.state, again.commands, len(again.stale)) == (step.state, (), 1)
