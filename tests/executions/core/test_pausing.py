from __future__ import annotations

from datetime import timedelta
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from executions.core import (
    ChildMoved,
    Delegated,
    EventType,
    NotHeld,
    NotPausable,
    RunStatus,
    advance,
    cancel,
    hold,
    load_state,
    release,
    start,
)
from tests.executions.core.play import NOW, Again, Boom, Late, Played, Port, Waits, graph_of, outcome, play
from tests.executions.core.scripts import Run, runs
from tests.executions.core.test_properties import end_of, never_stopping

AT_LEISURE = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
PAUSED, RUNNING = RunStatus.PAUSED, RunStatus.RUNNING


class TestWaiting:
    def test_run_pauses_when_nothing_else_moves(self) -> None:
        played = Played(graph_of("start -> h -> j, start -> a -> j"), {"h": Waits()}).report("start").report("h")
        assert (played.state.status, played.statuses["h"]) == (RUNNING, "waiting")

        played.report("a")

        assert (played.state.status, played.state.paused_at) == (PAUSED, NOW)
        assert played.events[-2:] == [EventType.NODE_COMPLETED, EventType.EXECUTION_PAUSED]

    def test_answer_lets_it_go_on(self) -> None:
        played = Played(graph_of("start -> h -> b"), {"h": Waits()}).report("start").report("h")

        played.answer("h")

        assert (played.state.status, played.state.paused_at, played.out) == (RUNNING, None, ["b"])
        assert played.events[-2:] == [EventType.EXECUTION_RESUMED, EventType.NODE_COMPLETED]

    def test_answer_that_moves_nothing_leaves_it_paused(self) -> None:
        graph = graph_of("start -> h1 -> j, start -> h2 -> j")
        played = Played(graph, {"h1": Waits(), "h2": Waits()}).report("start").report("h1", "h2")

        played.answer("h2")

        assert (played.state.status, played.events[-1]) == (PAUSED, EventType.NODE_COMPLETED)

    def test_run_may_end_with_an_answer(self) -> None:
        played = Played(graph_of("start -> h"), {"h": Waits()}).report("start").report("h").answer("h")

        assert played.state.status is RunStatus.COMPLETED
        assert played.events[-3:] == [
            EventType.EXECUTION_RESUMED,
            EventType.NODE_COMPLETED,
            EventType.EXECUTION_COMPLETED,
        ]

    def test_expired_pause_takes_its_timeout_edge_and_no_other(self) -> None:
        graph = graph_of("start -> h -> ok, h:timeout -> late", types={"start": "trigger", "h": "humanReview"})

        played = play(graph, {"h": Waits(Late())})

        assert played.statuses == {"start": "completed", "h": "completed", "ok": "skipped", "late": "completed"}

    def test_expired_pause_at_the_end_of_a_branch_is_an_output(self) -> None:
        """Its success edge is drawn, and not taken."""
        graph = graph_of("start -> h -> ok", types={"start": "trigger", "h": "humanReview"})

        played = play(graph, {"h": Waits(Late())})

        assert played.close is not None
        assert played.close.outputs_of == ("h",)

    def test_node_between_two_attempts_keeps_it_running(self) -> None:
        answers = {"h": Waits(), "a": [Again(), None]}
        played = Played(graph_of("start -> h, start -> a"), answers).report("start").report("h", "a")

        assert played.state.status is RUNNING

    def test_duplicate_of_an_answer_changes_nothing(self) -> None:
        graph = graph_of("start -> h -> b")
        played = Played(graph, {"h": Waits()}).report("start").report("h").answer("h")
        before = played.state

        played.fold(outcome(graph, "h"))

        assert (played.state, len(played.steps[-1].stale)) == (before, 1)

    def test_state_of_a_paused_run_is_written_down_and_read_back(self) -> None:
        played = Played(graph_of("start -> h"), {"h": Waits()}).report("start").report("h").hold()

        assert load_state(played.state.dump()) == played.state


class TestDeadline:
    GRAPH = graph_of("start -> h -> b", settings={"timeout": 60_000})

    def test_it_stands_still_while_the_run_is_paused(self) -> None:
        state = Played(self.GRAPH, {"h": Waits()}).report("start").report("h").state
        assert state.ends_at(60_000) is None
        later = NOW + timedelta(hours=5)

        step = advance(self.GRAPH, state, [outcome(self.GRAPH, "h")], now=later)

        assert (step.state.status, step.state.paused_ms) == (RUNNING, 5 * 3_600_000)
        assert step.state.ends_at(60_000) == later + timedelta(minutes=1)

    def test_looking_at_a_paused_run_does_not_end_it(self) -> None:
        state = Played(self.GRAPH, {"h": Waits()}).report("start").report("h").state

        assert advance(self.GRAPH, state, [], now=NOW + timedelta(hours=5)).state == state


