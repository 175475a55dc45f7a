"""Whatever a node does wrong is a failure of the node: told, stored and followed as the workflow says."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from executions.core import RunStatus
from executions.models import Event
from handlers import HandlerError, NodeOutput, SelectPort, VariableWrite
from tests.executions.runs import begin, nested, outputs, reread, row, statuses, story
from tests.executions.scripted import Script, answers, raises
from tests.fakes import Messages

pytestmark = pytest.mark.django_db(transaction=True)


class Unspeakable:
    """Not JSON."""


def refusal_of_nan() -> str:
    """In the words of this Python."""
    with pytest.raises(ValueError) as refused:
        json.dumps(float("nan"), allow_nan=False)
    return str(refused.value)


FAILURES: dict[str, tuple[Script, str, str]] = {
    "an error of the handler": (raises(HandlerError("no luck", code="unlucky")), "unlucky", "no luck"),
    "a bug in the handler": (raises(KeyError("nope")), "internal_error", "KeyError: 'nope'"),
    "no output at all": (
        lambda node, lent: None,
        "internal_error",
        "AttributeError: 'NoneType' object has no attribute 'signal'",
    ),
    "an output that is not JSON": (
        answers({"at": datetime(2026, 1, 1, tzinfo=UTC)}),
        "invalid_output",
        "the output is not JSON: Object of type datetime is not JSON serializable",
    ),
    "a number that is none": (
        answers(float("nan")),
        "invalid_output",
        f"the output is not JSON: {refusal_of_nan()}",
    ),
    "more levels than a reader's stack has": (
        answers(nested(201)),
        "invalid_output",
        "the output is nested more than 200 levels deep",
    ),
    "more levels than even the writer's stack has": (
        answers(nested(50_000)),
        "invalid_output",
        "the output is nested more than 200 levels deep",
    ),
    "a port that no row can hold": (
        lambda node, lent: NodeOutput(data=1, signal=SelectPort(port="a\0b")),
        "invalid_output",
        r"the port 'a\x00b' is no text of at most 1,000 characters without NUL",
    ),
    "a write that is not JSON": (
        lambda node, lent: NodeOutput(data=1, writes=(VariableWrite(name="v", how="value", value={1, 2}),)),
        "invalid_output",
        "the output is not JSON: Object of type set is not JSON serializable",
    ),
    "a write that could make a sum infinite": (
        lambda node, lent: NodeOutput(data=1, writes=(VariableWrite(name="v", how="increment", value=1.7e308),)),
        "invalid_output",
        "the number for variable 'v' is not within ±1e+300",
    ),
    "a write that no float can be made of": (
        lambda node, lent: NodeOutput(data=1, writes=(VariableWrite(name="v", how="value", value=10**400),)),
        "invalid_output",
        "the number for variable 'v' is not within ±1e+300",
    ),
}


@pytest.mark.parametrize("reason", FAILURES)
def test_failure_of_any_kind_is_the_nodes_and_ends_the_run(
    messages: Messages, scripts: dict[str, Script], way: str, reason: str
) -> None:
    """With neither an error edge nor `onError`: the run fails with the node's error, and what follows never ran."""
    script, code, message = FAILURES[reason]
    scripts["a"] = script
    run = begin("start -> a -> b", types={"start": "trigger", "a": way})

    messages.deliver_all()

    error = reread(run).error
    assert reread(run).status == RunStatus.FAILED
    assert (error["code"], error["message"], error["node_id"], error["attempts"]) == (code, message, "a", 1)
    assert statuses(run) == {"start": "completed", "a": "failed", "b": "cancelled"}
    assert story(run)[-2:] == ["failed a", "execution:failed"]
    assert reread(run).drive_failures == 0


@pytest.mark.parametrize("reason", FAILURES)
def test_failure_of_any_kind_takes_the_error_edge(
    messages: Messages, scripts: dict[str, Script], way: str, reason: str
) -> None:
    """The run goes on, the node is shown as failed, and the handler of the error reads what happened."""
    script, code, message = FAILURES[reason]
    scripts["a"] = script
    run = begin(
        "start -> a -> b, a:error -> h",
        types={"start": "trigger", "a": way},
        nodes={"h": {"config": {"value": "{{a.error.code}}: {{a.error.message}}"}}},
    )

    messages.deliver_all()

    assert reread(run).status == RunStatus.COMPLETED
    assert statuses(run) == {"start": "completed", "a": "failed", "b": "skipped", "h": "completed"}
    assert outputs(run)["h"] == {"result": f"{code}: {message}"}
    assert row(run, "a").handled


