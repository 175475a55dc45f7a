from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executions.core import (
    CloseRun,
    EventType,
    NotCancellable,
    RunNode,
    RunStatus,
    advance,
    cancel,
    lay_out,
    start,
)
from handlers.values import LARGEST_SUMMAND
from tests.executions.core.play import NOW, Again, Boom, Played, Port, Write, graph_of, outcome, play
from tests.strategies import plans
from workflows.core import Plan

T, F = Port("true"), Port("false")


def runnable(step: Any) -> list[str]:
    return [command.node_id for command in step.commands if isinstance(command, RunNode)]


@pytest.mark.parametrize(
    ("drawing", "answers", "ran", "skipped"),
    [
        ("start -> a -> b", {}, "start a b", ""),  # a straight line
        ("start -> a -> d, start -> b -> d", {}, "start a b d", ""),  # a join runs once
        ("start -> if, if:true -> a, if:false -> b", {"if": T}, "start if a", "b"),  # one port
        ("start -> if, if:true -> a -> c, if:false -> b -> c", {"if": F}, "start if b c", "a"),  # dead into a join
        ("start -> if, if:true -> a -> b -> c -> d, if:false -> d", {"if": F}, "start if d", "a b c"),  # any depth
        ("start -> if, if:true -> a, if:false -> b -> c", {"if": T}, "start if a", "b c"),  # all dead: skipped in turn
        ("start -> if, if:true -> a, if -> b", {"if": F}, "start if b", "a"),  # success edge beside ports
        ("start -> switch, switch:x -> a, switch:y -> a", {"switch": Port("y")}, "start switch a", ""),  # two ports, once
        ("start -> switch, switch:x -> a", {"switch": Port("z")}, "start switch", "a"),  # no match, no default
        ("start -> a, a:error -> h", {}, "start a", "h"),  # success kills the error edge
        ("start -> a -> b, a:error -> h", {"a": Boom()}, "start a h", "b"),  # failure takes it
        ("start -> a -> c, start -> b -> c, a:error -> h, b:error -> h", {"a": Boom()}, "start a b c h", ""),
        ("start -> a -> c, start -> b -> c, a:error -> h, b:error -> h", {}, "start a b c", "h"),  # a shared handler
    ],
)  # fmt: skip
def test_run_follows_taken_edges(drawing: str, answers: dict[str, Any], ran: str, skipped: str) -> None:
    """A node runs once, when no incoming edge is unknown and one is taken; with all dead it is skipped."""
    played = play(graph_of(drawing), answers)

    assert sorted(played.ran) == sorted(ran.split())
    assert [node for node, status in played.statuses.items() if status == "skipped"] == sorted(skipped.split())
    assert played.state.status is RunStatus.COMPLETED


def test_join_with_two_live_parents_waits_for_both() -> None:
    graph = graph_of("start -> a -> d, start -> b -> d")
    step = advance(graph, start(graph, entry="start", now=NOW).state, [outcome(graph, "start")], now=NOW)

    first = advance(graph, step.state, [outcome(graph, "b")], now=NOW)
    second = advance(graph, first.state, [outcome(graph, "a")], now=NOW)

    assert (runnable(step), runnable(first), runnable(second)) == (["a", "b"], [], ["d"])


def test_join_whose_dead_input_dies_last_still_runs() -> None:
    """The live input arrives first, the other dies two hops later: the join must be looked at again."""
    graph = graph_of("start -> live -> d, start -> if, if:true -> x -> y -> d, if:false -> z")

    played = play(graph, {"if": F}, hold=["if"])

    assert "d" in played.ran
    assert played.statuses["y"] == "skipped"


def test_two_edges_between_a_pair_count_as_one() -> None:
    played = play(graph_of("start -> a, start -> a, a -> b"))

    assert played.ran == ["start", "a", "b"]


def test_disabled_node_passes_on() -> None:
    played = play(graph_of("start -> a -> b -> c", nodes={"b": {"disabled": True}}))

    assert played.ran == ["start", "a", "c"]
    assert played.statuses["b"] == "skipped"


def test_disabled_conditional_takes_no_port() -> None:
    """Its success edges count as taken; ports and error are dead."""
    drawing = "start -> if, if:true -> a, if:false -> b, if:error -> c, if -> d"
    played = play(graph_of(drawing, nodes={"if": {"disabled": True}}))

    assert played.ran == ["start", "d"]


def test_disabled_node_behind_dead_edges_is_dead() -> None:
    drawing = "start -> if, if:true -> a -> b, if:false -> c"
    played = play(graph_of(drawing, nodes={"a": {"disabled": True}}), {"if": F})

    assert played.ran == ["start", "if", "c"]
    assert played.statuses["b"] == "skipped"