class TestFailing:
    """A run with an unhandled failure never pauses; what waits is withdrawn with it."""

    @pytest.mark.parametrize("on_failure", ["stop", "finish-branches"])
    def test_failing_run_does_not_wait(self, on_failure: str) -> None:
        graph = graph_of("start -> h -> x, start -> bad", settings={"onFailure": on_failure})
        played = Played(graph, {"h": Waits(), "bad": Boom()}).report("start").report("h").report("bad")

        assert (played.state.status, played.statuses["h"]) == (RunStatus.FAILED, "cancelled")

    def test_under_finish_branches_it_waits_for_what_moves(self) -> None:
        graph = graph_of("start -> h, start -> bad, start -> slow", settings={"onFailure": "finish-branches"})
        played = Played(graph, {"h": Waits(), "bad": Boom()}).report("start").report("h", "bad")
        assert played.close is None

        played.report("slow")

        assert played.state.status is RunStatus.FAILED

    @pytest.mark.parametrize("on_failure", ["stop", "finish-branches"])
    def test_what_waits_inside_a_container_is_not_waited_for_either(self, on_failure: str) -> None:
        drawing = "start -> par -> z, start -> bad, par:body -> loop, loop:body -> h"
        graph = graph_of(drawing, settings={"onFailure": on_failure})
        played = Played(graph, {"h": Waits(), "bad": Boom()}).report("start")
        played.report(*(visit for visit in list(played.out) if visit.endswith("h")))
        assert played.state.status is RUNNING

        played.report("bad")

        assert played.state.status is RunStatus.FAILED

    def test_body_that_fails_withdraws_what_waits_below_it(self) -> None:
        """The loop's iteration fails although a container within it waits; the loop's failure is handled."""
        drawing = "start -> loop -> z, loop:error -> e, loop:body -> par, loop:body -> bad, par:body -> h"
        graph = graph_of(drawing, settings={"onFailure": "finish-branches"})
        played = Played(graph, {"h": Waits(), "bad": Boom()}).report("start")
        played.report(*(visit for visit in list(played.out) if visit.endswith("h")))

        played.report("loop[0]/bad")

        assert played.out == ["e"]
        assert sorted(played.withdrawn) == ["loop[0]/par", "loop[0]/par[0]/h", "loop[0]/par[1]/h"]
        assert (set(played.state.scopes), played.state.frames) == ({""}, {})

    def test_withdrawing_is_told_of_each_visit(self) -> None:
        """No other event tells that nobody waits there any more."""
        drawing = "start -> par -> z, par:error -> e, par:body -> if, if:true -> h, if:false -> bad"
        answers = {"par[0]/if": Port("true"), "par[1]/if": Port("false"), "h": Waits(), "bad": Boom()}
        played = Played(graph_of(drawing), answers).report("start").report("par[0]/if", "par[1]/if")

        played.report("par[0]/h").report("par[1]/bad")

        told = [event for step in played.steps for event in step.events if event.type == "node:cancelled"]
        assert [(event.scope, event.node_id) for event in told] == [("par[0]", "h")]

    def test_branch_that_is_stopped_withdraws_its_own_and_the_run_goes_on(self) -> None:
        drawing = "start -> par, par:error -> e, start -> h2, par:body -> if, if:true -> h, if:false -> bad"
        answers = {"par[0]/if": Port("true"), "par[1]/if": Port("false"), "h": Waits(), "h2": Waits(), "bad": Boom()}
        played = Played(graph_of(drawing), answers).report("start").report("par[0]/if", "par[1]/if", "h2")

        played.report("par[0]/h").report("par[1]/bad")

        assert (played.withdrawn, played.waiting) == (["par[0]/h"], ["h2"])
        played.report("e")
        assert (played.state.status, played.statuses["h2"]) == (PAUSED, "waiting")

    def test_cancelled_run_withdraws_what_it_waits_for(self) -> None:
        graph = graph_of("start -> h -> b")
        state = Played(graph, {"h": Waits()}).report("start").report("h").state

        step = cancel(graph, state, [], reason="enough", now=NOW)

        assert (step.state.status, step.state.is_waiting()) == (RunStatus.CANCELLED, False)


