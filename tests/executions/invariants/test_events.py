from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from executions import driver
from executions.invariants import check_runs
from executions.models import Event, Execution, ExecutionState
from tests.executions.invariants.looks import Check
from tests.executions.runs import begin, numbers
from tests.fakes import Messages

pytestmark = pytest.mark.django_db(transaction=True)


def without(*numbers: int) -> Callable[[Any], None]:
    return lambda run: Event.objects.filter(execution=run, seq__in=numbers).delete()


def with_number(number: int) -> Callable[[Any], None]:
    return lambda run: ExecutionState.objects.filter(pk=run.pk).update(seq=number)


@pytest.fixture
def over(messages: Messages) -> Execution:
    """A run with events 1 to 4."""
    run = begin("start")
    driver.drive(run.pk)
    assert numbers(run) == [1, 2, 3, 4]
    return run


@pytest.mark.parametrize(
    ("breaks", "told"),
    [
        (without(3), "It has 3 events from 1 to 4, and its state says that 4 is the last."),
        (without(1), "It has 3 events from 2 to 4, and its state says that 4 is the last."),
        (without(4), "It has 3 events from 1 to 3, and its state says that 4 is the last."),
        (without(1, 2, 3, 4), "It has no events, and its state says that 4 is the last."),
        (with_number(5), "It has 4 events from 1 to 4, and its state says that 5 is the last."),
        (with_number(3), "It has 4 events from 1 to 4, and its state says that 3 is the last."),
    ],
)
def test_gap_is_found(over: Execution, breaks: Callable[[Any], None], told: str, check: Check) -> None:
    breaks(over)

    assert check() == [("event_gap", None)]
    assert [finding.wrong for finding in check_runs(limit=1).findings] == [told]


def test_number_of_another_run_does_not_count(over: Execution, messages: Messages, check: Check) -> None:
    """One too few here, one too many there."""
    other = begin("start")
    without(4)(over)
    Event.objects.create(execution=other, seq=2, type="x", data={}, at=over.created_at)

    assert check() == [("event_gap", None)] * 2
