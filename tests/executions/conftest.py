"""What the tests of the engine share: time that decides nothing, and leases that end with their test."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from executions import decide, driver, hotpath, report
from executions.drain import drain
from executions.leases import lease
from executions.models import Execution, NodeRun
from tests.executions.runs import begin, publish, row
from tests.executions.scripted import SCRIPTS, Script
from tests.executions.workers import Workers
from tests.fakes import Messages
from workflows.models import WorkflowVersion


@pytest.fixture(autouse=True)
def lease_given_back() -> Iterator[None]:
    """The lease that a test took ends with it, and so does the thread that renews it."""
    yield
    lease.release()
    drain.reset()


@pytest.fixture(autouse=True)
def bursts_are_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """However busy the machine is, pure nodes run in one transaction, unless the test says otherwise."""
    monkeypatch.setattr(decide, "BURST_FOR", 60)


@pytest.fixture(autouse=True)
def attempts_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another attempt comes when the test lets it: its wait is an hour longer, not a second more or less by chance."""
    real = report.next_delay

    def an_hour_longer(*args: Any, **named: Any) -> float | None:
        delay = real(*args, **named)
        return None if delay is None else delay + 3600

    monkeypatch.setattr(report, "next_delay", an_hour_longer)


@pytest.fixture
def scripts() -> Iterator[dict[str, Script]]:
    """What the scripted nodes of the test do, by node id."""
    yield SCRIPTS
    SCRIPTS.clear()


@pytest.fixture
def workers(monkeypatch: pytest.MonkeyPatch) -> Workers:
    """Celery messages kept instead of sent, and threads to deliver them."""
    kept = Workers()
    monkeypatch.setattr("executions.dispatch._send", kept.keep)
    return kept


@pytest.fixture
def run(transactional_db: None, messages: Messages) -> Execution:
    """A run with two effects out, a and b: ready, and not claimed. Its state is at version 1."""
    run = begin("start -> a -> j, start -> b -> j", default="test.count")
    driver.drive(run.pk)
    return run


@pytest.fixture
def mine(run: Execution) -> NodeRun:
    """Node a of the run, claimed by us."""
    hotpath.claim(row(run, "a").pk, owner=lease.id())
    return row(run, "a")


@pytest.fixture(params=["pure", "held", "sent"])
def way(request: pytest.FixtureRequest, settings: Settings) -> str:
    """The type of a scripted node that comes to run within the turn, in the hands of its driver, or by a message."""
    if request.param == "sent":
        settings.FLOWMAESTRO_LANES = ["drive"]
    return "test.pureScript" if request.param == "pure" else "test.script"


@pytest.fixture
def child() -> WorkflowVersion:
    """A workflow that gives back what it was given; its node `work` is an effect."""
    return publish(
        "start -> work -> out",
        types={"start": "trigger", "work": "test.script", "out": "output"},
        nodes={
            "work": {"config": {"value": "{{start.given}}"}, "retry": {"attempts": 1}},
            "out": {"config": {"outputName": "answer", "value": "{{work.result}}", "format": "json"}},
        },
    )
