from __future__ import annotations

from collections.abc import Iterable, Mapping
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from executions.core import BadStart, BadVersion, EndedRun, Graph, Kept, NextRun, kept_by_rerun, kept_by_retry, start
from executions.core.scopes import TOP
from executions.core.state import COMPLETED, HANDLED, PASSED
from handlers import VariableWrite
from tests.executions.core.play import NOW, Again, Boom, Played, Port, Waits, graph_of, play
from tests.executions.core.scripts import Run, runs

IF = "start -> if, if:true -> x -> j, if:false -> y -> j, j -> z"


def ended(played: Played) -> EndedRun:
    return EndedRun(graph=played.graph, top=played.state.scopes[TOP])


def ahead(graph: Graph, *, entry: str | None = None, until: str | None = None) -> NextRun:
    return NextRun(graph=graph, entry=entry or graph.plan.entry, until=until)


def rerun(
    before: Played, from_node: str, *, on: Graph | None = None, until: str | None = None, **more: Any
) -> dict[str, Kept]:
    return kept_by_rerun(ended(before), ahead(on or before.graph, until=until, **more), from_node=from_node, now=NOW)


def retry(before: Played, *, on: Graph | None = None) -> dict[str, Kept]:
    return kept_by_retry(ended(before), ahead(on or before.graph), now=NOW)


def at_top(played: Played) -> set[str]:
    """Its top-level nodes that ran."""
    return {visit for visit in (*played.ran, *played.opened) if "/" not in visit}


