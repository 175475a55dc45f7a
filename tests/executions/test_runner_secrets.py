"""A secret of the workspace reaches the node that reads it, and nothing that is stored or told of the run."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import InterfaceError, OperationalError
from pytest_django.fixtures import Settings

from executions.core import RunStatus
from handlers import NodeInput, NodeOutput
from tests.executions.runs import outputs, reread, row, statuses
from tests.executions.scripted import Script
from tests.executions.secrets import READS, SECRET, leaks, prepare, stored
from tests.factories import VariableFactory
from tests.fakes import Messages
from workflows.variables import services

pytestmark = pytest.mark.django_db(transaction=True)


class TestReading:
    def test_variable_is_read_plain_or_secret(self, messages: Messages, scripts: dict[str, Script], way: str) -> None:
        """The handler gets the value itself; what it gave back is stored without it, and so it is read."""
        seen: list[Any] = []
        scripts["a"] = lambda node, lent: seen.append(node.config.value) or NodeOutput(data=node.config.value)
        run = prepare(
            "start -> a -> b",
            types={"start": "trigger", "a": way},
            nodes={
                "a": {"config": {"value": ["{{env.KEY}}", "{{env.REGION}}/{{env.KEY}}!"]}},
                "b": {"config": {"value": "{{a}}"}},
            },
        )

        messages.deliver_all()

        assert seen == [[SECRET, f"eu-west/{SECRET}!"]]
        assert outputs(run)["a"] == ["•••", "eu-west/•••!"]
        assert outputs(run)["b"] == {"result": ["•••", "eu-west/•••!"]}
        assert row(run, "a").input == {"value": ["•••", "eu-west/•••!"]}
        assert leaks(stored(run)) == []

    @pytest.mark.parametrize("lanes", [["drive", "io", "cpu"], ["drive"]])  # in the driver's hands, or by a message
    def test_effect_reads_the_value_of_the_moment_it_starts(
        self, messages: Messages, scripts: dict[str, Script], settings: Settings, lanes: list[str]
    ) -> None:
        """A token that is renewed during a run is renewed for what comes."""
        settings.FLOWMAESTRO_LANES = lanes
        nodes = {name: {"config": {"value": "{{env.REGION}}"}} for name in "ab"}
        run = prepare(
            "start -> a -> b", types={"start": "trigger", "a": "test.script", "b": "test.script"}, nodes=nodes
        )

        def renew(node: NodeInput[Any], lent: Any) -> NodeOutput:
            run.workspace.variables.filter(name="REGION").update(value="us-east")
            return NodeOutput(data=node.config.value)

        scripts["a"] = renew
        messages.deliver_all()

        assert outputs(run) | {"start": None} == {"start": None, "a": "eu-west", "b": {"result": "us-east"}}

    @pytest.mark.parametrize("condition", ["{{env.REGION}} == 'eu-west'", "env.REGION == 'eu-west'"])
    def test_variable_is_read_in_a_condition(self, messages: Messages, condition: str) -> None:
        config = {"conditionType": "expression", "expression": condition}
        run = prepare("start -> if, if:true -> t, if:false -> f", nodes={"if": {"config": config}})

        messages.deliver_all()

        assert statuses(run) == {"start": "completed", "if": "completed", "t": "completed", "f": "skipped"}

    def test_variable_of_another_workspace_is_none(self, messages: Messages, way: str) -> None:
        VariableFactory(name="THEIRS", value="theirs")
        run = prepare(
            "start -> a",
            types={"start": "trigger", "a": way},
            nodes={"a": {"config": {"value": "{{env.THEIRS}} {{env.KEY}}"}}},
        )

        messages.deliver_all()

        error = row(run, "a").error
        assert (error["code"], reread(run).status) == ("missing_env", RunStatus.FAILED)
        assert error["message"] == "the workspace has no variable 'THEIRS'; add it, or correct the name"

    def test_secret_of_a_lost_key_fails_the_node_and_says_what_to_do(
        self, messages: Messages, way: str, settings: Settings
    ) -> None:
        """Also a node that does not read it: nobody could hide what nobody can read."""
        run = prepare(
            "start -> a, a:error -> h",
            types={"start": "trigger", "a": way},
            nodes={"h": {"config": {"value": "{{env.KEY}}"}}},
        )
        settings.SECRET_KEY = "another"

        messages.deliver_all()

        error = reread(run).error
        assert (error["code"], error["node_id"]) == ("unreadable_secret", "start")
        assert error["message"].startswith("cannot be decrypted: KEY. SECRET_KEY has changed: put the earlier one")

    def test_text_that_an_input_brings_is_no_reference(self, messages: Messages) -> None:
        """One pass: what a reference yields is never looked at again."""
        run = prepare(
            "start -> a",
            nodes={"a": {"config": {"value": "v={{start.msg}}"}}},
            inputs={"msg": "{{env.KEY}}"},
        )

        messages.deliver_all()

        assert outputs(run)["a"] == {"result": "v={{env.KEY}}"}


class TestCost:
    def test_plan_that_mentions_no_env_asks_for_none(
        self, messages: Messages, way: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """No query, and nothing is searched."""

        def refuse(*_: Any) -> Any:
            raise AssertionError("somebody asked")

        monkeypatch.setattr("workflows.variables.services.environment", refuse)
        run = prepare("start -> a", types={"start": "trigger", "a": way}, nodes={"a": {"config": {"value": "env.KEY"}}})

        messages.deliver_all()

        assert outputs(run)["a"] == {"result": "env.KEY"}

    def test_pure_nodes_of_a_turn_share_what_they_read(
        self, messages: Messages, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A loop of ten thousand is not ten thousand queries."""
        asked: list[Any] = []
        real = services.environment
        monkeypatch.setattr(services, "environment", lambda *args: asked.append(args) or real(*args))
        run = prepare("start -> a -> b -> c", nodes={"c": {"config": {"value": "{{env.KEY}}"}}})

        messages.deliver_all()

        assert outputs(run)["c"] == {"result": "•••"}
        assert asked == [(run.workspace_id, {"KEY"})]

    def test_database_that_is_away_is_waited_for(
        self, messages: Messages, scripts: dict[str, Script], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """As for any other value: to read it is nobody's failure."""
        calls = iter([OperationalError("away"), InterfaceError("still away")])
        real = services.environment

        def away_at_first(*args: Any) -> Any:
            for error in calls:
                raise error
            return real(*args)

        run = prepare("start -> a", default="test.script", nodes=READS)
        monkeypatch.setattr(services, "environment", away_at_first)

        messages.deliver_all()

        assert (reread(run).status, outputs(run)["a"]) == (RunStatus.COMPLETED, {"result": "•••"})
