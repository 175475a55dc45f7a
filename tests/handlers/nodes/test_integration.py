from __future__ import annotations

from typing import Any

import pytest

from handlers import ConfigError
from handlers.ports import Credential
from handlers.registry import check_config
from tests.handlers.fakes import CATALOGUE, RecordingLent, run
from tests.handlers.integrations.played import asked, reply
from tests.handlers.servers import Received, http_server

SLACK = {"provider": "slack", "operation": "sendMessage", "connectionId": "c"}
HELLO = {"channel": "#a", "text": "Hello"}


def send(config: dict[str, Any], lent: RecordingLent | None = None) -> Received:
    lent = lent or RecordingLent()
    with http_server(reply({"ok": True})) as server:
        values = {"base_url": server.url, "api_key": "xoxb-key"}
        lent.credentials["c"] = Credential(id="c", kind="api_key", name="Ours", values=values)
        run("integration", config, lent=lent)
    return server.received[0]


@pytest.mark.parametrize(
    "config",
    [
        {**SLACK, "parameters": HELLO},
        {**SLACK, "parameters": '{"channel": "#a", "text": "Hello"}'},  # what a model wrote
        {**SLACK, **HELLO, "label": "Say hello", "note": "an editor's"},
        {**SLACK, **HELLO, "text": "Old", "parameters": {"text": "Hello"}},  # what is said in its place counts
        {"service": "Slack", "action": "post_message", "credentialId": "c", "channel": "#a", "message": "Hello"},
    ],
)
def test_integration_is_told_in_any_of_the_ways_of_existing_workflows(config: dict[str, Any]) -> None:
    """With the parameters apart or beside the rest, and by the names that either had."""
    assert asked(send(config))[2] == HELLO


def test_action_is_another_name_of_integration() -> None:
    """The product that workflows come from had both, which did the same."""
    assert CATALOGUE["action"] is CATALOGUE["integration"]


@pytest.mark.parametrize(
    ("config", "wrong"),
    [
        ({**SLACK, "parameters": HELLO}, []),
        ({**SLACK, **HELLO}, []),
        ({**SLACK, "parameters": {"channel": "{{a.b}}", "text": "{{c}}"}}, []),
        ({**SLACK, "parameters": "{{a}}"}, []),  # known when it runs
        ({**SLACK, "operation": "{{a}}"}, []),
        ({**SLACK, "channel": "#a", "text": ""}, [("parameters", "A message needs text or blocks.")]),
        ({**SLACK, "channel": "#a", "blocks": "{{a}}"}, []),
        ({**SLACK, "text": "Hi"}, [("channel", "Field required")]),
        ({**SLACK, "parameters": {"text": "Hi"}}, [("parameters.channel", "Field required")]),
        (
            {**SLACK, "parameters": {**HELLO, "threadTS": "1"}},
            [
                (
                    "parameters.threadTS",
                    "sendMessage has no parameter of this name (did you mean 'threadTs'?).",
                )
            ],
        ),
        ({**SLACK, "parameters": [1]}, [("parameters", "Input should be a valid dictionary")]),
    ],
)
def test_integration_is_checked_as_drawn(config: dict[str, Any], wrong: list[tuple[str, str]]) -> None:
    """By the types of its operation's parameters, each fault with its field."""
    assert check_config(CATALOGUE["integration"], config) == wrong


@pytest.mark.parametrize(
    ("provider", "operation", "field", "proposal"),
    [
        ("slak", "sendMessage", "provider", "did you mean 'slack'?"),
        ("slack", "sendMesage", "operation", "did you mean 'sendMessage'?"),
        ("slack", "launchRocket", "operation", "it has sendMessage, "),
    ],
)
def test_integration_that_there_is_not_is_told_with_the_nearest(
    provider: str, operation: str, field: str, proposal: str
) -> None:
    """When it is drawn, and when the name is known only as it runs."""
    config = {**SLACK, "provider": provider, "operation": operation}

    ((place, sentence),) = check_config(CATALOGUE["integration"], config)
    with pytest.raises(ConfigError) as failure:
        run("integration", config)

    assert (place, proposal in sentence) == (field, True)
    assert str(failure.value) == sentence
    assert failure.value.code == f"unknown_{field}"


def test_integration_without_a_connection_is_refused_as_drawn() -> None:
    """It could never run."""
    assert check_config(CATALOGUE["integration"], {"provider": "slack", "operation": "sendMessage", **HELLO}) == [
        ("connectionId", "Field required")
    ]


def test_integration_given_parameters_that_do_not_fit_asks_nobody() -> None:
    """What templates resolved to is checked again, all at once."""
    with pytest.raises(ConfigError) as failure:
        run("integration", {**SLACK, "parameters": {"text": "Hi", "channel": [1], "extra": 1}})

    assert str(failure.value).startswith("Slack, sendMessage: channel: Input should be a valid string; extra: ")


def test_integration_with_a_credential_that_there_is_not_fails() -> None:
    with pytest.raises(ConfigError) as failure:
        run("integration", {**SLACK, "parameters": HELLO})

    assert failure.value.code == "credential_missing"


def test_integration_leaves_a_line_about_what_it_did() -> None:
    lent = RecordingLent()

    send({**SLACK, "parameters": HELLO}, lent)

    assert lent.logs == [("info", "Slack: send message.")]