class TestRerun:
    @pytest.mark.parametrize(
        ("drawing", "answers", "from_node", "kept"),
        [
            ("start -> a -> j, start -> b -> j", {}, "a", {"start", "b"}),
            ("start -> a -> b", {}, "start", set()),
            ("start -> a -> b", {}, "b", {"start", "a"}),
            ("start -> a -> loop -> z, loop:body -> x", {}, "loop", {"start", "a"}),
            ("start -> loop -> z, loop:body -> x", {}, "z", {"start", "loop"}),
            (IF, {"if": Port("false")}, "j", {"start", "if", "y"}),
            (IF, {"if": Port("false")}, "if", {"start"}),
            ("start -> a, a:error -> h -> z", {"a": Boom()}, "z", {"start", "a", "h"}),
            ("start -> a -> z, start -> b", {"b": Boom()}, "z", {"start", "a"}),  # b failed: there is nothing to keep
        ],
    )
    def test_all_that_is_not_downstream_is_kept(
        self, drawing: str, answers: dict[str, Any], from_node: str, kept: set[str]
    ) -> None:
        before = play(graph_of(drawing), answers, hold=["b"])

        assert rerun(before, from_node).keys() == kept

    def test_dead_paths_stay_dead(self) -> None:
        """The port that a condition chose is kept with it."""
        before = play(graph_of(IF), {"if": Port("false")})

        again = Played(before.graph, kept=rerun(before, "j")).to_end()

        assert (again.ran, again.skipped, again.statuses) == (["j", "z"], ["x"], before.statuses)

    def test_failure_that_was_handled_is_kept_as_such(self) -> None:
        before = play(graph_of("start -> a -> b, a:error -> h -> z"), {"a": Boom()})

        kept = rerun(before, "h")
        again = Played(before.graph, kept=kept).to_end()

        assert kept == {"start": Kept(mark=COMPLETED), "a": Kept(mark=HANDLED)}
        assert (again.ran, again.statuses) == (["h", "z"], before.statuses)

    def test_kept_node_tells_nothing_of_itself(self) -> None:
        """What happened in the run before is no news of this one."""
        before = play(graph_of("start -> a -> b"))

        again = Played(before.graph, kept=rerun(before, "b")).to_end()

        assert {event.node_id for step in again.steps for event in step.events} == {"b", None}

    def test_failed_branch_beside_it_runs_again(self) -> None:
        """There is nothing of it to keep, and without it the run could but fail."""
        graph = graph_of("start -> a -> z, start -> b -> c")
        before = play(graph, {"b": Boom()}, hold=["b"])

        again = Played(graph, kept=rerun(before, "z")).to_end()

        assert sorted(again.ran) == ["b", "c", "z"]

    def test_response_that_was_given_is_not_given_again(self) -> None:
        """Who waited for it has it; of those that run again, the first answers."""
        types = {"start": "trigger", "r": "response", "s": "response"}
        before = play(graph_of("start -> r -> s", types=types))

        again = Played(before.graph, kept=rerun(before, "s"))

        assert not again.state.has_responded
        assert again.to_end().state.has_responded

    @pytest.mark.parametrize(
        ("from_node", "why"),
        [
            ("ghost", "'ghost' is not a node of the version that ran"),
            ("b", "'b' is inside the body of 'par'; begin at 'loop'"),
            ("start2", "'start2' took no part in the run"),
            ("x", "'x' was skipped: it is behind a dead path"),
            ("x2", "'x2' was skipped: it is behind a dead path"),
            ("late", "'late' was not reached: no edge to it was taken"),
        ],
    )
    def test_node_that_did_not_have_its_turn_is_refused(self, from_node: str, why: str) -> None:
        """By name, and with the reason."""
        drawing = (
            "start -> if, if:true -> x -> x2, if:false -> loop -> bad -> late, loop:body -> par, par:body -> b, "
            "start2 -> late"
        )
        before = play(graph_of(drawing, entryPoint="start"), {"if": Port("false"), "bad": Boom()})

        with pytest.raises(BadStart) as refused:
            rerun(before, from_node)

        assert (str(refused.value), refused.value.node_id) == (why, from_node)

    @pytest.mark.parametrize("hold", ["a", "b"])
    def test_node_whose_turn_it_was_when_the_run_ended_is_no_refusal(self, hold: str) -> None:
        """One edge to the join was taken; what the other one waits for runs as well."""
        before = play(graph_of("start -> a -> j, start -> b -> c -> j"), {"b": Boom()}, hold=[hold])

        again = Played(before.graph, kept=rerun(before, "j" if hold == "b" else "a")).to_end()

        assert sorted(again.ran) == (["b", "c", "j"] if hold == "b" else ["a", "b", "c", "j"])

    def test_disabled_node_is_no_refusal(self) -> None:
        """It passes on, and what follows it runs. Perhaps it is enabled in the version that runs now."""
        drawing = "start -> a -> b -> c"
        before = play(graph_of(drawing, nodes={"b": {"disabled": True}}))

        assert rerun(before, "b").keys() == rerun(before, "b", on=graph_of(drawing)).keys() == {"start", "a"}

    def test_node_must_lead_to_where_the_run_stops(self) -> None:
        before = play(graph_of("start -> a, start -> b -> c"))

        assert rerun(before, "b", until="c").keys() == {"start"}
        with pytest.raises(BadStart, match=r"^'a' does not lead to 'c'$"):
            rerun(before, "a", until="c")

    def test_run_that_nobody_looked_at_keeps_nothing(self) -> None:
        graph = graph_of("start -> a")
        blank = EndedRun(graph=graph, top=None)

        assert kept_by_rerun(blank, ahead(graph), from_node="start", now=NOW) == {}
        assert kept_by_retry(blank, ahead(graph), now=NOW) == {}
        with pytest.raises(BadStart, match="was not reached"):
            kept_by_rerun(blank, ahead(graph), from_node="a", now=NOW)


