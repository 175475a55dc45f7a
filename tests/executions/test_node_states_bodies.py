"""How nodes in bodies stand: their newest visit, and every visit there was."""

from __future__ import annotations

from typing import Any

import pytest

from executions import driver
from executions.core.scopes import path
from executions.models import Execution
from executions.node_states import NodeState, Visits, node_states, visit_state
from handlers import HandlerError
from tests.executions.accidents import fall_due
from tests.executions.runs import begin, reread, row, statuses
from tests.executions.scripted import Script, answers, in_turn, raises
from tests.fakes import Messages

pytestmark = pytest.mark.django_db(transaction=True)

# Of three iterations, a runs in the first, b in the others.
NODES: dict[str, Any] = {
    "loop": {"config": {"count": 3}},
    "if": {"config": {"conditionType": "expression", "expression": "loop.index == 0"}},
}


@pytest.fixture
def run(messages: Messages) -> Execution:
    run = begin("start -> loop -> z, loop:body -> if, if:true -> a, if:false -> b", nodes=NODES)
    messages.deliver_all()
    return reread(run)


def told(states: Any) -> list[tuple[str, str]]:
    return [(path(state.scope, state.node_id), state.status.value) for state in states]


ALL = [
    ("start", "completed"),
    ("loop", "completed"),
    ("z", "completed"),
    ("loop[0]/if", "completed"),
    ("loop[0]/a", "completed"),
    ("loop[1]/if", "completed"),
    ("loop[1]/b", "completed"),
    ("loop[2]/if", "completed"),
    ("loop[2]/b", "completed"),
    ("loop[0]/b", "skipped"),
    ("loop[1]/a", "skipped"),
    ("loop[2]/a", "skipped"),
]


class TestNewest:
    def test_node_in_a_body_stands_as_its_newest_visit(self, messages: Messages, scripts: dict[str, Script]) -> None:
        scripts["a"] = lambda node, lent: (answers(1) if node.scope != "loop[1]" else raises(HandlerError("no")))(
            node, lent
        )
        run = begin("start -> loop, loop:body -> a -> b, a:error -> loop", default="test.script")

        messages.deliver_all()

        states = {state.node_id: state for state in node_states(reread(run))}
        assert (states["a"].scope, states["a"].status, states["a"].handled) == ("loop[1]", "failed", True)
        assert (states["b"].scope, states["b"].status) == ("loop[1]", "skipped")

    def test_body_that_nothing_has_entered_is_pending(self, messages: Messages) -> None:
        run = begin("start -> x -> loop, loop:body -> a", default="test.count")
        assert statuses(run) == dict.fromkeys(["start", "x", "loop", "a"], "pending")

    def test_body_that_nothing_entered_in_a_run_that_completed_is_skipped(self, messages: Messages) -> None:
        """Nobody stopped it."""
        run = begin("start -> loop -> z, loop:body -> a", nodes={"loop": {"config": {"count": 0}}})

        messages.deliver_all()

        assert statuses(run) == {"start": "completed", "loop": "completed", "a": "skipped", "z": "completed"}

    def test_body_that_nothing_entered_before_a_failure_is_cancelled(
        self, messages: Messages, scripts: dict[str, Script]
    ) -> None:
        scripts["x"] = raises(HandlerError("no luck"))
        run = begin("start -> x -> loop, loop:body -> a", default="test.script")

        messages.deliver_all()

        assert statuses(run) == {"start": "completed", "x": "failed", "loop": "cancelled", "a": "cancelled"}

    def test_second_attempt_under_way_has_no_duration(self, messages: Messages, scripts: dict[str, Script]) -> None:
        seen: list[NodeState] = []

        def look(node: Any, lent: Any) -> Any:
            seen.extend(state for state in node_states(reread(run)) if state.node_id == "a")
            return answers(1)(node, lent)

        scripts["a"] = in_turn(raises(HandlerError("not yet", retryable=True)), look)
        run = begin("start -> a", default="test.script")
        messages.deliver_all()
        fall_due(messages, run)

        [state] = seen
        assert (state.status, state.attempt, state.duration_ms, state.error) == ("running", 2, None, None)

    def test_node_whose_child_is_under_way_is_running(self, messages: Messages) -> None:
        child = begin("start -> a")
        nodes = {"sub": {"config": {"workflow": str(child.workflow_id)}}}
        types = {"start": "trigger", "sub": "subWorkflow"}
        run = begin("start -> sub", types=types, nodes=nodes, workspace=child.workspace)

        driver.drive(run.pk)

        assert (statuses(run)["sub"], row(run, "sub").started_at is None) == ("running", False)