class TestOnError:
    def test_continue_completes_with_the_error_as_output(
        self, messages: Messages, scripts: dict[str, Script], way: str
    ) -> None:
        scripts["a"] = raises(HandlerError("no luck", code="unlucky", details={"dice": [1, 1]}))
        run = begin(
            "start -> a -> b",
            types={"start": "trigger", "a": way},
            nodes={
                "a": {"onError": {"strategy": "continue"}},
                "b": {"config": {"value": "{{a.error.details.dice}}"}},
            },
        )

        messages.deliver_all()

        assert statuses(run) == {"start": "completed", "a": "completed", "b": "completed"}
        assert outputs(run)["b"] == {"result": [1, 1]}

    @pytest.mark.parametrize("fallback", [{"result": "plan b"}, None, []])
    def test_fallback_completes_with_its_value(
        self, messages: Messages, scripts: dict[str, Script], way: str, fallback: Any
    ) -> None:
        scripts["a"] = raises(HandlerError("no luck"))
        on_error = {"strategy": "fallback", "fallbackValue": fallback}
        run = begin("start -> a", types={"start": "trigger", "a": way}, nodes={"a": {"onError": on_error}})

        messages.deliver_all()

        assert reread(run).status == RunStatus.COMPLETED
        assert reread(run).outputs == {"a": fallback}

    def test_goto_is_an_error_edge_that_is_not_drawn(
        self, messages: Messages, scripts: dict[str, Script], way: str
    ) -> None:
        scripts["a"] = raises(HandlerError("no luck"))
        on_error = {"strategy": "goto", "gotoNode": "h"}
        run = begin(
            "start -> a -> b, start -> h", types={"start": "trigger", "a": way}, nodes={"a": {"onError": on_error}}
        )

        messages.deliver_all()

        assert statuses(run) == {"start": "completed", "a": "failed", "b": "skipped", "h": "completed"}


def test_error_with_an_output_is_an_answer_when_there_is_no_further_attempt(
    messages: Messages, scripts: dict[str, Script], way: str
) -> None:
    """A 503 is worth another attempt, not a failure (`handlers.errors`)."""
    scripts["a"] = raises(HandlerError("503", retryable=True, output=NodeOutput(data={"status": 503})))
    run = begin("start -> a", types={"start": "trigger", "a": way}, nodes={"a": {"retry": {"attempts": 1}}})

    messages.deliver_all()

    assert reread(run).outputs == {"a": {"status": 503}}


@pytest.mark.parametrize(
    ("details", "told"),
    [
        ({"n": [1, {"k": None}]}, {"n": [1, {"k": None}]}),
        ({1: ("a", "b")}, {"1": ["a", "b"]}),  # as JSON has it, also while the run is in our hands
        (
            {"what": Unspeakable},
            {"unreadable": "the output is not JSON: Object of type type is not JSON serializable"},
        ),
        ("a text", {"value": "a text"}),
    ],
)
def test_details_of_an_error_are_told_as_json(
    messages: Messages, scripts: dict[str, Script], way: str, details: Any, told: Any
) -> None:
    """What a handler says of its failure never hides that it failed."""
    scripts["a"] = raises(HandlerError("no luck", details=details))
    run = begin(
        "start -> a, a:error -> h",
        types={"start": "trigger", "a": way},
        nodes={"h": {"config": {"value": "{{a.error.details}}"}}},
    )

    messages.deliver_all()

    assert outputs(run)["h"] == {"result": told}


@pytest.mark.parametrize("text", ["a\0b", "half a pair: \ud83d", "gr\u00fc\u00dfe \U0001f600"])
def test_error_text_of_any_characters_is_told(
    messages: Messages, scripts: dict[str, Script], way: str, text: str
) -> None:
    """The row keeps the text as it is. Events are text for clients: what they cannot carry is a replacement sign."""
    scripts["a"] = raises(HandlerError(text, details={text: text}))
    run = begin("start -> a", types={"start": "trigger", "a": way})

    messages.deliver_all()

    shown = text.replace("\0", "\ufffd").replace("\ud83d", "\ufffd")
    told = [
        data["error"]
        for data in Event.objects.filter(execution=run, type__endswith=":failed").values_list("data", flat=True)
    ]
    assert [reread(run).status, reread(run).error["message"], row(run, "a").error["message"]] == ["failed", text, text]
    assert [(error["message"], error["details"]) for error in told] == [(shown, {shown: shown})] * 2
