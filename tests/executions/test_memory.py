from __future__ import annotations

from collections.abc import Callable
from threading import Thread
from typing import Any
from uuid import UUID

import pytest
from django.db import connection

from executions import memory
from executions.memory import LentMemory, entries_of
from executions.models import MemoryEntry
from executions.rerunning import rerun_execution, retry_execution
from handlers import InputError, NodeInput, NodeOutput
from handlers.ports import Remembered
from tests.executions.reruns import ended
from tests.executions.runs import outputs, reread, statuses
from tests.executions.scripted import Script
from tests.factories import ExecutionFactory
from tests.fakes import Messages

pytestmark = pytest.mark.django_db(transaction=True)


def of(execution_id: UUID, node_id: str = "a", *, hide: Callable[[str], str] = str) -> LentMemory:
    return LentMemory(execution_id=execution_id, node_id=node_id, hide=hide)


@pytest.fixture
def run_id() -> UUID:
    return UUID(str(ExecutionFactory().pk))


def remembered(run_id: UUID) -> dict[str, Any]:
    return {entry.key: entry.value for entry in entries_of(run_id)}


def test_entries_are_read_back_as_they_were_stored(run_id: UUID) -> None:
    value = {"text": "é\0", "list": [1, 1.5, None, True]}
    of(run_id).store(Remembered(key="k", value=value, embedding=[0.5, -0.25], embedded_by="openai/e"))

    assert of(run_id).all() == [Remembered(key="k", value=value, embedding=(0.5, -0.25), embedded_by="openai/e")]


def test_an_entry_is_replaced_and_keeps_its_place(run_id: UUID) -> None:
    for key, value, node in [("x", 1, "a"), ("y", 2, "a"), ("x", 3, "b"), ("x", 4, "a"), ("y", 5, "a")]:
        of(run_id, node).store(Remembered(key=key, value=value))

    assert list(remembered(run_id).items()) == [("x", 4), ("y", 5)]


def test_the_memory_of_another_run_is_another(run_id: UUID) -> None:
    of(run_id).store(Remembered(key="k", value=1))

    assert of(UUID(str(ExecutionFactory().pk))).all() == []


def test_secrets_are_hidden_before_they_are_stored(run_id: UUID) -> None:
    of(run_id, hide=lambda text: text.replace("s3cret", "•••")).store(Remembered(key="k", value={"of": "s3cret"}))

    assert remembered(run_id) == {"k": {"of": "•••"}}


@pytest.mark.parametrize("key", ["", "x" * 257, "nul\0", "\ud800"])
def test_a_key_that_cannot_be_one_is_refused(run_id: UUID, key: str) -> None:
    with pytest.raises(InputError) as caught:
        of(run_id).store(Remembered(key=key, value=1))

    assert caught.value.code == "invalid_key"


def test_a_value_has_100_kilobytes_at_most(run_id: UUID) -> None:
    of(run_id).store(Remembered(key="fits", value="x" * (100 * 1024 - 2)))

    with pytest.raises(InputError, match="102,401 bytes") as caught:
        of(run_id).store(Remembered(key="large", value="x" * (100 * 1024 - 1)))

    assert caught.value.code == "value_too_large"


def test_a_run_remembers_so_many_entries_and_old_ones_can_still_be_replaced(
    run_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "MOST_ENTRIES", 2)
    of(run_id).store(Remembered(key="x", value=1))
    of(run_id).store(Remembered(key="y", value=1))

    of(run_id, "b").store(Remembered(key="x", value=2))
    with pytest.raises(InputError) as caught:
        of(run_id).store(Remembered(key="z", value=1))

    assert (caught.value.code, remembered(run_id)) == ("memory_full", {"x": 2, "y": 1})


def test_a_run_remembers_so_many_bytes(run_id: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "MOST_BYTES", 10)
    of(run_id).store(Remembered(key="x", value="12345678"))

    with pytest.raises(InputError) as caught:
        of(run_id).store(Remembered(key="y", value=1))
    of(run_id).store(Remembered(key="x", value="87654321"))

    assert caught.value.code == "memory_full"
    assert remembered(run_id) == {"x": "87654321"}


def test_nodes_that_store_at_once_do_not_go_beyond_the_bound_together(
    run_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "MOST_ENTRIES", 3)
    refused: list[str] = []

    def store(name: str) -> None:
        try:
            of(run_id, name).store(Remembered(key=name, value=1))
        except InputError as error:
            refused.append(error.code)
        finally:
            connection.close()

    threads = [Thread(target=store, args=(f"n{number}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (len(remembered(run_id)), refused) == (3, ["memory_full"] * 5)


def test_memory_holds_no_connection(run_id: UUID) -> None:
    of(run_id).store(Remembered(key="k", value=1))
    of(run_id).all()

    assert connection.connection is None


def remembers(key: str, value: Any) -> Script:
    def script(node: NodeInput[Any], lent: Any) -> NodeOutput:
        lent.memory.store(Remembered(key=key, value=value))
        return NodeOutput(data={entry.key: entry.value for entry in lent.memory.all()})

    return script


class TestRuns:
    def test_what_one_node_stores_another_finds(self, messages: Messages, scripts: dict[str, Script]) -> None:
        scripts |= {"a": remembers("x", 1), "b": remembers("y", 2)}

        run = ended(messages, "start -> a -> b", types={"start": "trigger", "a": "test.script", "b": "test.script"})

        assert outputs(run)["b"] == {"x": 1, "y": 2}
        assert remembered(run.pk) == {"x": 1, "y": 2}

    def test_a_rerun_has_what_the_nodes_stored_that_it_keeps(
        self, messages: Messages, scripts: dict[str, Script]
    ) -> None:
        """Also where a node that runs again had stored something else since."""
        scripts |= {"a": remembers("x", "of a"), "b": remembers("x", "of b"), "c": remembers("z", 1)}
        types = {"start": "trigger"} | dict.fromkeys("abc", "test.script")
        before = ended(messages, "start -> a -> b -> c", types=types)
        scripts["b"] = lambda node, lent: NodeOutput(data={entry.key: entry.value for entry in lent.memory.all()})

        run = rerun_execution(before.pk, from_node="b")
        messages.deliver_all()

        assert outputs(run)["b"] == {"x": "of a"}
        assert remembered(run.pk) == {"x": "of a", "z": 1}
        assert remembered(before.pk) == {"x": "of b", "z": 1}

    def test_a_retry_has_what_the_body_of_a_kept_container_stored(
        self, messages: Messages, scripts: dict[str, Script]
    ) -> None:
        scripts["x"] = remembers("in the body", 1)
        types = {"start": "trigger", "loop": "loop", "x": "test.script", "bad": "test.fail"}
        before = ended(messages, "start -> loop -> bad, loop:body -> x", types=types)
        assert statuses(before)["bad"] == "failed"

        run = retry_execution(before.pk)

        assert remembered(run.pk) == {"in the body": 1}

    def test_what_a_run_remembers_goes_with_it(self, messages: Messages, scripts: dict[str, Script]) -> None:
        scripts["a"] = remembers("x", 1)
        run = reread(ended(messages, "start -> a", types={"start": "trigger", "a": "test.script"}))

        run.delete()

        assert not MemoryEntry.objects.exists()