class TestAnotherVersion:
    def test_node_drawn_in_between_runs_with_all_that_follows_it(self) -> None:
        """No output is kept that would have been made of another one now."""
        before = play(graph_of("start -> a -> b -> c, start -> z"))
        newer = graph_of("start -> a -> new -> b -> c, start -> z")

        kept = rerun(before, "z", on=newer)

        assert kept.keys() == {"start", "a"}
        assert sorted(Played(newer, kept=kept).to_end().ran) == ["b", "c", "new", "z"]

    def test_node_of_another_type_runs(self) -> None:
        """It has the name only of the one that ran."""
        before = play(graph_of("start -> a -> b -> c"))

        assert rerun(before, "c", on=graph_of("start -> a -> b -> c", types={"a": "call"})).keys() == {"start"}

    def test_failure_whose_edge_is_gone_is_tried_again(self) -> None:
        before = play(graph_of("start -> a, a:error -> h, start -> z"), {"a": Boom()})

        assert rerun(before, "z", on=graph_of("start -> a -> h, start -> z")).keys() == {"start"}

    def test_node_that_is_disabled_now_is_not_kept(self) -> None:
        """It is skipped, as in every run of that version."""
        before = play(graph_of("start -> a -> b"))
        newer = graph_of("start -> a -> b", nodes={"a": {"disabled": True}})

        kept = rerun(before, "b", on=newer)

        assert (kept.keys(), Played(newer, kept=kept).to_end().skipped) == ({"start"}, ["a"])

    @pytest.mark.parametrize(
        ("newer", "from_node", "error", "why"),
        [
            ("start -> b", "a", BadVersion, "'a' is not in that version"),
            ("start -> loop -> b, loop:body -> a", "a", BadVersion, "'a' is inside the body of 'loop' in that version"),
            ("start -> b, start2 -> a", "a", BadStart, "'a' is not reached from 'start'"),
            ("start -> if, if:true -> a, if:false -> b", "a", BadVersion, "'a' is behind a dead path in that version"),
        ],
    )
    def test_node_that_cannot_run_there_is_refused(
        self, newer: str, from_node: str, error: type[Exception], why: str
    ) -> None:
        before = play(graph_of("start -> if -> a, if -> b"), {"if": Port("false")})

        with pytest.raises(error) as refused:
            rerun(before, from_node, on=graph_of(newer, entryPoint="start"))

        assert str(refused.value) == why


class TestRetry:
    def test_what_failed_and_what_follows_it_runs(self) -> None:
        before = play(graph_of("start -> a -> b -> c, start -> s"), {"b": Boom()}, hold=["b"])

        kept = retry(before)
        again = Played(before.graph, kept=kept).to_end()

        assert (kept.keys(), again.ran) == ({"start", "a", "s"}, ["b", "c"])
        assert set(again.statuses.values()) == {"completed"}

    def test_container_with_a_failure_in_it_runs_as_a_whole(self) -> None:
        before = play(graph_of("start -> loop -> z, loop:body -> a"), {"loop[1]/a": Boom()})

        again = Played(before.graph, kept=retry(before)).to_end()

        assert again.ran == ["loop[0]/a", "loop[1]/a", "z"]

    def test_failure_that_was_handled_is_none(self) -> None:
        before = play(graph_of("start -> a, a:error -> h, start -> b"), {"a": Boom(), "b": Boom()}, hold=["b"])

        assert retry(before).keys() == {"start", "a", "h"}

    @pytest.mark.parametrize(
        ("newer", "why"),
        [
            ("start -> a -> c", "'b' is not in that version"),
            ("start -> a -> loop -> c, loop:body -> b", "'b' is inside the body of 'loop' in that version"),
        ],
    )
    def test_version_without_the_node_that_failed_is_refused(self, newer: str, why: str) -> None:
        before = play(graph_of("start -> a -> b -> c"), {"b": Boom()})

        with pytest.raises(BadVersion) as refused:
            retry(before, on=graph_of(newer))

        assert (str(refused.value), refused.value.node_id) == (why, "b")

    def test_version_without_what_was_never_reached_is_as_good(self) -> None:
        """Of c there is nothing to keep, and nobody misses it."""
        before = play(graph_of("start -> a -> b -> c"), {"b": Boom()})

        assert retry(before, on=graph_of("start -> a -> b -> d")).keys() == {"start", "a"}


