"""The definitions that the existing product ships: all but seven plan, and run to an end whatever the order."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from tests.conformance import shared
from tests.conformance.scripted import catalogue_for
from tests.conformance.simulation import Simulation
from workflows.core import Severity, validate

shared.skip_without()

CYCLE, REFERENCE = "CIRCULAR_DEPENDENCY", "INVALID_REFERENCE"
REFUSED = {  # what a person is told of it, who can then repair the drawing
    "pattern--quality-reviewer": (CYCLE, "llm-generate → llm-evaluate → conditional-quality → llm-generate is a cycle"),
    "template--multi-stage-approval-workflow": (
        CYCLE,
        "humanReview-1 → switch-decision → llm-escalate → humanReview-1 is a cycle",
    ),
    "template--retry-with-exponential-backoff": (CYCLE, "loop-retry is a cycle"),
    "template--retry-with-exponential-backoff-2": (CYCLE, "http-1 is a cycle"),
    "pattern--teams-sales-standup": (REFERENCE, "there are no functions of one's own"),
    "template--multi-channel-campaign-orchestrator": (REFERENCE, "there are no filters; || means or"),
    "template--podcast-episode-pipeline": (REFERENCE, "there are no filters; || means or"),
}
ORDERS = 5


def drawings() -> list[Any]:
    return [
        pytest.param(told["id"], told["definition"], id=f"{kind}-{told['id']}")
        for kind in ("shipped", "editor")
        for told in shared.definitions(kind)
    ]


@pytest.mark.parametrize(("name", "definition"), drawings())
def test_definition_is_refused_with_a_reason_or_runs_to_an_end(name: str, definition: dict[str, Any]) -> None:
    catalogue = catalogue_for(_types(definition))
    wrong = [issue for issue in validate(definition, catalogue=catalogue) if issue.severity is Severity.ERROR]

    if name in REFUSED:
        code, message = REFUSED[name]
        assert {issue.code for issue in wrong} == {code}
        assert all(message in issue.message for issue in wrong)
        return

    assert wrong == []
    case = {"definition": definition, "inputs": dict.fromkeys(_inputs(definition), "given")}
    simulation = Simulation(case, catalogue=catalogue)
    seen = [simulation.observe(), *(simulation.observe(order=Random(number)) for number in range(ORDERS))]
    assert {run["status"] for run in seen} <= {"completed", "failed"}
    if not _has_unhandled_failure(seen[0]):
        assert len({shared.module("check").facts(run) for run in seen}) == 1


def test_refused_definitions_are_shipped() -> None:
    assert set(REFUSED) <= {told["id"] for told in shared.definitions("shipped")}
    assert len(shared.definitions("shipped")) == 233


def _types(definition: dict[str, Any]) -> set[str]:
    return {node["type"] for node in _nodes(definition)}


def _inputs(definition: dict[str, Any]) -> set[str]:
    configs = [node.get("config") or node.get("data") or {} for node in _nodes(definition) if node["type"] == "input"]
    return {config["inputName"] for config in configs if "inputName" in config}


def _nodes(definition: dict[str, Any]) -> list[dict[str, Any]]:
    nodes = definition["nodes"]
    return [*nodes.values()] if isinstance(nodes, dict) else nodes


def _has_unhandled_failure(seen: dict[str, Any]) -> bool:
    """What else had run when a failure stopped the run may depend on time."""
    return any(row["status"] == "failed" and not row["handled"] for row in seen["nodes"].values())
