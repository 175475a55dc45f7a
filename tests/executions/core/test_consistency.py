from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

import pytest
from hypothesis import given

from executions.core.consistency import SeenRow, inferred, letter_flaws, row_flaws
from executions.core.graph import Body
from executions.core.state import STATUS, ScopeState
from executions.core.statuses import NodeStatus
from tests.executions.core.play import graph_of, play
from tests.executions.core.scripts import Run, runs
from tests.executions.core.test_properties import AT_LEISURE, ORDERS

JOIN = "start -> a -> j, start -> b -> j"  # in plan order: start a b j
BRANCH = "start -> if, if:true -> a -> j, if:false -> b -> j"  # start if a b j


def body_of(drawing: str, **more: Any) -> Body:
    return graph_of(drawing, **more).top


def scope_of(marks: str, *, port: tuple[int, str] | None = None, halted: bool = False) -> ScopeState:
    return ScopeState(marks=marks.encode(), ports=dict([port]) if port else {}, halted=halted)


def told(body: Body, scope: ScopeState, **more: Any) -> list[str]:
    return [f"{flaw.node_id}: {flaw.told}" for flaw in letter_flaws(body, scope, **more)]


class TestLetters:
    @pytest.mark.parametrize(
        ("marks", "flaws"),
        [
            ("cccc", []),
            ("ccg.", []),
            ("ccgc", ["j: it was started before all its edges were known"]),
            ("ccc.", ["j: all its edges are known, and it was not started"]),
            ("cccs", ["j: it was skipped although not all its edges are dead"]),
            ("cgsc", ["b: it was skipped although not all its edges are dead", "j: it was started before all its edges were known"]),
            ("cffx", []),  # a run that failed
            ("cgf.", []),
            ("cccp", ["j: it was passed over although it is not disabled, or not behind a taken edge"]),
            ("oooo", []),
            ("..oo", ["start: all its edges are known, and it was not started"]),
        ],
    )  # fmt: skip
    def test_join_is_fired_once_all_its_edges_are_known(self, marks: str, flaws: list[str]) -> None:
        assert told(body_of(JOIN), scope_of(marks)) == flaws

    @pytest.mark.parametrize(
        ("marks", "flaws"),
        [
            ("ccscc", []),
            ("ccccc", ["a: it was started behind edges that are all dead"]),
            ("cc.cg", ["a: all its edges are known, and it was not skipped", "j: it was started before all its edges were known"]),
            ("ccs.s", ["b: all its edges are known, and it was not started", "j: it was skipped although not all its edges are dead"]),
        ],
    )  # fmt: skip
    def test_dead_paths_are_skipped(self, marks: str, flaws: list[str]) -> None:
        assert told(body_of(BRANCH), scope_of(marks, port=(1, "false"))) == flaws

    @pytest.mark.parametrize(("marks", "flaws"), [("cp", []), ("cc", ["a: it was started although it is disabled"])])
    def test_disabled_nodes_are_passed_over(self, marks: str, flaws: list[str]) -> None:
        body = body_of("start -> a", nodes={"a": {"disabled": True}})

        assert told(body, scope_of(marks)) == flaws

    def test_nothing_has_to_start_in_what_was_stopped_or_is_held(self) -> None:
        body = body_of(JOIN)

        assert told(body, scope_of("ccc.", halted=True)) == told(body, scope_of("ccc."), is_held=True) == []

    @AT_LEISURE
    @given(run=runs(failures=True), order=ORDERS)
    def test_run_that_was_folded_properly_has_no_flaw_at_any_step(self, run: Run, order: int) -> None:
        played = play(*run, order=Random(order))

        for step in played.steps:
            for at, scope in step.state.scopes.items():
                assert told(played.graph.body(at), scope, is_held=step.state.held) == []


def row(status: str, **says: Any) -> SeenRow:
    return SeenRow(status=NodeStatus(status), **{"folded": False, **says})


ROWS: dict[str, SeenRow | None] = {
    "none": None,
    "ready": row("ready"),
    "due": row("ready", is_postponed=True),
    "held": row("running", is_held=True),
    "unheld": row("running"),
    "ended": row("completed"),
    "broke": row("failed"),
    "waiting": row("waiting", folded=True),
    "completed": row("completed", folded=True),
    "failed": row("failed", folded=True),
    "handled": row("failed", folded=True, handled=True),
    "cancelled": row("cancelled", folded=True),
}
OPEN_ROWS = "ready due held unheld ended broke waiting"  # of a run that is over, these are wrong by themselves


