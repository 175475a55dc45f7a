"""What `make chaos` does for minutes, for some seconds: each kind of accident once, on real workers."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
import redis
from django.conf import settings
from django.core.management import call_command

from executions.faults import Fault, Kind
from executions.invariants import check_runs
from tests.chaos import ledger
from tests.chaos.answers import answer_all
from tests.chaos.clients import Asked, publish, start
from tests.chaos.crew import Crew
from tests.chaos.recovery import family
from tests.chaos.verdicts import unfinished, wrong_with
from tests.chaos.workloads import families
from tests.stack import environment

pytestmark = pytest.mark.stack

FAULTS = {Fault.AFTER_EFFECT: Kind.CRASH, Fault.AFTER_CLAIM: Kind.STALL, Fault.AFTER_COMMIT: Kind.FAIL}
WITHIN = 60.0  # seconds; a machine that has nothing else to do needs a tenth
ROUNDS = 5  # until each worker has come by its fault


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "ledger"


@pytest.fixture
def crew(tmp_path: Path, place: Path, django_db_setup: None, django_db_blocker: Any) -> Iterator[Crew]:
    """One worker that is as it should be, and one for each fault, on the test database."""
    with django_db_blocker.unblock():
        more = {"FLOWMAESTRO_NODE_HANDLERS": "tests.nodes,tests.chaos.nodes", ledger.PLACE: str(place)}
        crew = Crew(tmp_path, **environment(), **more)
        try:
            crew.start()
            for fault, kind in FAULTS.items():
                crew.start(FLOWMAESTRO_FAULTS=f"{fault}:{kind}:1")
            crew.wait_until_healthy(1 + len(FAULTS))
            yield crew
        finally:
            crew.end()
            call_command("flush", interactive=False, verbosity=0)


@pytest.fixture
def db(crew: Crew) -> None:
    """Instead of pytest-django's: no transaction around a test whose rows other processes are to see."""


def begin(rng: Random) -> list[Asked]:
    """A run of each family."""
    return [start(publish(one, one.draw(rng))) for one in families()]


def wait(asked: list[Asked]) -> None:
    ends = time.monotonic() + WITHIN
    while unfinished([one.execution_id for one in asked]) and time.monotonic() < ends:
        answer_all()
        time.sleep(0.05)


@pytest.mark.usefixtures("db")
def test_runs_come_to_what_they_should_whatever_dies(crew: Crew, place: Path, redis_client: redis.Redis) -> None:
    """A worker is killed, another stalls, a third is told that it failed; Redis is emptied; then one more is killed."""
    rng, asked = Random(0), list[Asked]()
    plain, *armed = crew.pids()
    for number in range(ROUNDS):
        now = begin(rng) + begin(rng)
        asked += now
        if number == 0:
            time.sleep(0.3)
            redis_client.delete(*redis_client.scan_iter(f"{settings.REDIS_PREFIX}*"))
            crew.kill(plain)
        wait(now)
        if all(map(crew.struck, armed)):
            break

    attempts = ledger.attempts(place)
    wrong = {one.execution_id: wrong_with(one, attempts, is_calm=False) for one in asked}
    assert {run: told for run, told in wrong.items() if told} == {}
    assert [len(crew.struck(pid)) for pid in armed] == [1, 1, 1]
    runs = {each for one in asked for each in family(one.execution_id)}
    assert check_runs(limit=len(runs), execution_ids=runs).findings == ()
