"""Leases that ran out while nobody could renew one."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

import django.db
import pytest
from pytest_django.fixtures import Settings

from executions.models import NodeRun
from executions.sweep import Sweeper
from tests.executions.accidents import lease_runs_out

pytestmark = pytest.mark.django_db(transaction=True)

Break = Callable[[Exception], None]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that the sweeper sees."""
    clock = [monotonic()]
    monkeypatch.setattr("executions.sweep.monotonic", lambda: clock[0])
    return clock


@pytest.fixture
def break_next(monkeypatch: pytest.MonkeyPatch) -> Break:
    """Have the next look of a sweeper raise."""

    def arrange(error: Exception) -> None:
        real = Sweeper.sweep

        def sweep(sweeper: Sweeper) -> None:
            monkeypatch.setattr(Sweeper, "sweep", real)
            raise error

        monkeypatch.setattr(Sweeper, "sweep", sweep)

    return arrange


def attempt(node_run: NodeRun) -> tuple[str, int]:
    node_run.refresh_from_db()
    return node_run.status, node_run.attempt


def test_workers_may_report_back_after_the_database_was_away(
    mine: NodeRun, break_next: Break, clock: list[float], settings: Settings
) -> None:
    """Those that live are not to lose what they run, for all of them; the dead are found a little later."""
    sweeper = Sweeper()
    break_next(django.db.OperationalError("the server has gone away"))
    lease_runs_out()

    sweeper._look()
    sweeper._look()
    at_once = attempt(mine)
    clock[0] += settings.FLOWMAESTRO_LEASE.total_seconds()
    sweeper._look()

    assert (at_once, attempt(mine)) == (("running", 1), ("ready", 2))


def test_nobody_is_waited_for_after_other_trouble(mine: NodeRun, break_next: Break, clock: list[float]) -> None:
    """Without Redis, leases are renewed all the same."""
    sweeper = Sweeper()
    break_next(ConnectionError("no broker"))
    lease_runs_out()

    sweeper._look()
    sweeper._look()

    assert attempt(mine) == ("ready", 2)


def test_wait_for_the_living_is_well_below_what_a_recovery_may_take(
    mine: NodeRun, break_next: Break, clock: list[float], settings: Settings
) -> None:
    """However long the lease is: it has run out already."""
    settings.FLOWMAESTRO_LEASE *= 100
    sweeper = Sweeper()
    break_next(django.db.OperationalError("the server has gone away"))
    lease_runs_out()

    sweeper._look()
    clock[0] += 5
    sweeper._look()

    assert attempt(mine) == ("ready", 2)
