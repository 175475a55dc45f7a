"""What a node stores and tells shows no secret of its workspace."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from executions import signals
from handlers import HandlerError, NodeInput, NodeOutput, SelectPort, Usage, VariableWrite
from tests.executions.runs import outputs, reread, row, statuses
from tests.executions.scripted import Script, answers, raises
from tests.executions.secrets import READS, SECRET, leaks, prepare, stored
from tests.fakes import Messages

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def streamed() -> Any:
    """The pieces of text that were streamed, with their offsets."""
    pieces: list[tuple[int, str]] = []

    def receive(*, sender: Any, signal: Any, offset: int, text: str, **_: Any) -> None:
        pieces.append((offset, text))

    signals.token_streamed.connect(receive)
    yield pieces
    signals.token_streamed.disconnect(receive)


@pytest.fixture
def told() -> Any:
    """The frames that were sent."""
    told: list[Any] = []

    def receive(*, sender: Any, signal: Any, frames: Any, **_: Any) -> None:
        told.extend(frame.value() for frame in frames)

    signals.events_recorded.connect(receive)
    yield told
    signals.events_recorded.disconnect(receive)


class TestHiding:
    """Everything a handler can say, with the secret in it."""

    def test_output_with_the_secret_anywhere_is_hidden(
        self, messages: Messages, scripts: dict[str, Script], way: str
    ) -> None:
        """In a text, a key, JSON in a text; the rest is as it was."""
        scripts["a"] = answers(
            {"m": f"<{SECRET}>", SECRET: [1, 1.0, None], "json": json.dumps({"k": SECRET}), "error": f"{SECRET!r}"}
        )
        run = prepare("start -> a -> out", types={"start": "trigger", "a": way, "out": "output"}, nodes={
            **READS, "out": {"config": {"outputName": "said", "value": "{{a.m}}", "format": "json"}},
        })  # fmt: skip

        messages.deliver_all()

        assert outputs(run)["a"] == {
            "m": "<•••>",
            "•••": [1, 1.0, None],
            "json": '{"k": "•••"}',
            "error": "'•••'",
        }
        assert reread(run).outputs == {"said": "<•••>"}
        assert leaks(stored(run)) == []

    def test_secret_that_comes_back_in_another_node_is_hidden(
        self, messages: Messages, scripts: dict[str, Script], way: str
    ) -> None:
        """A service may give a token back long after it was sent; here even before, and from a node that reads none."""
        scripts["b"] = answers({"echo": SECRET})
        run = prepare("start -> b -> a", types={"start": "trigger", "a": way, "b": way}, nodes=READS, inputs={"x": 1})

        messages.deliver_all()

        assert outputs(run)["b"] == {"echo": "•••"}
        assert leaks(stored(run)) == []

    def test_secret_of_digits_leaves_longer_numbers_alone(
        self, messages: Messages, scripts: dict[str, Script], way: str
    ) -> None:
        scripts["a"] = answers({"pin": 1234, "total": 512345, "text": "pin 1234"})
        run = prepare("start -> a", types={"start": "trigger", "a": way}, nodes=READS, secret="1234")

        messages.deliver_all()

        assert outputs(run)["a"] == {"pin": "•••", "total": 512345, "text": "pin •••"}

    @pytest.mark.parametrize("on_error", ["fail", "continue", "port"])
    def test_failure_is_told_without_the_secret(
        self, messages: Messages, scripts: dict[str, Script], way: str, on_error: str
    ) -> None:
        """Its message, code and details, in the node, the run, the events and whatever reads them."""
        scripts["a"] = raises(
            HandlerError(f"no: {SECRET}", code=f"code-{SECRET}", details={"sent": [SECRET], SECRET: json.dumps(SECRET)})
        )
        more = {} if on_error == "port" else {"onError": {"strategy": on_error}}
        run = prepare(
            "start -> a, a:error -> h" if on_error == "port" else "start -> a -> h",
            types={"start": "trigger", "a": way},
            nodes={"a": {**READS["a"], **more}, "h": {"config": {"value": {"deep": ["{{a.error.message}}"]}}}},
        )

        messages.deliver_all()

        error = row(run, "a").error
        assert (error["message"], error["code"]) == ("no: •••", "code-•••")
        assert error["details"] == {"sent": ["•••"], "•••": '"•••"'}
        assert outputs(run).get("h") == (None if on_error == "fail" else {"result": {"deep": ["no: •••"]}})
        assert leaks(stored(run)) == []

    def test_bug_in_a_handler_is_told_and_logged_without_the_secret(
        self, messages: Messages, scripts: dict[str, Script], way: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Its traceback is in the log of the worker, as it is of any other bug."""
        scripts["a"] = raises(KeyError(SECRET))
        run = prepare("start -> a", types={"start": "trigger", "a": way}, nodes=READS)

        with caplog.at_level(logging.ERROR, logger="executions.runner"):
            messages.deliver_all()

        assert row(run, "a").error["message"] == "KeyError: '•••'"
        assert "Traceback (most recent call last)" in caplog.text
        assert "KeyError: '•••'" in caplog.text
        assert leaks([caplog.text, stored(run)]) == []

    def test_configuration_that_does_not_fit_is_told_without_the_secret(self, messages: Messages, way: str) -> None:
        run = prepare(
            "start -> a",
            types={"start": "trigger", "a": way},
            nodes={"a": {"config": {"number": "{{env.KEY}}", "value": "{{Number(env.KEY)}}"}}},
        )

        messages.deliver_all()

        assert row(run, "a").status == "failed"
        assert leaks(stored(run)) == []

    def test_long_configuration_is_hidden_before_it_is_cut(self, messages: Messages, way: str) -> None:
        """A cut through a secret would leave a half of it."""
        run = prepare(
            "start -> a",
            types={"start": "trigger", "a": way},
            nodes={"a": {"config": {"value": "w" * 16_370 + "{{env.KEY}}" + "w" * 1_000}}},
        )

        messages.deliver_all()

        assert row(run, "a").input["preview"].endswith("w•••w")

    def test_logs_variables_usage_and_ports_do_not_show_it(
        self, messages: Messages, scripts: dict[str, Script], way: str
    ) -> None:
        """Counts stay numbers, although the secret is one of them here."""

        def script(node: NodeInput[Any], lent: Any) -> NodeOutput:
            lent.log("info", f"sent {node.config.value}")
            lent.log("info", "x" * 3_998 + node.config.value)
            return NodeOutput(
                data=None,
                signal=SelectPort(port=f"to {node.config.value}"),
                writes=(
                    VariableWrite(name="v", how="value", value={"k": [node.config.value]}),
                    VariableWrite(name=node.config.value, how="value", value=1),
                ),
                usage=Usage(model=f"m-{node.config.value}", provider="p", prompt_tokens=123456, completion_tokens=1),
            )

        scripts["a"] = script
        run = prepare(
            "start -> a -> b",
            secret="123456",
            types={"start": "trigger", "a": way},
            nodes={**READS, "b": {"config": {"value": "{{var.v}}"}}},
            variables={"v": None},
        )

        messages.deliver_all()

        a = row(run, "a")
        assert [line[2] for line in a.logs] == ["sent •••", "x" * 3_998 + "••" + "… (4001 characters)"]
        assert outputs(run)["b"] == {"result": {"k": ["•••"]}}
        assert (a.port, a.usage["model"], a.usage["prompt_tokens"]) == ("to •••", "m-•••", 123456)
        assert leaks(stored(run), "123456") == []

    def test_port_that_is_drawn_is_taken_though_it_is_a_secret(self, messages: Messages) -> None:
        """It stands in the definition for everybody to read; hiding it would change which way the run goes."""
        config = {"expression": "{{env.KEY}}", "cases": [{"value": "blue"}]}
        run = prepare(
            "start -> switch, switch:blue -> b, switch:default -> d",
            nodes={"switch": {"config": config}},
            secret="blue",
        )

        messages.deliver_all()

        assert (statuses(run)["b"], statuses(run)["d"], row(run, "switch").port) == ("completed", "skipped", "blue")

    def test_events_sent_do_not_show_it(
        self, messages: Messages, scripts: dict[str, Script], told: list[Any], way: str
    ) -> None:
        scripts["a"] = answers({"m": SECRET})
        run = prepare("start -> a", types={"start": "trigger", "a": way}, nodes=READS)

        messages.deliver_all()

        assert [
            frame["data"]["output"] for frame in told if frame.get("node_id") == "a" and "port" in frame["data"]
        ] == [{"m": "•••"}]
        assert leaks([told, stored(run)]) == []


