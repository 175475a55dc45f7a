from __future__ import annotations

from typing import Any

import psycopg
import pytest
from pytest_django.fixtures import Settings

from executions import blobs, hotpath, runner
from executions.core import RunStatus
from handlers import HandlerError, NodeOutput, Usage, VariableWrite
from tests.executions.runs import begin, nested, outputs, reread, row, statuses
from tests.executions.scripted import Script, answers, raises
from tests.fakes import Messages

pytestmark = pytest.mark.django_db(transaction=True)


def test_port_of_a_long_case_is_taken(messages: Messages) -> None:
    """A switch has cases of up to a thousand characters, and an edge leaves by each."""
    case = "c" * 1_000
    run = begin(
        f"start -> switch, switch:{case} -> a, switch:default -> b",
        nodes={"switch": {"config": {"expression": "{{start.case}}", "cases": [{"value": case}]}}},
        inputs={"case": case},
    )

    messages.deliver_all()

    assert statuses(run) == {"start": "completed", "switch": "completed", "a": "completed", "b": "skipped"}
    assert row(run, "switch").port == case


class TestOutputSize:
    @pytest.mark.parametrize(
        ("text", "fits"),
        [
            ("x" * 98, True),  # and two quotes
            ("x" * 99, False),
            ("ü" * 49, True),  # of two bytes each
            ("ü" * 50, False),
        ],
    )
    def test_output_may_have_so_many_bytes_and_no_more(
        self, messages: Messages, scripts: dict[str, Script], way: str, settings: Settings, text: str, fits: bool
    ) -> None:
        """Nothing is truncated: it is stored whole, or the node fails."""
        settings.FLOWMAESTRO_MAX_OUTPUT_BYTES = 100
        scripts["a"] = answers(text)
        run = begin("start -> a", types={"start": "trigger", "a": way})

        messages.deliver_all()

        a = row(run, "a")
        assert (a.output, a.error and a.error["code"]) == ((text, None) if fits else (None, "output_too_large"))

    @pytest.mark.parametrize(
        ("text", "inline"),
        [
            ("x" * 262_142, True),
            ("x" * 262_143, False),
            ("ü" * 131_071, True),
            ("ü" * 131_072, False),
        ],
    )
    def test_output_above_the_inline_limit_is_a_blob(
        self, messages: Messages, scripts: dict[str, Script], way: str, text: str, inline: bool
    ) -> None:
        """The row says where it is and how long, in a column of its own."""
        scripts["a"] = answers(text)
        run = begin("start -> a", types={"start": "trigger", "a": way})

        messages.deliver_all()

        a = row(run, "a")
        assert (a.status, outputs(run)["a"]) == ("completed", text)
        assert (a.output is None, a.output_ref is None) == (not inline, inline)
        assert inline or (a.output_ref["characters"], a.output_ref["bytes"]) == (len(text) + 2, len(text.encode()) + 2)

    @pytest.mark.parametrize("size", [300 * 1024, 5 * 1024 * 1024])
    @pytest.mark.parametrize("reader", ["test.pureScript", "test.script"])
    def test_part_of_a_blob_is_read_by_who_refers_to_it(
        self, messages: Messages, scripts: dict[str, Script], way: str, reader: str, size: int
    ) -> None:
        """Once it went through our hands, and once it did not: behind a join that another message leads to."""
        scripts["a"] = answers({"data": "x" * size, "n": size})
        run = begin(
            "start -> a -> b -> c, start -> d -> c",
            types={"start": "trigger", "a": way, "b": reader, "c": reader, "d": "test.script"},
            nodes={
                "b": {"config": {"value": "{{a.data.length}}"}},
                "c": {"config": {"value": "{{a.n}} {{b.result}} {{d.result}}"}},
                "d": {"config": {"value": 1}},
            },
        )

        messages.deliver_all()

        assert (outputs(run)["b"], outputs(run)["c"]) == ({"result": size}, {"result": f"{size} {size} 1"})

    def test_output_above_the_limit_leaves_by_the_error_port(
        self, messages: Messages, scripts: dict[str, Script], way: str
    ) -> None:
        """With the limit as it is, and no blob left behind."""
        scripts["a"] = answers("x" * (64 * 1024 * 1024 - 1))
        run = begin(
            "start -> a -> b, a:error -> h",
            types={"start": "trigger", "a": way},
            nodes={"h": {"config": {"value": "{{a.error.code}}: {{a.error.message}}"}}},
        )

        messages.deliver_all()

        said = "output_too_large: the output has 67,108,865 bytes; the limit is 67,108,864"
        assert (statuses(run)["b"], outputs(run)["h"]) == ("skipped", {"result": said})
        assert blobs.keys_of(run.workspace_id, run.pk) == []

    def test_large_error_on_its_port_is_a_blob(self, messages: Messages, scripts: dict[str, Script], way: str) -> None:
        """What a failure gives to its error port is an output like any other."""
        scripts["a"] = raises(HandlerError("no", details={"page": "x" * 300_000}))
        run = begin(
            "start -> a, a:error -> h",
            types={"start": "trigger", "a": way},
            nodes={"h": {"config": {"value": "{{a.error.details.page.length}}"}}},
        )

        messages.deliver_all()

        assert (row(run, "a").output_ref is None, outputs(run)["h"]) == (False, {"result": 300_000})

    def test_wide_output_with_few_levels_is_stored(
        self, messages: Messages, scripts: dict[str, Script], way: str
    ) -> None:
        """It is how deep it is that counts, not how many lists there are."""
        scripts["a"] = answers([[[]]] * 1_000)
        run = begin("start -> a", types={"start": "trigger", "a": way})

        messages.deliver_all()

        assert outputs(run)["a"] == [[[]]] * 1_000

    def test_deepest_output_is_read_by_who_refers_to_it(
        self, messages: Messages, scripts: dict[str, Script], way: str
    ) -> None:
        scripts["a"] = answers(nested(200))
        nodes = {"b": {"config": {"value": "{{a}}"}}}
        run = begin("start -> a -> b, b:error -> h", types={"start": "trigger", "a": way}, nodes=nodes)

        messages.deliver_all()

        assert (row(run, "a").status, row(run, "b").error["code"]) == ("completed", "invalid_output")


