"""A service asked by a run on the real engine: with the workspace's credential, within its limits, and told of nowhere."""

from __future__ import annotations

import json
from typing import Any

import pytest

from executions.core import RunStatus
from executions.models import Execution
from tests.executions.runs import begin, outputs, reread, row
from tests.executions.secrets import leaks, stored
from tests.factories import CredentialFactory
from tests.fakes import Messages
from tests.handlers.integrations.played import asked, reply
from tests.handlers.servers import Received, Reply, http_server

pytestmark = pytest.mark.django_db(transaction=True)

KEY = "xoxb-5f1c9e-77ab"
POST = {"provider": "slack", "operation": "postMessage", "channel": "#a", "message": "Order {{start.order}}"}


def run_against(*replies: Reply, messages: Messages, **node: Any) -> tuple[Execution, list[Received]]:
    """A run that posts a message, on a workspace with a credential called Team chat."""
    with http_server(*replies) as server:
        run = begin(
            "start -> ask -> b",
            types={"start": "trigger", "ask": "integration", "b": "test.pureScript"},
            nodes={"ask": {"config": {**POST, "connectionId": "Team chat"}, **node}},
            inputs={"order": 7},
        )
        filled = {"api_key": KEY, "base_url": f"{server.url}/api"}
        CredentialFactory(workspace=run.workspace, name="Team chat", kind="api_key", filled=filled)
        messages.deliver_all()
    return run, server.received


def test_integration_asks_with_the_credential_of_the_workspace(messages: Messages, scripts: Any) -> None:
    """Which is called by its name or its id, and stays inside, though the service tells it back."""
    run, (request,) = run_against(reply({"ok": True, "ts": "1.2", "echo": f"Bearer {KEY}"}), messages=messages)

    assert asked(request) == ("POST /api/chat.postMessage", {}, {"channel": "#a", "text": "Order 7"})
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert outputs(run)["ask"] == {"ok": True, "ts": "1.2", "echo": "Bearer •••"}
    assert leaks(stored(run), KEY) == []


def test_integration_that_is_refused_fails_its_run(messages: Messages, scripts: Any) -> None:
    """An answer of status 200 that says no is no success."""
    refusal = reply({"ok": False, "error": "channel_not_found"})

    run, requests = run_against(refusal, messages=messages, retry={"attempts": 1})

    assert (reread(run).status, len(requests)) == (RunStatus.FAILED, 1)
    error = row(run, "ask").error
    assert (error["code"], error["details"]["providerCode"]) == ("not_found", "channel_not_found")
    assert KEY not in json.dumps(error)