def test_variables_begin_as_the_run_before_left_them() -> None:
    """Initial values of the version that runs, and the writes that are replayed on them, one after the other."""
    graph = graph_of("start -> a", variables={"n": 1, "m": 5})
    writes = [VariableWrite(name="n", how=how, value=value) for how, value in (("value", 3), ("increment", 4))]

    state = start(graph, entry="start", now=NOW, writes=writes).state

    assert (state.variables, graph.plan.variables) == ({"n": 7, "m": 5}, {"n": 1, "m": 5})


# ---- properties
RUNS = settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow])


def downstream(graph: Graph, nodes: Iterable[str]) -> set[str]:
    top = graph.top
    return {top.nodes[place].id for place in top.reach(top.position[node] for node in nodes)}


@RUNS
@given(run=runs(), order=st.randoms(use_true_random=False), data=st.data())
def test_rerun_with_the_same_answers_ends_alike_and_runs_only_what_is_downstream(
    run: Run, order: Random, data: st.DataObject
) -> None:
    """From any node that had its turn, in any order."""
    before = play(*run)
    from_node = data.draw(st.sampled_from(passed(before)))

    kept = rerun(before, from_node)
    again = Played(*run, kept=kept).to_end(order=order)

    assert (again.statuses, again.close) == (before.statuses, before.close)
    assert at_top(again) == at_top(before) & downstream(run[0], [from_node])
    assert kept.keys() == at_top(before) - at_top(again)


@RUNS
@given(run=runs(failures=True), order=st.randoms(use_true_random=False))
def test_retry_runs_what_did_not_complete_and_nothing_else(run: Run, order: Random) -> None:
    """Whatever failed wherever, once it is mended the run completes, on what was there."""
    graph, answers = run
    before = play(graph, answers, order=order)

    kept = retry(before)
    again = Played(graph, mended(before, answers), kept=kept).to_end(order=order)

    assert again.close is not None
    assert again.close.status == "completed"
    assert kept.keys() == {node for node in at_top(before) if has_end(before, node)}
    assert not at_top(again) & kept.keys()


@RUNS
@given(run=runs(failures=True), newer=runs(), order=st.randoms(use_true_random=False))
def test_retry_on_any_other_version_ends_and_keeps_nothing_behind_what_runs(
    run: Run, newer: Run, order: Random
) -> None:
    before = play(*run)
    try:
        kept = retry(before, on=newer[0])
    except BadVersion:
        return
    again = Played(*newer, kept=kept).to_end(order=order)

    assert not at_top(again) & kept.keys()
    assert not downstream(newer[0], at_top(again)) & kept.keys()


def passed(played: Played) -> list[str]:
    """Its top-level nodes that ran, or are disabled and passed on."""
    marks = played.state.scopes[TOP].marks
    return [
        node.id
        for node, mark in zip(played.graph.top.nodes, marks, strict=True)
        if mark in (COMPLETED, HANDLED, PASSED)
    ]


def has_end(played: Played, node: str) -> bool:
    mark = played.state.scopes[TOP].marks[played.graph.top.position[node]]
    return mark in (COMPLETED, HANDLED)


def mended(before: Played, answers: Mapping[str, Any]) -> dict[str, Any]:
    """What failed and was not handled answers as if nothing were wrong."""
    graph = before.graph
    wrong = {node.id for node in graph.plan.nodes if not graph.has_error_edge(node.id) and _fails(answers.get(node.id))}
    return {node: None if node in wrong else answer for node, answer in answers.items()}


def _fails(answer: Any) -> bool:
    if isinstance(answer, Waits):
        return _fails(answer.answer)
    return isinstance(answer, Boom) or (isinstance(answer, list) and isinstance(answer[-1], Boom | Again))
