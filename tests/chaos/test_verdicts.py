from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from executions.models import Event, Execution, NodeRun
from tests.chaos import ledger
from tests.chaos.clients import Asked
from tests.chaos.verdicts import wrong_with
from tests.chaos.workloads import Family, families

FAMILIES = {family.name: family for family in families()}
Play = Callable[[Family, int], Asked]


def judged(asked: Asked, place: Path, *, is_calm: bool = True) -> list[str]:
    return wrong_with(asked, ledger.attempts(place), is_calm=is_calm)


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
def test_undisturbed_run_comes_to_what_its_family_says(family: Family, play: Play, place: Path) -> None:
    """Each draws several kinds of runs: by eight seeds, all of them."""
    wrong = {seed: judged(play(family, seed), place) for seed in range(8)}

    assert {seed: told for seed, told in wrong.items() if told} == {}


@pytest.fixture
def asked(play: Play) -> Asked:
    """A run of one effect after the other that is over, and as it should be. Its first effect is n0."""
    return play(FAMILIES["lines"], 0)


@pytest.fixture
def first(asked: Asked) -> NodeRun:
    return NodeRun.objects.get(execution=asked.execution_id, node_id="n0")


def test_run_that_is_not_over_is_wrong(asked: Asked, place: Path) -> None:
    Execution.objects.filter(pk=asked.execution_id).update(status="running", ended_at=None)

    assert judged(asked, place) == ["it is running"]


def test_other_end_outputs_and_visits_are_wrong(asked: Asked, first: NodeRun, place: Path) -> None:
    Execution.objects.filter(pk=asked.execution_id).update(status="failed", outputs={"out": "other"})
    NodeRun.objects.filter(pk=first.pk).update(status="cancelled")

    assert judged(asked, place)[:3] == [
        "it is failed, not completed: None",
        f"its outputs are {{'out': 'other'}}, not {{'out': {asked.ask.workload.out}}}",
        "n0 is cancelled, not completed",
    ]


@pytest.mark.parametrize(
    ("more", "told"),
    [
        pytest.param([1], "n0: attempts [1, 1] of 1 were begun, one of them again", id="the-same-attempt"),
        pytest.param([2], "n0: attempts [1, 2] of 1 were begun: it ran after it was over", id="after-its-end"),
    ],
)
def test_node_that_ran_once_too_often_is_wrong(
    asked: Asked, first: NodeRun, place: Path, more: list[int], told: str
) -> None:
    for attempt in more:
        ledger.note_begun(ledger.Visit(asked.execution_id, "", "n0"), attempt)

    assert judged(asked, place, is_calm=False) == [told]


def test_completed_node_that_nobody_ran_is_wrong(asked: Asked, first: NodeRun, place: Path) -> None:
    NodeRun.objects.filter(pk=first.pk).update(attempt=2)

    assert judged(asked, place, is_calm=False) == ["n0: attempts [1] of 2 were begun: it is completed, and did not run"]


def test_attempt_that_was_lost_in_calm_is_wrong(asked: Asked, first: NodeRun, place: Path) -> None:
    """Where nothing was done to any worker, none can have been lost."""
    NodeRun.objects.filter(pk=first.pk).update(attempt=2, lost=1)
    ledger.note_begun(ledger.Visit(asked.execution_id, "", "n0"), 2)

    assert judged(asked, place, is_calm=False) == []
    assert judged(asked, place) == [
        "n0: attempts [1, 2] of 2 were begun, 1 lost, though nothing was done to any worker"
    ]


def test_events_with_a_gap_or_a_second_end_are_wrong(asked: Asked, place: Path) -> None:
    ends = Event.objects.filter(execution=asked.execution_id, type="node:completed", node_id="n0")
    last = Event.objects.filter(execution=asked.execution_id).order_by("-seq").values_list("seq", flat=True)[0]
    end = ends.get()
    Event.objects.create(
        execution=end.execution, seq=last + 2, type=end.type, node_id=end.node_id, data=end.data, at=end.at
    )

    numbers = [*range(1, last + 1), last + 2]
    assert judged(asked, place) == [
        f"its events are numbered {numbers}",
        "its events end ['execution:completed']",
        "the end of ('', 'n0') is told 2 times",
    ]


def test_end_that_is_not_told_is_wrong(asked: Asked, place: Path) -> None:
    ends = Event.objects.filter(execution=asked.execution_id, type="node:completed", node_id="n0")
    ends.update(type="node:progress")

    assert judged(asked, place) == ["the end of ('', 'n0') is not told"]
