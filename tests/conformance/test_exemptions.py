from __future__ import annotations

from typing import Any

import pytest

from tests.conformance import shared
from tests.conformance.exemptions import exemptions, problems
from tests.conformance.fuzz import judged
from tests.conformance.simulation import simulate
from tests.graphs import draw

shared.skip_without()

DRAWING = "start -> par, par:body -> f, par:body -> a, par:error -> b, start -> c"
TYPES = {"f": "test.fail", "a": "test.echo", "b": "test.echo", "c": "test.echo"}
CHANGED = {"output": {"result": "another"}}
STOPPED = {"status": "cancelled", "output": None}


def seen_and_case(**settings: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    definition = draw(DRAWING, types={"start": "trigger", "par": "parallel", **TYPES}, settings=settings)
    case = judged({"id": "drawn", "title": "", "rules": [], "definition": definition, "inputs": {}})
    return simulate(case), case


@pytest.mark.parametrize(
    ("path", "change", "are_told"),
    [
        ("par[1]/a", STOPPED, False),  # whether it had run when the other branch failed is a matter of time
        ("par[1]/a", CHANGED, True),  # what it came to is not
        ("par[1]/a", {"status": "failed", "handled": True}, True),
        ("b", STOPPED, True),  # behind the failure that was handled
        ("c", CHANGED, True),  # beside it
    ],
)
def test_only_what_a_failure_stopped_may_be_otherwise(path: str, change: dict[str, Any], are_told: bool) -> None:
    seen, case = seen_and_case()
    assert problems(case, seen) == []

    seen["nodes"][path] |= change

    assert bool(problems(case, seen)) is are_told


@pytest.mark.parametrize(
    ("settings", "prefixes"), [({}, {"par[0]/", "par[1]/", "par["}), ({"onFailure": "finish-branches"}, {"par["})]
)
def test_what_is_stopped_is_the_scope_and_the_branches_beside_it(settings: Any, prefixes: set[str]) -> None:
    _, case = seen_and_case(**settings)

    assert exemptions(case["definition"], case["reference"]).prefixes == prefixes


class TestBehindPauses:
    """Under finish-branches, a run that fails withdraws what it asks: it matters whether that was answered before."""

    @pytest.fixture
    def seen_and_case(self) -> tuple[dict[str, Any], dict[str, Any]]:
        drawing = "start -> h -> a, start -> loop, loop:body -> h2, loop -> b, start -> f, start -> c"
        types = {"start": "trigger", "h": "humanReview", "h2": "humanReview", "loop": "loop", "f": "test.fail"}
        nodes = {name: {"config": {"prompt": "Well?", "variableName": "said"}} for name in ("h", "h2")}
        settings = {"onFailure": "finish-branches"}
        definition = draw(drawing, types=types, default="test.echo", nodes=nodes, settings=settings)
        case = judged({"id": "drawn", "title": "", "rules": [], "definition": definition, "inputs": {}})
        return simulate(case), case

    def test_what_follows_an_answer_may_have_run(self, seen_and_case: Any) -> None:
        seen, case = seen_and_case
        assert problems(case, seen) == []

        for path in ("h", "a", "loop", "loop[0]/h2", "b"):
            seen["nodes"][path] = {**seen["nodes"]["c"], "output": None}

        assert problems(case, seen) == []
        assert exemptions(case["definition"], case["reference"]).behind_pauses == {"h", "a", "loop", "b"}

    def test_what_is_beside_it_has_run(self, seen_and_case: Any) -> None:
        seen, case = seen_and_case

        seen["nodes"]["c"] |= STOPPED

        assert problems(case, seen) != []