def flaws_of(mark: str, seen: SeenRow | None, *, is_over: bool) -> list[str]:
    rows = {} if seen is None else {"start": seen}
    return [flaw.told for flaw in row_flaws(body_of("start"), scope_of(mark), rows, is_over=is_over)]


class TestRows:
    @pytest.mark.parametrize(
        ("mark", "fitting"),
        [
            (".", "none ready due held ended broke"),  # its worker went on to it by itself, and has not said so yet
            ("o", "none"),
            ("q", "none due"),
            ("g", "ready due held ended broke"),
            ("b", "unheld"),
            ("k", "unheld"),
            ("z", "unheld"),
            ("w", "waiting"),
            ("r", "due"),
            ("c", "completed"),
            ("e", "completed"),
            ("h", "handled"),
            ("f", "failed"),
            ("s", "none"),
            ("p", "none"),
            ("x", "none cancelled"),
        ],
    )
    def test_row_of_a_run_that_lives_says_what_its_letter_does(self, mark: str, fitting: str) -> None:
        assert " ".join(name for name, seen in ROWS.items() if not flaws_of(mark, seen, is_over=False)) == fitting

    @pytest.mark.parametrize(
        ("mark", "fitting"),
        [
            ("c", f"{OPEN_ROWS} completed"),
            ("h", f"{OPEN_ROWS} handled"),
            ("f", f"{OPEN_ROWS} failed"),
            ("s", f"none {OPEN_ROWS}"),
            ("x", f"none {OPEN_ROWS} completed failed handled cancelled"),  # what came in late is part of the record
        ],
    )
    def test_row_of_a_run_that_is_over_says_what_its_letter_does(self, mark: str, fitting: str) -> None:
        assert " ".join(name for name, seen in ROWS.items() if not flaws_of(mark, seen, is_over=True)) == fitting

    @pytest.mark.parametrize("mark", STATUS)
    def test_every_letter_has_a_row_that_fits(self, mark: int) -> None:
        """A letter that is new is to be known here, or every run that has it is told to be wrong."""
        assert any(not flaws_of(chr(mark), seen, is_over=False) for seen in ROWS.values())

    @pytest.mark.parametrize(
        ("seen", "told"),
        [
            (ROWS["held"], "the run knows it as completed, and its row is running, which is not folded"),
            (ROWS["failed"], "the run knows it as completed, and its row is failed"),
            (None, "the run knows it as completed, and it has no row"),
        ],
    )
    def test_both_are_told(self, seen: SeenRow | None, told: str) -> None:
        assert flaws_of("c", seen, is_over=False) == [told]


class TestInferred:
    @pytest.mark.parametrize(
        ("drawing", "rows", "marks"),
        [
            (JOIN, "start:completed a:completed b:completed j:completed", "cccc"),
            (JOIN, "start:completed a:completed b:completed", "ccc."),
            (JOIN, "start:completed a:failed b:completed", "cfc."),
            (BRANCH, "start:completed if:completed:false b:completed j:completed", "ccscc"),
            (BRANCH, "start:completed if:completed", "ccsss"),  # it chose no port
            ("start -> a -> b, a:error -> h", "start:completed a:handled h:completed", "chsc"),
            ("start -> a -> b", "start:completed a:cancelled", "cx."),
        ],
    )
    def test_letters_follow_from_rows(self, drawing: str, rows: str, marks: str) -> None:
        seen = {}
        for each in rows.split():
            node, status, port = f"{each}:".split(":")[:3]
            seen[node] = replace(ROWS[status], port=port or None)

        scope = inferred(body_of(drawing), seen, halted=False)

        assert scope is not None
        assert scope.marks.decode() == marks

    def test_what_is_disabled_is_passed_over(self) -> None:
        body = body_of("start -> a -> b", nodes={"a": {"disabled": True}})
        scope = inferred(body, {"start": ROWS["completed"], "b": ROWS["completed"]}, halted=True)

        assert scope is not None
        assert (scope.marks.decode(), scope.halted) == ("cpc", True)
