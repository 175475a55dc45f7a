from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection

from executions import signals
from executions.metadata import LONGEST_KEY, LONGEST_VALUE, MOST_ENTRIES, entries_of, metadata_of, write_entry
from executions.models import RunMetadata
from handlers import HandlerError, InputError, NodeInput, NodeOutput
from tests.doors import Api, data
from tests.executions.runs import begin, row
from tests.executions.scripted import Script
from tests.executions.secrets import SECRET, leaks, prepare, stored
from tests.factories import ExecutionFactory
from tests.fakes import Messages


@pytest.fixture
def told() -> Any:
    """What is told of entries, as it is told."""
    told: list[tuple[str, str]] = []

    def receive(*, sender: Any, signal: Any, key: str, value: str, **_: Any) -> None:
        told.append((key, value))

    signals.metadata_set.connect(receive)
    yield told
    signals.metadata_set.disconnect(receive)


@pytest.mark.django_db
class TestEntries:
    def test_last_value_of_a_key_stays_where_its_first_was(self) -> None:
        run, other = ExecutionFactory(), ExecutionFactory()
        for key, value in (("b", "1"), ("a", '{"x":[null]}'), ("b", "2")):
            write_entry(run.pk, key, value)
        write_entry(other.pk, "b", "3")

        assert list(metadata_of(run.pk).items()) == [("b", 2), ("a", {"x": [None]})]

    @pytest.mark.parametrize(
        ("key", "value"), [("", "1"), ("k" * (LONGEST_KEY + 1), "1"), ("k", f'"{"x" * LONGEST_VALUE}"')]
    )
    def test_entry_that_is_too_large_is_refused(self, key: str, value: str) -> None:
        with pytest.raises(InputError) as raised:
            write_entry(ExecutionFactory().pk, key, value)

        assert raised.value.code == "metadata_too_large"
        assert not RunMetadata.objects.exists()

    def test_run_that_has_enough_takes_new_values_and_no_new_keys(self) -> None:
        run = ExecutionFactory()
        for number in range(MOST_ENTRIES):
            write_entry(run.pk, f"key {number}", "1")

        with pytest.raises(InputError, match="100 entries") as raised:
            write_entry(run.pk, "one more", "1")
        write_entry(run.pk, "key 7", "2")

        assert raised.value.code == "metadata_full"
        assert (len(metadata_of(run.pk)), metadata_of(run.pk)["key 7"]) == (MOST_ENTRIES, 2)

    @pytest.mark.parametrize(
        ("before", "how", "becomes"),
        [
            ('"text"', "append", [2]),
            ("{}", "append", [2]),
            ("[]", "append", [2]),
            ('"text"', "increment", 2),
            ("true", "increment", 2),
            ("null", "increment", 2),
            ("1e300", "increment", 10**300 + 2),
        ],
    )
    def test_entry_of_another_kind_begins_anew(self, before: str, how: Any, becomes: Any) -> None:
        """As with workflow variables."""
        run = ExecutionFactory()
        write_entry(run.pk, "k", before)

        write_entry(run.pk, "k", "2", how=how)

        assert metadata_of(run.pk) == {"k": becomes}

    @pytest.mark.parametrize(
        ("value", "how", "code"),
        [
            ('"2"', "increment", "invalid_metadata"),
            ("true", "increment", "invalid_metadata"),
            ("1e301", "increment", "invalid_metadata"),
            ("2", "multiply", "invalid_metadata"),
            (f'"{"x" * (LONGEST_VALUE - 5)}"', "append", "metadata_too_large"),  # with what is there
        ],
    )
    def test_change_that_cannot_be_made_changes_nothing(self, value: str, how: Any, code: str) -> None:
        run = ExecutionFactory()
        write_entry(run.pk, "k", "[1]")

        with pytest.raises(InputError) as raised:
            write_entry(run.pk, "k", value, how=how)

        assert raised.value.code == code
        assert entries_of(run.pk) == [("k", [1], 1)]

    def test_key_that_no_column_holds_is_kept_as_far_as_it_can_be(self) -> None:
        """Whatever a model or a service calls it."""
        run = ExecutionFactory()

        write_entry(run.pk, "a\0b\ud800", '"\\u0000"')

        assert metadata_of(run.pk) == {"a\ufffdb\ufffd": "\0"}