class TestHold:
    def test_what_is_out_finishes_and_nothing_new_starts(self) -> None:
        played = Played(graph_of("start -> a -> b, start -> c")).report("start").hold()
        assert (played.state.status, played.state.lets_go_on()) == (RUNNING, False)

        played.report("a", "c")

        assert (played.state.status, played.statuses["b"], played.out) == (PAUSED, "pending", [])
        assert played.release().out == ["b"]

    def test_queue_waits_for_the_release(self) -> None:
        graph = graph_of("start -> a, start -> b", settings={"maxConcurrentNodes": 1})
        played = Played(graph).report("start").hold().report("a")
        assert (played.state.status, played.out) == (PAUSED, [])

        assert played.release().out == ["b"]

    def test_run_may_be_held_before_it_begins(self) -> None:
        graph = graph_of("start -> a")
        step = start(graph, entry="start", held=True, now=NOW)
        assert (step.state.status, step.commands) == (PAUSED, ())

        released = release(graph, step.state, now=NOW)

        assert released.state.status is RUNNING
        assert [command.node_id for command in advance(graph, released.state, [], now=NOW).commands] == ["start"]  # type: ignore[union-attr]

    def test_nothing_is_skipped_meanwhile(self) -> None:
        graph = graph_of("start -> if, if:true -> a, if:false -> b")
        played = Played(graph, {"if": Port("true")}).report("start").hold().report("if")
        assert played.skipped == []

        played.release()

        assert (played.skipped, played.out) == (["b"], ["a"])

    def test_release_of_a_run_that_nobody_held_is_refused(self) -> None:
        graph = graph_of("start -> h")
        state = Played(graph, {"h": Waits()}).report("start").report("h").state

        with pytest.raises(NotHeld):
            release(graph, state, now=NOW)

    def test_run_that_is_over_is_not_held(self) -> None:
        graph = graph_of("start")

        with pytest.raises(NotPausable):
            hold(graph, play(graph).state, now=NOW)

    def test_held_again_before_anybody_looked_it_stays_paused(self) -> None:
        graph = graph_of("start -> a -> b")
        played = Played(graph).report("start").hold().report("a")
        state = hold(graph, release(graph, played.state, now=NOW).state, now=NOW).state

        assert (state.status, state.was_released) == (PAUSED, False)

    def test_run_that_has_been_waiting_tells_that_it_is_held(self) -> None:
        """Once: it is paused already, and now somebody wants it to be."""
        played = Played(graph_of("start -> h"), {"h": Waits()}).report("start").report("h")

        played.hold().hold()

        paused = [event.data for step in played.steps for event in step.events if event.type == "execution:paused"]
        assert paused == [{"reason": "waiting"}, {"reason": "requested"}]

    def test_retry_that_falls_due_waits_for_the_release(self) -> None:
        played = Played(graph_of("start -> a"), {"a": [Again(), None]}).report("start").report("a").hold()
        assert played.state.status is PAUSED

        played.fall_due("a")
        assert (played.state.status, played.out) == (PAUSED, [])

        assert played.release().out == ["a"]


class TestChildren:
    GRAPH = graph_of("start -> call -> z", types={"start": "trigger"})

    def paused(self) -> Played:
        played = Played(self.GRAPH).report("start")
        played.out.remove("call")
        played.fold(Delegated(node_id="call", scope="", started_at=NOW))
        return played.fold(ChildMoved(node_id="call", scope="", is_paused=True))

    def test_child_that_pauses_pauses_its_parent(self) -> None:
        assert (self.paused().state.status, self.paused().statuses["call"]) == (PAUSED, "running")

    def test_child_that_goes_on_lets_its_parent_go_on(self) -> None:
        played = self.paused().fold(ChildMoved(node_id="call", scope="", is_paused=False))

        assert played.state.status is RUNNING

    def test_child_that_ends_meanwhile_is_its_outcome(self) -> None:
        played = self.paused().fold(outcome(self.GRAPH, "call"))

        assert (played.state.status, played.out) == (RUNNING, ["z"])


class Interrupted(Played):
    """Held and released at random; in between, everybody out reports."""

    order: Random

    def fold(self, *outcomes):  # type: ignore[no-untyped-def]
        super().fold(*outcomes)
        if self.close is None and not self.state.held and self.order.random() < 0.3:
            self.hold()
            while self.close is None and self.out and self.order.random() < 0.8:
                self.report(self.out[0])
            if self.close is None:
                self.release()
        return self


@AT_LEISURE
@given(run=runs(failures=True, waits=False), seed=st.integers(0, 2**32))
def test_result_does_not_depend_on_who_holds_it_when(run: Run, seed: int) -> None:
    graph = never_stopping(run[0])
    Interrupted.order = Random(seed)

    held, free = Interrupted(graph, run[1]).to_end(order=Random(seed)), play(graph, run[1])

    assert end_of(held) | {"error": None} == end_of(free) | {"error": None}


@AT_LEISURE
@given(run=runs(failures=True))
def test_run_is_paused_exactly_while_nothing_moves(run: Run) -> None:
    played = Played(*run)
    while played.close is None:
        assert (played.state.status is PAUSED) == (not played.out and not played.due and bool(played.waiting))
        if played.out:
            played.report(played.out[0])
        elif played.due:
            played.fall_due(played.due[0])
        else:
            played.answer(played.waiting[0])
    assert played.waiting == []
