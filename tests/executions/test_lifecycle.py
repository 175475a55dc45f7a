from __future__ import annotations

import pytest
from celery import signals

from executions import lifecycle
from executions.drain import drain
from executions.models import WorkerLease
from executions.sweep import Sweeper

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def sweeper(monkeypatch: pytest.MonkeyPatch) -> Sweeper:
    """A sweeper whose looks do nothing: here it is asked only whether it looks."""
    sweeper = Sweeper()
    monkeypatch.setattr(sweeper, "_run", lambda: None)
    monkeypatch.setattr(lifecycle, "sweeper", sweeper)
    return sweeper


def test_worker_lives_between_its_signals(sweeper: Sweeper) -> None:
    """Ready: it has a lease and sweeps. Asked to stop: it drains. Stopped: its lease is given back."""
    signals.worker_ready.send(sender=None)
    begun = WorkerLease.objects.count(), drain.is_wanted, sweeper._stopped.is_set()

    signals.worker_shutting_down.send(sender=None, sig="SIGTERM", how="Warm", exitcode=0)
    asked = WorkerLease.objects.count(), drain.is_wanted, sweeper._stopped.is_set()

    signals.worker_shutdown.send(sender=None)
    ended = WorkerLease.objects.count(), drain.is_wanted, sweeper._stopped.is_set()

    assert (begun, asked, ended) == ((1, False, False), (1, True, False), (0, True, True))
