"""Runs of the families in this process, to their ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest
from django.utils import timezone

from executions import driver
from executions.core import RunStatus
from executions.leases import lease
from executions.models import Execution, NodeRun, Waitpoint
from handlers import Lent, PauseKind
from tests import nodes
from tests.chaos import ledger
from tests.chaos.answers import answer_all
from tests.chaos.clients import Asked, publish, start
from tests.chaos.workloads import Family
from tests.fakes import Messages

ROUNDS = 30  # more than any of our runs waits for something


class Hurried(nodes.RealOutside):
    """Nothing takes any time."""

    def sleep(self, ms: float, lent: Lent) -> None:
        pass


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The ledger of this process."""
    monkeypatch.setenv(ledger.PLACE, str(tmp_path / "ledger"))
    return tmp_path / "ledger"


@pytest.fixture
def play(transactional_db: None, messages: Messages, place: Path) -> Iterator[Callable[[Family, int], Asked]]:
    """Runs a workload of a family to its end: what it asks is answered, what it waits for comes at once."""

    def run(family: Family, seed: int) -> Asked:
        asked = start(publish(family, family.draw(Random(seed))))
        for _ in range(ROUNDS):
            messages.deliver_all()
            if RunStatus(Execution.objects.get(pk=asked.execution_id).status).is_final:
                return asked
            answer_all()
            now = timezone.now() - timedelta(minutes=1)
            NodeRun.objects.filter(due_at__isnull=False).update(due_at=now)
            Waitpoint.objects.filter(kind=PauseKind.TIMER).update(due_at=now)
            driver.drive(asked.execution_id)
        raise AssertionError(f"the run of {family.name} does not end")

    with nodes.played_by(Hurried()):
        yield run
    lease.release()
