from __future__ import annotations

from datetime import datetime
from pathlib import Path
from subprocess import Popen
from typing import Any

import pytest

from tests.chaos.crew import Crew


@pytest.fixture
def crew(tmp_path: Path) -> Crew:
    return Crew(tmp_path)


def log(crew: Crew, name: str, *lines: str) -> None:
    (crew._logs / name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def test_errors_of_ours_are_complained_of(crew: Crew) -> None:
    """Celery's own, of a broker that was taken away, are none."""
    log(
        crew,
        "worker-1-7.log",
        "2026-01-01 00:00:00,001 WARNING executions.sweep node a lost its worker; sent again",
        "2026-01-01 00:00:00,002 ERROR executions.driver the drive of run 7 raised",
        "Traceback (most recent call last):",
        "2026-01-01 00:00:00,003 ERROR celery.backends.redis Connection to Redis lost",
    )

    assert crew.complaints() == [
        "worker-1-7.log: 2026-01-01 00:00:00,002 ERROR executions.driver the drive of run 7 raised"
    ]


@pytest.mark.parametrize(("signal", "is_told"), [("kill", False), ("terminate", True)])
def test_worker_that_nobody_killed_and_is_gone_is_complained_of(crew: Crew, signal: str, is_told: bool) -> None:
    """By the kernel, or by a fault: then it was killed."""
    process: Any = Popen(["sleep", "60"])
    crew._workers.processes.append(process)
    log(crew, f"worker-1-{process.pid}.log")

    getattr(process, signal)()
    process.wait()

    assert bool(crew.complaints()) is is_told


def test_moments_at_which_faults_struck_are_read_from_the_log(crew: Crew) -> None:
    log(
        crew,
        "worker-1-7.log",
        "2026-01-01 00:00:00,250 WARNING executions.faults fault after-claim: stall",
        "2026-01-01 00:00:09,000 WARNING executions.outage database or blob storage away, trying again",
        "2026-01-01 00:00:10,500 WARNING executions.faults fault after-commit: fail",
    )

    struck = [datetime(2026, 1, 1, second=0, microsecond=250_000), datetime(2026, 1, 1, second=10, microsecond=500_000)]
    assert crew.struck(7) == [at.astimezone() for at in struck]
