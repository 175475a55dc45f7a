"""Runs that wait: for another attempt, for a run they started, for their deadline."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from executions import core
from executions.core import CloseRun, EventType, Graph, Respond, RunNode, RunState, RunStatus, Step, advance, start
from tests.executions.core.play import NOW, SOON, Again, Boom, Played, Port, graph_of, outcome, play


def begun(graph: Graph, *done: str, answers: Any = None) -> Played:
    """A run after *done* have reported, one after the other."""
    played = Played(graph, answers)
    for visit in done:
        played.report(visit)
    return played


class TestRetry:
    def test_next_attempt_is_handed_out_when_it_is_due(self) -> None:
        played = begun(graph_of("start -> a -> b"), "start", answers={"a": [Again(), Again(), None]})

        played.report("a")
        assert (played.out, played.state.in_flight(), played.state.is_awaited()) == ([], 0, True)
        played.fall_due("a")
        assert played.steps[-1].commands == (RunNode(node_id="a", scope="", attempt=2),)
        played.report("a").fall_due("a")
        assert played.steps[-1].commands == (RunNode(node_id="a", scope="", attempt=3),)

        assert played.report("a").out == ["b"]
        assert (played.statuses["a"], played.state.is_awaited()) == ("completed", False)

    def test_wait_is_told_with_its_end(self) -> None:
        played = begun(graph_of("start -> a"), "start", "a", answers={"a": Again()})

        [told] = played.steps[-1].events
        assert told.type is EventType.NODE_RETRYING
        assert told.data == {
            "node_type": "echo",
            "node_name": "a",
            "attempt": 1,
            "attempts": 1,
            "duration_ms": 5,
            "error": {"message": "not yet"},
            "due_at": (NOW + SOON).isoformat(),
        }

    def test_node_between_attempts_is_ready_and_its_run_goes_on(self) -> None:
        played = begun(
            graph_of("start -> a -> j, start -> b -> c -> j"), "start", "a", "b", "c", answers={"a": Again()}
        )

        assert (played.out, played.statuses["a"], played.statuses["j"], played.close) == ([], "ready", "pending", None)

    def test_wait_gives_its_place_to_another(self) -> None:
        graph = graph_of("start -> a, start -> b", settings={"maxConcurrentNodes": 1})
        played = begun(graph, "start", "a", answers={"a": [Again(), None]})

        assert played.out == ["b"]
        assert played.fall_due("a").out == ["b"]  # due, and above the cap
        assert (played.statuses["a"], played.state.is_awaited()) == ("ready", False)
        played.report("b")
        assert played.steps[-1].commands == (RunNode(node_id="a", scope="", attempt=2),)

    def test_state_between_attempts_survives_its_json(self) -> None:
        played = begun(graph_of("start -> a"), "start", "a", answers={"a": Again()})

        assert core.load_state(played.state.dump()) == played.state
        assert dict(played.state.scopes[""].attempts) == {1: 2}

    @pytest.mark.parametrize("is_due", [False, True])
    def test_failure_that_stops_the_run_withdraws_the_next_attempt(self, is_due: bool) -> None:
        graph = graph_of("start -> a, start -> b, start -> c", settings={"maxConcurrentNodes": 3})
        played = begun(graph, "start", "a", answers={"a": Again(), "b": Boom()})

        outcomes = [core.Due(node_id="a", scope="")] if is_due else []
        played.out.remove("b")
        played.fold(outcome(graph, "b", Boom()), *outcomes)

        assert (played.withdrawn, played.statuses["a"], played.close) == (["a"], "cancelled", None)
        played.due.clear()
        assert played.report("c").state.status is RunStatus.FAILED

    def test_attempt_that_fails_after_the_stop_gets_no_other(self) -> None:
        played = begun(
            graph_of("start -> a, start -> b, start -> c"), "start", "b", answers={"a": Again(), "b": Boom()}
        )

        played.report("a")

        assert (played.withdrawn, played.statuses["a"]) == (["a"], "cancelled")

    def test_finish_branches_gives_every_attempt(self) -> None:
        graph = graph_of("start -> a -> z, start -> b", settings={"onFailure": "finish-branches"})

        played = play(graph, {"a": [Again(), None], "b": Boom()})

        assert (played.ran, played.state.status) == (["start", "a", "b", "a", "z"], RunStatus.FAILED)

    def test_duplicate_of_a_failed_attempt_changes_nothing(self) -> None:
        played = begun(graph_of("start -> a"), "start", "a", answers={"a": Again()})
        again = outcome(played.graph, "a", Again())

        step = advance(played.graph, played.state, [again], now=NOW)

        assert (step.state, step.commands, step.events, step.stale) == (played.state, (), (), (again,))

    @pytest.mark.parametrize("done", [("start",), ("start", "a")])
    def test_due_time_of_what_does_not_wait_changes_nothing(self, done: tuple[str, ...]) -> None:
        played = begun(graph_of("start -> a -> b"), *done)
        due = core.Due(node_id="a", scope="")

        step = advance(played.graph, played.state, [due], now=NOW)

        assert (step.state, step.commands, step.stale) == (played.state, (), (due,))


class TestChild:
    GRAPH = graph_of("start -> a -> b, start -> x", settings={"maxConcurrentNodes": 2})

    def waiting(self) -> Played:
        """A run whose node a has started a run of its own."""
        played = begun(self.GRAPH, "start")
        played.out.remove("a")
        return played.fold(core.Delegated(node_id="a", scope="", started_at=NOW))

    def test_node_waits_for_the_end_of_its_child(self) -> None:
        played = self.waiting()

        assert (played.statuses["a"], played.state.has_children(), played.state.is_awaited()) == ("running", True, True)
        assert played.report("x").close is None

    def test_child_takes_no_place(self) -> None:
        assert self.waiting().state.in_flight() == 1

    def test_end_of_the_child_is_the_nodes_outcome(self) -> None:
        played = self.waiting().fold(outcome(self.GRAPH, "a"))

        assert sorted(played.out) == ["b", "x"]
        assert (played.statuses["a"], played.state.has_children()) == ("completed", False)

    def test_end_of_the_child_is_folded_once(self) -> None:
        played = self.waiting().fold(outcome(self.GRAPH, "a"))
        again = outcome(self.GRAPH, "a")

        step = advance(self.GRAPH, played.state, [again], now=NOW)

        assert (step.state, step.commands, step.stale) == (played.state, (), (again,))

    def test_stopped_run_waits_for_the_child_that_is_out(self) -> None:
        """It is in flight: it finishes and is recorded."""
        played = self.waiting()
        played.answers = {"x": Boom()}

        assert played.report("x").close is None
        played.fold(outcome(self.GRAPH, "a"))
        assert (played.state.status, played.statuses["a"], played.out) == (RunStatus.FAILED, "completed", [])


class TestDeadline:
    GRAPH = graph_of("start -> a -> loop, loop:body -> b", settings={"timeout": 1_000})

    def advanced(self, ms: int, *outcomes: Any) -> Step:
        state = begun(self.GRAPH, "start").state
        return advance(self.GRAPH, state, outcomes, now=NOW + timedelta(milliseconds=ms))

    def test_run_within_its_time_goes_on(self) -> None:
        assert self.advanced(999).state.status is RunStatus.RUNNING

    def test_run_that_is_late_fails(self) -> None:
        step = self.advanced(1_000)

        [close] = step.commands
        assert isinstance(close, CloseRun)
        assert close.error is not None
        assert (close.status, close.error["code"], close.error["node_id"]) == (RunStatus.FAILED, "timeout", None)
        assert close.error["message"] == "The run took longer than its timeout of 1000 ms."
        assert step.events[-1].type is EventType.EXECUTION_FAILED

    def test_what_came_in_with_the_deadline_is_part_of_the_run(self) -> None:
        """It is recorded and its output kept; nothing follows it."""
        step = self.advanced(1_000, outcome(self.GRAPH, "a"))

        assert [command for command in step.commands if not isinstance(command, CloseRun)] == []
        assert [event.type for event in step.events] == [EventType.NODE_COMPLETED, EventType.EXECUTION_FAILED]

    def test_run_without_a_timeout_is_never_late(self) -> None:
        graph = graph_of("start -> a")
        state = begun(graph, "start").state

        assert advance(graph, state, [], now=NOW + timedelta(days=9_999)).state == state

    def test_open_scopes_end_with_the_run(self) -> None:
        played = begun(self.GRAPH, "start", "a")
        assert list(played.state.scopes) == ["", "loop[0]"]

        step = advance(self.GRAPH, played.state, [], now=NOW + timedelta(seconds=1))

        assert (list(step.state.scopes), dict(step.state.frames)) == ([""], {})


class TestRespond:
    @staticmethod
    def responding(drawing: str) -> Graph:
        return graph_of(drawing, types=lambda node_id: "response" if node_id.startswith("r") else "echo")

    def responded(self, played: Played) -> list[tuple[str, str]]:
        commands = [command for step in played.steps for command in step.commands]
        return [(command.scope, command.node_id) for command in commands if isinstance(command, Respond)]

    def test_first_response_answers_and_the_run_goes_on(self) -> None:
        played = play(self.responding("a -> r1 -> b -> r2"))

        assert self.responded(played) == [("", "r1")]
        assert (played.ran, played.state.status) == (["a", "r1", "b", "r2"], RunStatus.COMPLETED)

    def test_response_that_failed_answers_nothing(self) -> None:
        played = play(self.responding("a -> r1, r1:error -> r2"), {"r1": Boom()})

        assert self.responded(played) == [("", "r2")]

    def test_response_that_was_skipped_answers_nothing(self) -> None:
        graph = graph_of("a -> if, if:true -> r", types={"a": "echo", "if": "conditional", "r": "response"})

        assert self.responded(play(graph, {"if": Port("false")})) == []

    def test_that_it_has_responded_survives_its_json(self) -> None:
        played = begun(self.responding("a -> r1 -> r2"), "a", "r1")
        state: RunState = core.load_state(played.state.dump())

        step = advance(played.graph, state, [outcome(played.graph, "r2")], now=NOW)

        assert [command for command in step.commands if isinstance(command, Respond)] == []


class TestUntil:
    """A run that goes no further than a node: exactly that node and what leads to it."""

    DRAWING = "start -> a -> b -> c, start -> d -> c, a -> e"

    @pytest.mark.parametrize(
        ("until", "ran"), [("start", "start"), ("b", "a b start"), ("c", "a b c d start"), ("e", "a e start")]
    )
    def test_runs_the_node_and_what_leads_to_it(self, until: str, ran: str) -> None:
        played = play(graph_of(self.DRAWING), until=until)

        assert (sorted(played.ran), played.state.status) == (ran.split(), RunStatus.COMPLETED)

    @pytest.mark.parametrize("until", ["start", "b", "c", "e"])
    def test_output_of_the_node_is_the_runs(self, until: str) -> None:
        played = play(graph_of(self.DRAWING), until=until)

        assert played.close is not None
        assert (played.close.outputs_of, played.close.named) == ((until,), False)

    @pytest.mark.parametrize(("until", "named"), [("b", False), ("out2", True)])
    def test_output_nodes_before_it_are_not_the_runs(self, until: str, named: bool) -> None:
        played = play(graph_of("start -> out -> b -> out2 -> out3"), until=until)

        assert played.close is not None
        assert (played.close.outputs_of, played.close.named) == ((until,), named)

    def test_node_that_was_skipped_has_no_output(self) -> None:
        """Nor has any that ended before it."""
        played = play(graph_of("start -> if, if:true -> a -> b, if:false -> c"), {"if": Port("false")}, until="a")

        assert played.close is not None
        assert (played.ran, played.close.outputs_of) == (["start", "if"], ())

    def test_failure_before_it_is_the_runs(self) -> None:
        played = play(graph_of("start -> a -> b -> c"), {"a": Boom()}, until="b")

        assert played.close is not None
        assert (played.state.status, played.close.outputs_of) == (RunStatus.FAILED, ())

    def test_it_is_known_after_a_restart(self) -> None:
        graph = graph_of(self.DRAWING)
        state = core.load_state(start(graph, entry="start", until="start", now=NOW).state.dump())

        [close] = advance(graph, state, [outcome(graph, "start")], now=NOW).commands

        assert isinstance(close, CloseRun)
        assert close.outputs_of == ("start",)

    def test_bodies_of_containers_run_whole(self) -> None:
        played = play(graph_of("start -> loop -> z, loop:body -> a -> b"), until="loop")

        assert played.ran == ["start", *[f"loop[{index}]/{node}" for index in range(2) for node in "ab"]]
        assert (played.close and played.close.outputs_of) == ("loop",)