class TestResolution:
    @pytest.mark.parametrize(
        ("config", "code", "message"),
        [
            (
                {"value": "{{env.KEY}}"},
                "missing_env",
                "the workspace has no variable 'KEY'; add it, or correct the name",
            ),
            (
                {"number": "{{start.word}}"},
                "invalid_config",
                "number: Input should be a valid integer, unable to parse string as an integer",
            ),
        ],
    )
    def test_configuration_that_cannot_run_fails_the_node(
        self, messages: Messages, way: str, config: Any, code: str, message: str
    ) -> None:
        run = begin(
            "start -> a, a:error -> h",
            types={"start": "trigger", "a": way},
            nodes={"a": {"config": config}, "h": {"config": {"value": "{{a.error.message}}"}}},
            inputs={"word": "seven"},
        )

        messages.deliver_all()

        assert (row(run, "a").error["code"], outputs(run)["h"]) == (code, {"result": message})

    def test_reference_to_nothing_leaves_a_line_and_no_value(self, messages: Messages, way: str) -> None:
        nodes = {"a": {"config": {"value": "{{ghost.name}}"}}}
        run = begin("start -> a", types={"start": "trigger", "a": way}, nodes=nodes)

        messages.deliver_all()

        a = row(run, "a")
        assert a.output == {"result": None}
        assert [line[1:] for line in a.logs] == [["warning", "{{ghost.name}} names nothing that this node can see"]]

    def test_long_configuration_is_cut_for_people_and_says_so(self, messages: Messages, way: str) -> None:
        """What the handler gets is whole."""
        word = "w" * 20_000
        nodes = {"a": {"config": {"value": "{{start.word}}"}}}
        run = begin("start -> a", types={"start": "trigger", "a": way}, nodes=nodes, inputs={"word": word})

        messages.deliver_all()

        a = row(run, "a")
        assert a.output == {"result": word}
        assert a.input == {"preview": f'{{"value":"{word}'[:16_384], "characters": 20_012, "cut": True}


