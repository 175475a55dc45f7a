"""Blob storage goes away, and comes back: as with the database, nothing is lost, repeated, or stuck."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from django.core.files.storage import storages
from pytest_django.fixtures import Settings

from executions import blobs, outage
from executions.core import RunStatus
from executions.leases import Orphans, lease
from executions.models import Execution, NodeRun
from handlers import NodeOutput
from tests.executions.accidents import recover
from tests.executions.runs import begin, outputs, reread, row, statuses, story
from tests.executions.scripted import Script, answers
from tests.executions.storages import Shaky, with_outputs_in
from tests.fakes import Messages

pytestmark = pytest.mark.django_db(transaction=True)

LARGE = "x" * 300_000


@pytest.fixture
def storage(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Shaky:
    settings.STORAGES = with_outputs_in("tests.executions.storages.Shaky")
    monkeypatch.setattr(outage, "_FIRST_WAIT", 0.001)
    return storages["outputs"]


class Counted:
    """A script that puts out a large text, and counts how often it was run."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self, node: Any, lent: Any) -> NodeOutput:
        self.times += 1
        return NodeOutput(data=LARGE)


class WithOrphans:
    """The thread that renews the lease looks for orphans while a storage is asked, twice as it must to see one."""

    def __init__(self, storage: Shaky) -> None:
        self.given: list[int] = []
        self._ask, self._orphans = storage._ask, Orphans()
        storage._ask = self.ask  # type: ignore[method-assign]

    def ask(self, kind: str) -> None:
        self.given += [self._orphans.give_back(lease.id()) for _ in range(2)]
        self._ask(kind)


def test_output_waits_in_the_task_while_the_storage_is_away(
    messages: Messages, scripts: dict[str, Script], way: str, storage: Shaky
) -> None:
    """The node is not completed before its output is stored, nor run again for it, unless it is pure."""
    scripts["a"] = counted = Counted()
    storage.away["save"] = 3
    run = begin(
        "start -> a -> b",
        types={"start": "trigger", "a": way},
        nodes={"b": {"config": {"value": "{{a.length}}"}}},
    )

    messages.deliver_all()

    assert (reread(run).status, outputs(run)["a"], outputs(run)["b"]) == ("completed", LARGE, {"result": 300_000})
    assert counted.times == (4 if way == "test.pureScript" else 1)
    assert (row(run, "a").attempt, reread(run).drive_failures, storage.calls["save"]) == (1, 0, 4)
    assert story(run).count("completed a") == 1


@pytest.mark.parametrize("lanes", [["drive", "io", "cpu"], ["drive"]])
def test_node_whose_output_waits_for_its_storage_is_not_given_to_others(
    messages: Messages, scripts: dict[str, Script], settings: Settings, storage: Shaky, lanes: list[str]
) -> None:
    """Held or sent: it has been done, and is not done again because the storage takes long."""
    settings.FLOWMAESTRO_LANES = lanes
    scripts["a"] = counted = Counted()
    storage.away["save"], orphans = 2, WithOrphans(storage)
    run = begin("start -> a", types={"start": "trigger", "a": "test.script"})

    messages.deliver_all()

    assert (orphans.given, counted.times, row(run, "a").attempt) == ([0] * 6, 1, 1)
    assert outputs(run)["a"] == LARGE


def test_node_whose_followers_wait_for_the_storage_is_not_given_to_others(
    messages: Messages, scripts: dict[str, Script], storage: Shaky
) -> None:
    """Its outcome is written together with what the pure nodes behind it put out."""
    effect, pure = Counted(), Counted()
    scripts.update({"a": effect, "b": pure})
    storage.away["save"], orphans = 3, WithOrphans(storage)
    run = begin("start -> a -> b", types={"start": "trigger", "a": "test.script", "b": "test.pureScript"})

    messages.deliver_all()

    assert (set(orphans.given), effect.times, row(run, "a").attempt) == ({0}, 1, 1)
    assert (outputs(run)["a"], outputs(run)["b"]) == (LARGE, LARGE)


@pytest.mark.parametrize("error", [OSError("stale file handle"), FileNotFoundError("not mounted")])
def test_reader_waits_while_the_storage_is_away(
    messages: Messages, scripts: dict[str, Script], way: str, storage: Shaky, error: Exception
) -> None:
    """What was let go is read again; that it cannot be is no failure of the node that refers to it."""
    scripts["a"] = answers(LARGE)
    run = begin(
        "start -> a -> c, start -> b -> c",
        default="test.script",
        types={"start": "trigger", "c": way},
        nodes={"c": {"config": {"value": "{{a.length}}"}}},
    )
    storage.error, storage.away["open"] = error, 3

    messages.deliver_all()

    assert (reread(run).status, outputs(run)["c"]) == ("completed", {"result": 300_000})
    assert (row(run, "c").attempt, reread(run).drive_failures) == (1, 0)
    assert storage.calls["open"] == 4 + 1  # and ours, just now


def test_output_that_finds_no_place_for_long_fails_the_run_as_the_engines_fault(
    messages: Messages, scripts: dict[str, Script], storage: Shaky, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is completed without its output, and nothing is running for ever."""
    monkeypatch.setattr(outage, "_LONGEST", outage._LONGEST * 0)
    scripts["a"] = answers(LARGE)
    storage.away["save"] = 1_000
    run = begin("start -> a", types={"start": "trigger", "a": "test.script"})

    messages.deliver_all()
    give_back_until_over(messages, run)

    assert (reread(run).status, reread(run).error["code"]) == ("failed", "internal_error")
    assert statuses(run)["a"] == "cancelled"


def test_blob_that_is_lost_fails_the_run_of_who_needs_it_as_the_engines_fault(
    messages: Messages, scripts: dict[str, Script], storage: Shaky, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is waited for, since a folder that is not mounted looks the same; then an operator has to look."""
    monkeypatch.setattr(outage, "_LONGEST", outage._LONGEST * 0)
    scripts["a"] = answers(LARGE)
    run = begin(
        "start -> a -> c, start -> b -> c",
        default="test.script",
        types={"start": "trigger"},
        nodes={"c": {"config": {"value": "{{a.length}}"}}},
    )
    while not NodeRun.objects.filter(execution=run, node_id="a", status="completed").exists():
        messages.deliver(messages.waiting.pop(0))
    blobs.delete_of(run.workspace_id, run.pk)

    messages.deliver_all()
    give_back_until_over(messages, run)

    assert (reread(run).status, reread(run).error["code"]) == ("failed", "internal_error")
    assert statuses(run) == {"start": "completed", "a": "completed", "b": "completed", "c": "cancelled"}


def give_back_until_over(messages: Messages, run: Execution) -> None:
    """What the process gave up is given back by itself, as its lease is kept, and sent again by the sweep."""
    orphans = Orphans()
    for _ in range(10):
        if RunStatus(reread(run).status).is_final:
            return
        for _ in range(2):
            orphans.give_back(lease.id())
        recover_once(messages, run)
    raise AssertionError(f"the run is {reread(run).status}")


def recover_once(messages: Messages, run: Execution) -> None:
    if not RunStatus(reread(run).status).is_final:
        with suppress(AssertionError):
            recover(messages, run, looks=1)