class TestUnhandledFailure:
    def test_stop_lets_what_is_out_finish_and_starts_nothing(self) -> None:
        graph = graph_of("start -> a -> a2, start -> b")
        step = advance(graph, start(graph, entry="start", now=NOW).state, [outcome(graph, "start")], now=NOW)

        failed = advance(graph, step.state, [outcome(graph, "a", Boom("first"))], now=NOW)
        ended = advance(graph, failed.state, [outcome(graph, "b")], now=NOW)

        assert (failed.commands, runnable(ended)) == ((), [])
        assert isinstance(ended.commands[0], CloseRun)
        assert ended.commands[0].status is RunStatus.FAILED
        assert ended.commands[0].error is not None
        assert ended.commands[0].error["message"] == "first"
        assert ended.commands[0].outputs_of == ("b",)

    def test_what_never_started_is_cancelled(self) -> None:
        played = play(graph_of("start -> a -> b -> c"), {"a": Boom()})

        assert played.statuses == {"start": "completed", "a": "failed", "b": "cancelled", "c": "cancelled"}

    def test_finish_branches_runs_what_does_not_depend_on_it(self) -> None:
        drawing = "start -> a -> a2 -> j, start -> b -> b2 -> j"
        graph = graph_of(drawing, settings={"onFailure": "finish-branches"})

        played = play(graph, {"a": Boom()})

        assert sorted(played.ran) == ["a", "b", "b2", "start"]
        assert played.state.status is RunStatus.FAILED

    def test_first_of_several_is_the_runs_error(self) -> None:
        graph = graph_of("start -> a, start -> b", settings={"onFailure": "finish-branches"})

        played = play(graph, {"a": Boom("a"), "b": Boom("b")})

        assert played.close is not None
        assert played.close.error is not None
        assert played.close.error["message"] == "a"


@pytest.mark.parametrize("strategy", ["continue", "fallback"])
def test_on_error_that_makes_an_output_takes_the_success_edge(strategy: str) -> None:
    on_error = {"strategy": strategy, "fallbackValue": 7}
    played = play(graph_of("start -> a -> b", nodes={"a": {"onError": on_error}}), {"a": Boom()})

    assert played.ran == ["start", "a", "b"]
    assert played.state.status is RunStatus.COMPLETED


def test_goto_is_an_error_edge_that_is_not_drawn() -> None:
    on_error = {"strategy": "goto", "gotoNode": "h"}
    graph = graph_of("start -> a -> b, start -> c -> h", nodes={"a": {"onError": on_error}})

    played = play(graph, {"a": Boom()})

    assert sorted(played.ran) == ["a", "c", "h", "start"]
    assert played.statuses["b"] == "skipped"


class TestCap:
    def test_no_more_than_the_cap_is_out(self) -> None:
        graph = graph_of("start -> a, start -> b, start -> c, start -> d", settings={"maxConcurrentNodes": 2})
        step = advance(graph, start(graph, entry="start", now=NOW).state, [outcome(graph, "start")], now=NOW)

        after = advance(graph, step.state, [outcome(graph, "b")], now=NOW)

        assert (runnable(step), runnable(after)) == (["a", "b"], ["c"])

    def test_queued_nodes_do_not_keep_a_failed_run_open(self) -> None:
        graph = graph_of("start -> a, start -> b, start -> c", settings={"maxConcurrentNodes": 1})

        played = play(graph, {"a": Boom()})

        assert played.ran == ["start", "a"]
        assert played.statuses["c"] == "cancelled"


class TestEntries:
    def test_other_triggers_tree_takes_no_part_not_even_in_joins(self) -> None:
        graph = graph_of("start -> a -> j, start2 -> b -> j", entryPoint="start")

        played = play(graph, entry="start2")

        assert sorted(played.ran) == ["b", "j", "start2"]
        assert played.state.status is RunStatus.COMPLETED

    def test_input_roots_take_part_whatever_the_entry(self) -> None:
        graph = graph_of("start -> a -> j, in -> j")

        assert sorted(play(graph).ran) == ["a", "in", "j", "start"]


class TestStale:
    def test_second_delivery_of_an_outcome_changes_nothing(self) -> None:
        graph = graph_of("start -> a -> b")
        one = outcome(graph, "start")
        step = advance(graph, start(graph, entry="start", now=NOW).state, [one], now=NOW)

        again = advance(graph, step.state, [one], now=NOW)

        assert (again.state, again.commands, again.events, again.stale) == (step.state, (), (), (one,))

    @pytest.mark.parametrize("answer", [None, Boom(), Again()])
    def test_outcome_of_an_attempt_that_was_followed_by_another_changes_nothing(self, answer: Any) -> None:
        graph = graph_of("start -> a -> b")
        played = Played(graph, {"a": Again()}).report("start").report("a").fall_due("a")
        late = outcome(graph, "a", answer, attempt=1)

        step = advance(graph, played.state, [late], now=NOW)

        assert (step.state, step.commands, step.stale) == (played.state, (), (late,))

    def test_final_states_are_final(self) -> None:
        played = play(graph := graph_of("start -> a"))
        late = outcome(graph, "a", Boom())

        step = advance(graph, played.state, [late], now=NOW)

        assert (step.state, step.stale) == (played.state, (late,))