class TestStreaming:
    def test_secret_is_hidden_however_the_tokens_cut_it(
        self, messages: Messages, scripts: dict[str, Script], streamed: list[tuple[int, str]], way: str
    ) -> None:
        """What comes is what the output says, at the offsets where it says it."""
        text = f"The key is {SECRET}, I said: {SECRET}"

        def script(node: NodeInput[Any], lent: Any) -> NodeOutput:
            for at in range(0, len(text), 3):
                lent.token(text[at : at + 3])
            return NodeOutput(data={"text": text})

        scripts["a"] = script
        run = prepare("start -> a", types={"start": "trigger", "a": way}, nodes=READS)

        messages.deliver_all()

        told = "".join(piece for _, piece in streamed)
        assert told == outputs(run)["a"]["text"] == "The key is •••, I said: •••"
        assert [offset for offset, _ in streamed] == [
            sum(len(piece) for _, piece in streamed[:place]) for place in range(len(streamed))
        ]

    @pytest.mark.parametrize("ends", ["well", "badly"])
    def test_beginning_of_a_secret_is_told_only_when_it_was_none(
        self, messages: Messages, scripts: dict[str, Script], streamed: list[tuple[int, str]], way: str, ends: str
    ) -> None:
        """A text may end like that; a stream that broke off may have broken off within the secret."""

        def script(node: NodeInput[Any], lent: Any) -> NodeOutput:
            lent.token(f"a {SECRET[:6]}")
            if ends == "badly":
                raise HandlerError("the line is cut")
            return NodeOutput(data=1)

        scripts["a"] = script
        run = prepare("start -> a", types={"start": "trigger", "a": way}, nodes=READS)

        messages.deliver_all()

        assert [piece for _, piece in streamed] == (["a ", SECRET[:6]] if ends == "well" else ["a "])
        assert row(run, "a").status == ("completed" if ends == "well" else "failed")