@pytest.mark.django_db(transaction=True)
class TestLent:
    def test_entries_are_appended_and_added_to(self, told: list[tuple[str, str]]) -> None:
        """What is told is what they have become."""
        run = ExecutionFactory()
        for how, values in {"append": ('{"a":1}', '"ü"', "[2]"), "increment": ("1", "0.1", "0.2", "-1")}.items():
            for value in values:
                write_entry(run.pk, how, value, how=how)

        assert metadata_of(run.pk) == {"append": [{"a": 1}, "ü", [2]], "increment": 0.3}
        assert [json.loads(value) for _, value in told] == [
            [{"a": 1}],
            [{"a": 1}, "ü"],
            [{"a": 1}, "ü", [2]],
            1,
            1.1,
            1.3,
            0.3,
        ]
        assert [revision for _, _, revision in entries_of(run.pk)] == [3, 4]

    def test_nodes_that_add_at_the_same_time_do_not_overwrite_each_other(self) -> None:
        run = ExecutionFactory()

        def add(number: int) -> None:
            try:
                write_entry(run.pk, "sum", "1", how="increment")
                write_entry(run.pk, "list", str(number), how="append")
            finally:
                connection.close()

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(add, range(40)))

        said = metadata_of(run.pk)
        assert (said["sum"], sorted(said["list"])) == (40, list(range(40)))

    def test_entry_is_there_while_the_node_works_and_stays_when_it_fails(
        self, messages: Messages, scripts: dict[str, Script], told: list[tuple[str, str]]
    ) -> None:
        seen: list[Any] = []

        def script(node: NodeInput[Any], lent: Any) -> NodeOutput:
            lent.metadata("rows", 7)
            seen.append((metadata_of(node.execution_id), list(told)))
            raise HandlerError("no")

        scripts["a"] = script
        run = begin("start -> a", types={"start": "trigger", "a": "test.script"})

        messages.deliver_all()

        assert seen == [({"rows": 7}, [("rows", "7")])]
        assert data(Api(run.workspace).get(f"/executions/{run.pk}"))["metadata"] == {"rows": 7}

    def test_secrets_in_it_are_hidden(
        self, messages: Messages, scripts: dict[str, Script], told: list[tuple[str, str]], way: str
    ) -> None:
        """In the key, in the value, in what is told."""

        def script(node: NodeInput[Any], lent: Any) -> NodeOutput:
            lent.metadata(f"of {SECRET}", {"deep": [SECRET, {SECRET: 1}]})
            return NodeOutput(data=None)

        scripts["a"] = script
        run = prepare(
            "start -> a", types={"start": "trigger", "a": way}, nodes={"a": {"config": {"value": "{{env.KEY}}"}}}
        )

        messages.deliver_all()

        assert metadata_of(run.pk) == {"of •••": {"deep": ["•••", {"•••": 1}]}}
        assert [key for key, _ in told] == ["of •••"]
        assert leaks([told, metadata_of(run.pk), stored(run)]) == []

    def test_value_that_is_no_json_fails_the_node_and_is_not_kept(
        self, messages: Messages, scripts: dict[str, Script]
    ) -> None:
        """As an output would."""

        def script(node: NodeInput[Any], lent: Any) -> NodeOutput:
            lent.metadata("rows", float("nan"))
            return NodeOutput(data=None)

        scripts["a"] = script
        run = begin("start -> a", types={"start": "trigger", "a": "test.script"})

        messages.deliver_all()

        assert row(run, "a").status == "failed"
        assert metadata_of(run.pk) == {}