class TestCancel:
    def test_cancels_what_is_out_and_keeps_outputs(self) -> None:
        graph = graph_of("start -> a -> b")
        step = advance(graph, start(graph, entry="start", now=NOW).state, [outcome(graph, "start")], now=NOW)

        ended = cancel(graph, step.state, [], reason="enough", now=NOW + timedelta(seconds=2))

        assert ended.state.status is RunStatus.CANCELLED
        assert ended.events[-1].type is EventType.EXECUTION_CANCELLED
        assert ended.events[-1].data == {"reason": "enough", "duration_ms": 2000}
        assert [command.outputs_of for command in ended.commands if isinstance(command, CloseRun)] == [()]

    def test_outcome_that_is_in_already_counts(self) -> None:
        """Its event is told, its output is kept: the record and the run agree."""
        graph = graph_of("start -> a -> b")
        step = advance(graph, start(graph, entry="start", now=NOW).state, [outcome(graph, "start")], now=NOW)

        ended = cancel(graph, step.state, [outcome(graph, "a")], reason="", now=NOW)

        assert [event.type for event in ended.events] == [EventType.NODE_COMPLETED, EventType.EXECUTION_CANCELLED]

    def test_of_a_run_that_is_over_is_refused(self) -> None:
        played = play(graph := graph_of("start -> a"))

        with pytest.raises(NotCancellable, match="completed"):
            cancel(graph, played.state, [], reason="", now=NOW)


@pytest.mark.parametrize(
    ("writes", "value"),
    [
        ([("value", 5)], 5),  # set
        ([("increment", 2), ("increment", 3)], 6),  # added to the initial 1
        ([("value", [1]), ("append", 2)], [1, 2]),
        ([("append", "x")], ["x"]),  # what is no list starts one
    ],
)
def test_writes_change_variables_in_the_order_of_folding(writes: list[tuple[str, Any]], value: Any) -> None:
    graph = graph_of("start -> a -> b", variables={"v": 1})

    played = play(graph, {node: Write("v", *write) for node, write in zip("ab", writes, strict=False)})

    assert played.state.variables == {"v": value}


@pytest.mark.parametrize("initial", [0, LARGEST_SUMMAND, 10**300, -0.5])
def test_increments_that_may_be_written_add_up_to_a_number(initial: float) -> None:
    """A state that is not JSON could not be stored, and its run would go no further."""
    steps = [10**300, 0.5, LARGEST_SUMMAND, -1] * 50
    graph = graph_of(" -> ".join(f"n{place}" for place in range(len(steps))), variables={"v": initial})

    played = play(graph, {f"n{place}": Write("v", "increment", step) for place, step in enumerate(steps)})

    json.dumps(played.state.dump(), allow_nan=False)
    assert played.state.variables["v"] == pytest.approx(initial + 1e302)


def test_events_tell_the_whole_story_in_order() -> None:
    played = play(graph_of("start -> if, if:true -> a, if:false -> b"), {"if": T})

    assert played.events == [
        EventType.NODE_COMPLETED,
        EventType.NODE_COMPLETED,
        EventType.NODE_SKIPPED,
        EventType.NODE_COMPLETED,
        EventType.EXECUTION_COMPLETED,
    ]


def test_unannounced_outcome_brings_its_start_event() -> None:
    graph = graph_of("start -> a")
    quiet = outcome(graph, "start")
    loud = replace(quiet, announced=False)

    step = advance(graph, start(graph, entry="start", now=NOW).state, [loud], now=NOW)

    assert [event.type for event in step.events] == [EventType.NODE_STARTED, EventType.NODE_COMPLETED]


@given(plan=plans(), order=st.randoms(use_true_random=False), data=st.data())
def test_result_does_not_depend_on_who_reports_first(plan: Plan, order: Random, data: st.DataObject) -> None:
    """While every failure has an error edge: an unhandled one cancels whatever is late."""
    graph = lay_out(plan)
    answers = data.draw(scripts(graph))

    slow, fast = play(graph, answers, order=order), play(graph, answers)

    assert slow.statuses == fast.statuses
    assert slow.close == fast.close
    assert sorted(slow.ran) == sorted(fast.ran)


@given(plan=plans(), order=st.randoms(use_true_random=False), data=st.data())
def test_every_run_ends_with_every_node_decided(plan: Plan, order: Random, data: st.DataObject) -> None:
    graph = lay_out(plan)

    played = play(graph, data.draw(scripts(graph, failures=True)), order=order)

    assert len(played.ran) == len(set(played.ran))
    members = {graph.top.nodes[place].id for place in graph.members(plan.entry)}
    assert {played.statuses[node] for node in members} <= {"completed", "failed", "skipped", "cancelled"}


def scripts(graph: Any, *, failures: bool = False) -> st.SearchStrategy[dict[str, Any]]:
    """An answer for every node: one of its ports, and a failure where it is handled (or anywhere)."""
    answers = {}
    for node in graph.plan.nodes:
        ports = {arc.port for arc in graph.top.out[graph.top.position[node.id]] if arc.port}
        choices: list[Any] = [Port(port) for port in sorted(ports)] or [None]
        if failures or graph.has_error_edge(node.id):
            choices.append(Boom(node.id))
        answers[node.id] = st.sampled_from(choices)
    return st.fixed_dictionaries(answers)
