from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from executions import core
from executions.core import Graph, NodeStatus, RunNode, RunStatus, advance
from tests.executions.core.bodies import LOOP, PAR, begun, branched, looped
from tests.executions.core.play import NOW, Again, Boom, While, outcome, play


class TestFailure:
    """An unhandled failure inside a body ends its iteration or branch and becomes the failure of the container."""

    def test_failure_is_the_containers_and_names_the_node(self) -> None:
        played = play(looped(count=3), {"loop[1]/a": Boom("no")})

        error = played.ended["loop"].error
        assert played.ran == ["start", "loop[0]/a", "loop[0]/b", "loop[1]/a"]
        assert (error["node_id"], error["message"], error["details"]) == ("a", "no", {"scope": "loop[1]"})
        assert played.statuses == {"start": "completed", "loop": "failed", "z": "cancelled"}
        assert (played.close and played.close.error) == error

    def test_scope_that_a_handler_tells_of_is_not_taken_for_ours(self) -> None:
        """Of a service that says which of its scopes was refused."""
        graph = looped()
        played = begun(graph)
        told = outcome(graph, "loop[0]/a", Boom())

        played.fold(replace(told, error={**told.error, "details": {"scope": "mail.read", "status": 403}}))

        assert played.ended["loop"].error["details"] == {"scope": "loop[0]", "status": 403}

    def test_failure_of_a_nested_body_names_the_innermost_scope(self) -> None:
        graph = looped("start -> loop, loop:body -> par, par:body -> a")

        played = play(graph, {"loop[1]/par[0]/a": Boom()})

        error = played.ended["loop"].error
        assert list(played.ended) == ["loop[1]/par", "loop"]
        assert (error["node_id"], error["details"]) == ("a", {"scope": "loop[1]/par[0]"})

    @pytest.mark.parametrize("graph", [looped(f"{LOOP}, loop:error -> h"), branched(f"{PAR}, par:error -> h")])
    def test_error_edge_of_the_container_takes_it(self, graph: Graph) -> None:
        played = play(graph, {"a": Boom()})

        [verdict] = played.ended.values()
        assert (verdict.status, verdict.handled, verdict.output) == (NodeStatus.FAILED, True, {"error": verdict.error})
        assert played.ran[-1] == "h"
        assert (played.statuses["z"], played.state.status) == ("skipped", RunStatus.COMPLETED)

    @pytest.mark.parametrize(
        ("on_error", "output"),
        [({"strategy": "continue"}, None), ({"strategy": "fallback", "fallbackValue": [7]}, [7])],
    )
    def test_on_error_of_the_container_applies(self, on_error: Any, output: Any) -> None:
        played = play(looped(nodes={"loop": {"onError": on_error}}, count=2), {"a": Boom()})

        verdict = played.ended["loop"]
        assert (verdict.status, verdict.output) == (NodeStatus.COMPLETED, output or {"error": verdict.error})
        assert (played.ran[-1], played.state.status) == ("z", RunStatus.COMPLETED)

    def test_error_edge_inside_the_body_keeps_the_failure_in_it(self) -> None:
        played = play(looped("start -> loop -> z, loop:body -> a -> b, a:error -> h"), {"loop[0]/a": Boom()})

        assert played.ran == ["start", "loop[0]/a", "loop[0]/h", "loop[1]/a", "loop[1]/b", "z"]
        assert (played.skipped, played.ended) == (["loop[0]/b", "loop[1]/h"], {})

    def test_error_edge_back_to_the_container_ends_the_iteration_well(self) -> None:
        played = play(looped("start -> loop -> z, loop:body -> a -> b, a:error -> loop"), {"loop[0]/a": Boom()})

        assert played.ran == ["start", "loop[0]/a", "loop[1]/a", "loop[1]/b", "z"]
        assert (played.ended, played.collected) == ({}, {"loop": 2})

    def test_container_that_cannot_begin_fails_like_any_node(self) -> None:
        played = play(looped(f"{LOOP}, loop:error -> h", count="{{start.words}}"))

        assert (played.ran, played.statuses["loop"], played.statuses["z"]) == (["start", "h"], "failed", "skipped")

    def test_condition_that_cannot_be_evaluated_fails_the_loop(self) -> None:
        graph = looped(f"{LOOP}, loop:error -> h", loopType="while", condition="x")

        played = play(graph, {"loop": Boom()})

        assert (played.ran, played.statuses["loop"]) == (["start", "h"], "failed")

    def test_iteration_that_fails_is_the_last(self) -> None:
        """Also of a loop that would be asked again."""
        played = play(looped(loopType="doWhile", condition="x"), {"loop": While(9), "loop[1]/b": Boom()})

        assert [index for _, index in played.tested] == [0]
        assert played.state.status is RunStatus.FAILED