def test_handler_is_told_its_attempt(messages: Messages, scripts: dict[str, Script], way: str) -> None:
    told: list[Any] = []
    scripts["a"] = lambda node, lent: told.append(node) or NodeOutput(data=None)
    run = begin("start -> a", types={"start": "trigger", "a": way}, inputs={"not": "for it"})

    messages.deliver_all()

    [node] = told
    assert (node.execution_id, node.workspace_id, node.node_id, node.scope) == (run.pk, run.workspace_id, "a", "")
    assert (node.attempt, node.idempotency_key, node.inputs) == (1, f"{run.pk}:a:", {})
    assert node.now == row(run, "a").started_at


def test_usage_and_logs_are_kept_with_the_node(messages: Messages, scripts: dict[str, Script], way: str) -> None:
    usage = Usage(model="m", provider="p", prompt_tokens=3, completion_tokens=4)

    def script(node: Any, lent: Any) -> NodeOutput:
        lent.log("info", "so far")
        lent.log("info", b"no text at all")
        return NodeOutput(data=1, usage=usage)

    scripts["a"] = script
    run = begin("start -> a", types={"start": "trigger", "a": way})

    messages.deliver_all()

    a = row(run, "a")
    assert (a.usage, [line[1:] for line in a.logs]) == (
        usage.to_json(),
        [["info", "so far"], ["info", "b'no text at all'"]],
    )


def test_written_value_is_the_same_in_hand_and_in_its_row(
    messages: Messages, scripts: dict[str, Script], way: str
) -> None:
    """A tuple or a number as a key is what JSON makes of it, for whoever reads the variable first."""
    value: Any = {1: ("a", "b")}
    scripts["a"] = lambda node, lent: NodeOutput(data=None, writes=(VariableWrite(name="v", how="value", value=value),))
    run = begin(
        "start -> a -> b",
        types={"start": "trigger", "a": way},
        nodes={"b": {"config": {"value": ["{{var.v}}", "{{var.v['1']}}"]}}},
        variables={"v": None},
    )

    messages.deliver_all()

    assert outputs(run)["b"] == {"result": [{"1": ["a", "b"]}, ["a", "b"]]}


@pytest.mark.parametrize("text", ["a\0b", "half \ud83d", "\\u0000"])
def test_variables_hold_any_text(messages: Messages, scripts: dict[str, Script], way: str, text: str) -> None:
    write = VariableWrite(name="v", how="value", value=text)
    scripts["a"] = lambda node, lent: NodeOutput(data=None, writes=(write,))
    run = begin(
        "start -> a -> b",
        types={"start": "trigger", "a": way, "b": way},
        nodes={"b": {"config": {"value": "{{var.v}}"}}},
        variables={"v": None},
    )

    messages.deliver_all()

    assert outputs(run)["b"] == {"result": text}


class TestConnection:
    def test_effect_holds_no_connection_while_it_runs(self, messages: Messages, scripts: dict[str, Script]) -> None:
        """A hundred that wait must not take a hundred."""
        held: list[bool] = []
        scripts["a"] = lambda node, lent: held.append(runner.connection.connection is not None) or NodeOutput(data=1)
        run = begin("start -> a", default="test.script")

        messages.deliver_all()

        assert (reread(run).status, held) == (RunStatus.COMPLETED, [False])


@pytest.mark.parametrize("name", ["outputs", "variables"])
def test_values_that_cannot_be_read_are_nobodys_failure(
    messages: Messages, way: str, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """The database is away: reading is tried again, and the node does not notice."""
    calls = iter([psycopg.OperationalError("the database is away"), psycopg.InterfaceError("still away")])
    real = getattr(hotpath, name)

    def away_at_first(*args: Any) -> Any:
        for error in calls:
            raise error
        return real(*args)

    wide = "w" * 70_000
    run = begin(
        "start -> first -> a, start -> second",  # in two branches, so that somebody reads from rows
        default="test.script",
        types={"start": "trigger", "a": way},
        nodes={"first": {"config": {"value": wide}}, "a": {"config": {"value": "{{first.result}}{{var.v}}"}}},
        variables={"v": "!"},
    )
    monkeypatch.setattr(hotpath, name, away_at_first)

    messages.deliver_all()

    assert outputs(run)["a"] == {"result": f"{wide}!"}
    assert reread(run).status == RunStatus.COMPLETED
