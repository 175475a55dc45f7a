"""What the doctor says of runs."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import DatabaseError

from executions.leases import lease
from executions.models import Event, Execution
from flowmaestro import doctor
from flowmaestro.doctor import Finding, Level, examine_runs
from tests.executions.runs import begin
from tests.factories import WorkerLeaseFactory
from tests.fakes import Messages
from workflows.ids import uuid7

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _without_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FLOWMAESTRO_EMBEDDED_POSTGRES", "FLOWMAESTRO_EMBEDDED_REDIS"):
        monkeypatch.setattr(f"django.conf.settings.{name}", False)


@pytest.fixture
def runs(messages: Messages) -> list[Execution]:
    """Three that are as they should be."""
    begun = [begin("start -> a") for _ in range(3)]
    messages.deliver_all()
    lease.release()
    return begun


def lose_event(run: Execution) -> None:
    Event.objects.get(execution=run, seq=3).delete()


def test_runs_that_are_as_they_should_be_are_counted(tmp_path: Path, runs: list[Execution]) -> None:
    assert list(examine_runs(tmp_path)) == [
        Finding(level=Level.OK, subject="runs", told="3 looked at, and all is as it should be")
    ]


def test_what_is_wrong_is_told_kind_by_kind_and_how_to_mend_it_once(tmp_path: Path, runs: list[Execution]) -> None:
    for run in runs[:2]:
        lose_event(run)
    Execution.objects.filter(pk=runs[2].pk).update(status="cancelled")

    found = list(examine_runs(tmp_path))

    assert [(finding.level, finding.subject, bool(finding.mend)) for finding in found] == [
        (Level.FAIL, "event_gap", False),
        (Level.FAIL, "event_gap", True),
        (Level.FAIL, "wrong_status", True),
        (Level.FAIL, "runs", False),
    ]
    assert found[2].told == f"run {runs[2].pk}: It is cancelled, and its state says completed."
    assert found[3].told == "3 looked at, and 3 times something is wrong"


def test_node_is_named(tmp_path: Path, runs: list[Execution]) -> None:
    runs[0].node_runs.get(node_id="a").delete()

    [finding, _] = examine_runs(tmp_path, [runs[0].pk])

    assert finding.told == f"run {runs[0].pk}, node a: The run knows it as completed, and it has no row."


def test_run_that_is_not_there_is_told(tmp_path: Path, runs: list[Execution]) -> None:
    unknown = uuid7()

    found = list(examine_runs(tmp_path, [runs[0].pk, unknown]))

    assert [(finding.level, finding.subject) for finding in found] == [
        (Level.FAIL, f"run {unknown}"),
        (Level.OK, "runs"),
    ]
    assert found[1].told.startswith("1 looked at")


def test_workers_that_have_just_begun_are_waited_for(
    tmp_path: Path, runs: list[Execution], monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a restore there is much to mend, and nothing is wrong with that."""
    waited: list[float] = []
    monkeypatch.setattr(doctor, "sleep", waited.append)
    WorkerLeaseFactory()

    first, second = examine_runs(tmp_path)

    assert (first.level, "workers have just begun" in first.told) == (Level.OK, True)
    assert second.told == "3 looked at, and all is as it should be"
    assert 0 < waited[0] <= 7  # a lease of the tests, and five seconds


def test_database_that_cannot_be_asked_is_told(
    tmp_path: Path, runs: list[Execution], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its tables are of another release, or it is away."""

    def fail(**_: Any) -> None:
        raise DatabaseError("relation does not exist")

    monkeypatch.setattr(doctor, "check_runs", fail)

    [finding] = examine_runs(tmp_path)

    assert (finding.level, finding.subject, finding.told) == (Level.FAIL, "PostgreSQL", "relation does not exist")


@pytest.mark.parametrize("is_broken", [False, True])
def test_command_ends_with_a_code_that_says_whether_something_is_wrong(
    runs: list[Execution], settings: Any, tmp_path: Path, is_broken: bool
) -> None:
    settings.FLOWMAESTRO_HOME = tmp_path
    if is_broken:
        lose_event(runs[1])
    told = StringIO()

    with pytest.raises(SystemExit) as ended:
        call_command("doctor", "--runs", str(runs[0].pk), str(runs[1].pk), stdout=told)

    assert ended.value.code == int(is_broken)
    assert ("event_gap" in told.getvalue()) is is_broken
    assert "2 looked at" in told.getvalue()