class TestParallelFailure:
    def test_first_failed_branch_stops_the_others(self) -> None:
        """What is out finishes and is recorded, nothing new starts, and then the parallel fails."""
        played = begun(branched(f"{PAR}, par:error -> h", count=4, maxConcurrency=3))

        played.answers = {"a": Boom("first")}
        played.report("par[1]/a")
        assert (played.out, played.ended) == (["par[0]/a", "par[2]/a"], {})
        played.answers = {}
        played.report("par[0]/a").report("par[2]/a")

        assert played.out == ["h"]
        assert (played.ended["par"].error["message"], played.ended["par"].error["details"]) == (
            "first",
            {"scope": "par[1]"},
        )

    def test_first_of_several_failures_is_the_parallels(self) -> None:
        played = play(branched(), {"par[0]/a": Boom("0"), "par[2]/a": Boom("2")}, hold=["par[0]/a", "par[1]/a"])

        assert played.ended["par"].error["message"] == "2"

    def test_branches_that_are_stopped_are_stopped_at_any_depth(self) -> None:
        drawing = "start -> par -> z, par:body -> loop, loop:body -> a -> b, par:body -> x"
        played = begun(branched(drawing, count=2), answers={"par[0]/x": Boom()})

        played.report("par[0]/x").report("par[1]/loop[0]/a", "par[1]/x", "par[0]/loop[0]/a")

        assert (played.out, played.state.status) == ([], RunStatus.FAILED)

    def test_branches_of_other_parallels_go_on(self) -> None:
        drawing = "start -> par, par:body -> a, par:error -> h, start -> par2, par2:body -> b -> c"

        played = play(branched(drawing, count=2), {"a": Boom()})

        assert [visit for visit in played.ran if visit.endswith("c")] == ["par2[0]/c", "par2[1]/c"]
        assert played.state.status is RunStatus.COMPLETED

    def test_continue_runs_all_branches_and_succeeds(self) -> None:
        played = play(branched(onFailure="continue", maxConcurrency=1), {"par[0]/a": Boom(), "par[2]/b": Boom()})

        assert played.ran == ["start", "par[0]/a", "par[1]/a", "par[1]/b", "par[2]/a", "par[2]/b", "z"]
        assert (played.ended, played.collected, played.state.status) == ({}, {"par": 3}, RunStatus.COMPLETED)

    @pytest.mark.parametrize("on_failure", ["stop", "continue"])
    def test_continue_is_for_its_own_branches_only(self, on_failure: str) -> None:
        """A loop in a branch fails with its body, whatever becomes of that failure further out."""
        drawing = "start -> par -> z, par:body -> loop -> c, loop:body -> a"

        played = play(branched(drawing, count=2, onFailure=on_failure), {"par[0]/loop[0]/a": Boom()}, hold=["a"])

        assert "par[0]/loop" in played.ended
        assert ("par[1]/c" in played.ran, "z" in played.ran) == (on_failure == "continue",) * 2


class TestFinishBranches:
    SETTINGS = {"onFailure": "finish-branches"}

    def test_rest_of_the_iteration_runs_before_the_loop_fails(self) -> None:
        drawing = "start -> loop, loop:body -> a -> b -> j, loop:body -> c -> d -> j"

        played = play(looped(drawing, settings=self.SETTINGS), {"a": Boom()})

        assert played.ran == ["start", "loop[0]/a", "loop[0]/c", "loop[0]/d"]
        assert (played.ended["loop"].error["node_id"], played.state.status) == ("a", RunStatus.FAILED)

    def test_other_branches_are_stopped_as_the_parallel_says(self) -> None:
        """Its own `onFailure` comes first."""
        drawing = "start -> par, par:body -> a -> b, par:body -> c -> d"
        played = begun(branched(drawing, count=2, settings=self.SETTINGS), answers={"par[0]/a": Boom()})

        played.report("par[0]/a").report("par[0]/c", "par[1]/a", "par[1]/c")

        assert played.out == ["par[0]/d"]

    @pytest.mark.parametrize("order", ["loop[0]/a loop[0]/c", "loop[0]/c loop[0]/a"])
    def test_of_several_failures_the_first_in_plan_order_is_the_loops(self, order: str) -> None:
        """What the loop comes to may be read by others, so it must not depend on which node was faster."""
        graph = looped("start -> loop, loop:body -> a, loop:body -> c", settings=self.SETTINGS)

        played = begun(graph, *order.split(), answers={"a": Boom(), "c": Boom()})

        assert played.ended["loop"].error["node_id"] == "a"

    @pytest.mark.parametrize("order", ["par[1]/a par[1]/c", "par[1]/c par[1]/a"])
    def test_of_several_failures_in_a_branch_the_first_in_plan_order_is_the_parallels(self, order: str) -> None:
        graph = branched("start -> par, par:body -> a, par:body -> c", settings=self.SETTINGS)

        played = begun(graph, *order.split(), answers={"par[1]/a": Boom(), "par[1]/c": Boom(), "par[0]/a": Boom()})
        played.report("par[0]/a", "par[0]/c", "par[2]/a", "par[2]/c")

        error = played.ended["par"].error
        assert (error["node_id"], error["details"]) == ("a", {"scope": "par[1]"})

    def test_what_does_not_depend_on_the_container_runs(self) -> None:
        drawing = "start -> loop -> z, loop:body -> a, start -> x -> y -> z"

        played = play(looped(drawing, settings=self.SETTINGS), {"a": Boom()})

        assert (sorted(played.ran), played.state.status) == (["loop[0]/a", "start", "x", "y"], RunStatus.FAILED)

    @pytest.mark.parametrize("both", [("loop[0]/a", "x"), ("x", "loop[0]/a")])
    def test_loop_goes_on_whose_iteration_ends_together_with_a_failure(self, both: tuple[str, str]) -> None:
        """Between two iterations nothing of the loop is out, and yet the run that fails is not over."""
        graph = looped("start -> loop, loop:body -> a, start -> x", count=2, settings=self.SETTINGS)
        played = begun(graph, answers={"x": Boom()})

        played.report(*both)

        assert (played.out, played.close) == (["loop[1]/a"], None)
        assert played.report("loop[1]/a").statuses == {"start": "completed", "loop": "completed", "x": "failed"}

    def test_branch_goes_on_whose_iteration_ends_together_with_its_failure(self) -> None:
        """The same further in, where both scopes have failed."""
        drawing = "start -> par, par:body -> loop, loop:body -> in, in:body -> a, par:body -> x"
        nodes = {name: {"type": "loop", "config": {"count": 2}} for name in ("loop", "in")}
        graph = branched(drawing, count=1, nodes=nodes, settings=self.SETTINGS)
        played = begun(graph, answers={"x": Boom()})

        played.report("par[0]/loop[0]/in[0]/a", "par[0]/x")

        assert (played.out, played.close) == (["par[0]/loop[0]/in[1]/a"], None)