class TestVisits:
    def test_every_visit_is_told_the_skipped_last(self, run: Execution) -> None:
        assert told(Visits(run)) == ALL
        assert len(Visits(run)) == len(ALL)

    @pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 12, 13])
    def test_pages_put_together_are_the_whole(self, run: Execution, size: int) -> None:
        """Wherever a page ends: in the top level, in what ran, in what was skipped."""
        visits = Visits(run)

        pages = [visits[first : first + size] for first in range(0, len(visits), size)]

        assert [state for page in pages for state in told(page)] == ALL

    @pytest.mark.parametrize(
        ("first", "last"), [(0, 0), (2, 4), (8, 10), (9, 12), (3, 3), (11, 99), (12, 20), (None, None), (5, None)]
    )
    def test_slice_is_that_of_the_whole(self, run: Execution, first: int | None, last: int | None) -> None:
        assert told(Visits(run)[first:last]) == ALL[first:last]

    @pytest.mark.parametrize("place", [0, 2, 3, 8, 9, 11])
    def test_one_is_found_by_its_place(self, run: Execution, place: int) -> None:
        assert told([Visits(run)[place]]) == [ALL[place]]

    def test_there_is_none_beyond_the_last(self, run: Execution) -> None:
        with pytest.raises(IndexError):
            Visits(run)[len(ALL)]

    def test_page_costs_the_same_however_many_there_are(
        self, run: Execution, django_assert_max_num_queries: Any
    ) -> None:
        visits = Visits(run)
        len(visits)

        with django_assert_max_num_queries(1):
            visits[4:6]

    @pytest.mark.parametrize(
        ("narrow", "visits"),
        [
            ({"node_id": "a"}, ["loop[0]/a", "loop[1]/a", "loop[2]/a"]),
            ({"node_id": "z"}, ["z"]),
            ({"scope": ""}, ["start", "loop", "z"]),
            ({"scope": "loop[1]"}, ["loop[1]/if", "loop[1]/b", "loop[1]/a"]),
            ({"node_id": "a", "scope": "loop[2]"}, ["loop[2]/a"]),
            ({"node_id": "a", "scope": ""}, []),
            ({"scope": "loop[7]"}, []),
        ],
    )
    def test_visits_of_a_node_or_a_scope_can_be_asked_for(self, run: Execution, narrow: Any, visits: Any) -> None:
        assert [visit for visit, _ in told(Visits(run, **narrow))] == visits

    def test_run_without_bodies_has_its_top_level(self, messages: Messages) -> None:
        run = begin("start -> a")
        messages.deliver_all()

        assert told(Visits(reread(run))) == [("start", "completed"), ("a", "completed")]


@pytest.mark.parametrize(
    ("node_id", "scope", "status"),
    [
        ("a", "loop[0]", "completed"),
        ("a", "loop[1]", "skipped"),
        ("z", "", "completed"),
        ("a", "", None),
        ("a", "loop[3]", None),
        ("ghost", "", None),
    ],
)
def test_single_visit_is_found_or_not_there(run: Execution, node_id: str, scope: str, status: str | None) -> None:
    state = visit_state(run, node_id, scope)

    assert (state and state.status.value) == status