class TestHalted:
    """Under `stop`, once a failure decides the run, nothing new starts: no iteration, no branch, no attempt."""

    def test_loop_gets_no_further_iteration(self) -> None:
        drawing = "start -> x, start -> loop, loop:body -> a -> b, start -> y"
        played = begun(looped(drawing), "x", answers={"x": Boom()})

        played.report("loop[0]/a")

        assert (played.out, played.close) == (["y"], None)
        played.report("y")
        assert (played.statuses["loop"], played.statuses["y"]) == ("cancelled", "completed")
        assert played.close is not None

    def test_condition_that_is_being_asked_opens_no_iteration(self) -> None:
        """The failure of one container and the end of another's iteration come in one step."""
        drawing = "start -> loop, loop:body -> a, start -> loop2, loop2:body -> b, start -> y"
        graph = looped(drawing, nodes={"loop2": {"config": {"count": 1}}}, loopType="while", condition="x")

        for both in (("loop[0]/a", "loop2[0]/b"), ("loop2[0]/b", "loop[0]/a")):
            played = begun(graph, answers={"loop": While(9), "b": Boom()})
            played.report(*both)

            assert (played.out, "loop[1]/a" in played.ran) == (["y"], False)
            assert played.report("y").state.status is RunStatus.FAILED

    def test_asked_condition_of_a_halted_loop_is_not_followed(self) -> None:
        drawing = "start -> loop, loop:body -> a, start -> x, start -> y"
        graph = looped(drawing, loopType="while", condition="c")
        played = begun(graph, "x", answers={"loop": While(9), "x": Boom()})
        asked = core.Tested(node_id="loop", scope="", index=0, is_met=True)

        step = advance(graph, played.state, [asked], now=NOW)

        assert [command for command in step.commands if isinstance(command, RunNode)] == []

    def test_parallel_opens_no_further_branch(self) -> None:
        drawing = "start -> x, start -> par, par:body -> a"
        played = begun(branched(drawing, count=4, maxConcurrency=2), "x", answers={"x": Boom()})

        played.report("par[0]/a").report("par[1]/a")

        assert sorted(played.ran) == ["par[0]/a", "par[1]/a", "start", "x"]
        assert played.statuses["par"] == "cancelled"

    def test_attempt_that_was_waited_for_is_withdrawn(self) -> None:
        drawing = "start -> par, par:body -> a"
        played = begun(branched(drawing, count=2), "par[0]/a", answers={"par[0]/a": Again(), "par[1]/a": Boom()})

        played.report("par[1]/a")

        assert (played.withdrawn, played.state.status) == (["par[0]/a"], RunStatus.FAILED)

    def test_attempt_that_failed_after_the_stop_is_its_last(self) -> None:
        drawing = "start -> par -> z, par:error -> h, par:body -> a"
        played = begun(branched(drawing, count=2), "par[1]/a", answers={"par[0]/a": Again(), "par[1]/a": Boom()})

        played.report("par[0]/a")

        assert (played.withdrawn, played.out) == (["par[0]/a"], ["h"])

    def test_container_inside_a_stopped_branch_is_withdrawn_with_it(self) -> None:
        """Its row is running with nobody behind it: it must not stay so."""
        drawing = "start -> par -> z, par:error -> h, par:body -> loop, loop:body -> a"
        played = begun(branched(drawing, count=2), answers={"par[0]/loop[0]/a": Boom()})

        played.report("par[0]/loop[0]/a").report("par[1]/loop[0]/a")

        assert (played.withdrawn, list(played.ended), played.out) == (["par[1]/loop"], ["par[0]/loop", "par"], ["h"])
