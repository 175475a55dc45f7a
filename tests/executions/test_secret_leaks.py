"""A credential's secret reaches the node that borrows it, and no place where anybody could read it."""

from __future__ import annotations

import json
import logging
from base64 import b64encode
from typing import Any
from urllib.parse import quote

import httpx2
import pytest
from django.test import Client

from executions import signals, tickets
from executions.models import Execution
from handlers import ConfigError, HandlerError, NodeInput, NodeOutput, ProviderError, network
from tests.doors import Api, data
from tests.executions.runs import begin, outputs, row
from tests.executions.scripted import Script
from tests.executions.secrets import leaks, stored
from tests.factories import CredentialFactory, UserFactory
from tests.fakes import Messages
from tests.handlers.servers import Received, Reply, http_server

pytestmark = pytest.mark.django_db(transaction=True)

TOKEN = "tok/5f1c+9e€"  # what URLs and JSON each spell in their own way
PASSWORD = "pass-5f1c9e"


def prepared(way: str, **config: Any) -> Execution:
    """A run of one node, in whose workspace Shop is a bearer token and Bank a user with a password."""
    run = begin("start -> a", types={"start": "trigger", "a": way}, nodes={"a": {"config": config}})
    CredentialFactory(workspace=run.workspace, name="Shop", filled={"token": TOKEN})
    CredentialFactory(workspace=run.workspace, name="Bank", kind="basic", filled={"user": "ada", "password": PASSWORD})
    return run


def found(run: Execution, secret: str = TOKEN) -> list[str]:
    """Where *secret* can be read: in rows, frames, API answers, the live page, the admin; also as URLs spell it."""
    api, admin = Api(run.workspace), Client()
    admin.force_login(UserFactory(is_staff=True, is_superuser=True))
    base = f"/executions/{run.pk}"
    told = [api.get(path).content.decode() for path in (base, f"{base}/nodes", f"{base}/nodes/a", f"{base}/events")]
    ticket = tickets.issue(run.pk, run.workspace_id)
    pages = [
        f"/admin/executions/execution/{run.pk}/change/",
        "/admin/workflows/credential/",
        f"{base}/live?token={ticket}",
    ]
    pages += [f"/admin/workflows/credential/{credential.pk}/change/" for credential in run.workspace.credentials.all()]
    for page in pages:
        response = admin.get(page)
        assert response.status_code == 200, page
        told.append(response.content.decode())
    everything = [*told, *stored(run)]
    return [text for form in {secret, quote(secret, safe=""), quote(secret)} for text in leaks(everything, form)]


def borrowing(act: Any, name: str = "Shop") -> Script:
    """A script that borrows *name* and goes on with its values: `act(values, lent)`."""

    def script(node: NodeInput[Any], lent: Any) -> NodeOutput:
        return NodeOutput(data=act(lent.credential(name).values, lent))

    return script


def refusing(message: str) -> None:
    raise HandlerError(message, details={"sent": [message]})


def test_secret_in_a_handlers_error_is_hidden(messages: Messages, scripts: dict[str, Script]) -> None:
    run = prepared("test.script")
    scripts["a"] = borrowing(lambda values, lent: refusing(f"refused: {values['token']}"))

    messages.deliver_all()

    error = row(run, "a").error
    assert (error["message"], error["details"]) == ("refused: •••", {"sent": ["refused: •••"]})
    assert found(run) == []


def test_secret_in_a_log_line_is_hidden_also_when_the_line_came_first(
    messages: Messages, scripts: dict[str, Script], way: str
) -> None:
    """The author had written the token into the node as well, and it was logged before it was known for a secret."""
    run = prepared(way, value=f"as {TOKEN}")

    def script(node: NodeInput[Any], lent: Any) -> NodeOutput:
        lent.log("info", f"begins {node.config.value}")
        token = lent.credential("Shop").values["token"]
        lent.log("info", f"uses {token}")
        return NodeOutput(data=None)

    scripts["a"] = script

    messages.deliver_all()

    assert [line[2] for line in row(run, "a").logs] == ["begins as •••", "uses •••"]


def test_secret_in_the_resolved_input_is_hidden(messages: Messages, scripts: dict[str, Script]) -> None:
    """Somebody handed the token to the run besides; the node that borrows it does not show it."""
    run = begin(
        "start -> a",
        types={"start": "trigger", "a": "test.script"},
        nodes={"a": {"config": {"value": "{{inputs.key}}"}}},
        inputs={"key": TOKEN},
    )
    CredentialFactory(workspace=run.workspace, name="Shop", filled={"token": TOKEN})
    scripts["a"] = borrowing(lambda values, lent: None)

    messages.deliver_all()

    assert row(run, "a").input == {"value": "•••"}


def test_secret_in_a_stream_is_hidden_however_it_is_cut(messages: Messages, scripts: dict[str, Script]) -> None:
    pieces: list[str] = []

    def receive(*, sender: Any, signal: Any, text: str, **_: Any) -> None:
        pieces.append(text)

    def says(values: Any, lent: Any) -> None:
        for character in f"it is {values['token']}.":
            lent.token(character)

    run = prepared("test.script")
    scripts["a"] = borrowing(says)
    signals.token_streamed.connect(receive)

    messages.deliver_all()

    signals.token_streamed.disconnect(receive)
    assert "".join(pieces) == "it is •••."
    assert found(run) == []


def test_secret_deep_in_an_output_is_hidden(messages: Messages, scripts: dict[str, Script], way: str) -> None:
    """As a value, as a key, in JSON in a text, in a URL."""
    run = prepared(way)
    scripts["a"] = borrowing(
        lambda values, lent: {
            "deep": [[{"er": [{"token": values["token"]}]}]],
            values["token"]: json.dumps({"k": values["token"]}),
            "url": f"https://a.b/?key={quote(values['token'], safe='')}",
        }
    )

    messages.deliver_all()

    assert outputs(run)["a"] == {
        "deep": [[{"er": [{"token": "•••"}]}]],
        "•••": '{"k": "•••"}',
        "url": "https://a.b/?key=•••",
    }
    assert found(run) == []


def test_secret_in_progress_and_metadata_is_hidden(messages: Messages, scripts: dict[str, Script]) -> None:
    told: list[str] = []

    def receive(*, sender: Any, signal: Any, message: str, **_: Any) -> None:
        told.append(message)

    def says(values: Any, lent: Any) -> None:
        lent.progress(0.5, f"with {values['token']}")
        lent.metadata(f"of {values['token']}", [values["token"]])

    run = prepared("test.script")
    scripts["a"] = borrowing(says)
    signals.progress_told.connect(receive)

    messages.deliver_all()

    signals.progress_told.disconnect(receive)
    assert told == ["with •••"]
    assert data(Api(run.workspace).get(f"/executions/{run.pk}"))["metadata"] == {"of •••": ["•••"]}
    assert found(run) == []


def test_secret_in_the_url_of_a_failed_request_is_hidden(
    messages: Messages, scripts: dict[str, Script], caplog: pytest.LogCaptureFixture
) -> None:
    """Httpx tells the whole URL in the error of a status; here it comes through as a bug of the handler."""
    run = prepared("test.script")

    def asks(values: Any, lent: Any) -> None:
        with http_server(Reply(status=500)) as server, network.call(lent, seconds=5):
            url = httpx2.URL(server.url, params={"key": values["token"]})
            network.client().get(url).raise_for_status()

    scripts["a"] = borrowing(asks)

    with caplog.at_level(logging.DEBUG):
        messages.deliver_all()

    assert "?key=•••" in row(run, "a").error["message"]
    assert "HTTPStatusError" in caplog.text
    assert leaks([caplog.text], TOKEN) == leaks([caplog.text], quote(TOKEN, safe="")) == []
    assert found(run) == []


def test_secret_in_the_traceback_of_a_bug_is_hidden_from_the_workers_log(
    messages: Messages, scripts: dict[str, Script], caplog: pytest.LogCaptureFixture
) -> None:
    """With whatever it was raised from."""

    def stumbles(values: Any, lent: Any) -> None:
        try:
            {}[values["token"]]
        except KeyError as error:
            raise RuntimeError(f"cannot use {values}") from error

    run = prepared("test.script")
    scripts["a"] = borrowing(stumbles)

    with caplog.at_level(logging.DEBUG):
        messages.deliver_all()

    assert "KeyError: '•••'" in caplog.text
    assert leaks([caplog.text], TOKEN) == []
    assert row(run, "a").error["message"] == "RuntimeError: cannot use {'token': '•••'}"
    assert found(run) == []


def echo(received: Received) -> Reply:
    """Tells what it was sent, as services for trying things out do."""
    body = json.dumps({"headers": received.headers, "path": received.path}).encode()
    return Reply(body=body, headers={"Content-Type": "application/json", "X-Sent": received.headers["authorization"]})


@pytest.mark.parametrize(
    ("name", "secrets"),
    [("Bank", [PASSWORD, b64encode(f"ada:{PASSWORD}".encode()).decode()]), ("Token", ["tok-5f1c9e"])],
)
def test_secret_that_a_service_sends_back_is_hidden(messages: Messages, name: str, secrets: list[str]) -> None:
    """In the answer of a real request, in the Base64 that HTTP makes of a password."""
    with http_server(answer=echo) as server:
        run = prepared("http", url=f"{server.url}/echo", connectionId=name)
        CredentialFactory(workspace=run.workspace, name="Token")

        messages.deliver_all()

    answer = outputs(run)["a"]
    scheme, sent = server.received[0].headers["authorization"].split()
    assert sent == secrets[-1]
    assert answer["data"]["headers"]["authorization"] == answer["headers"]["x-sent"] == f"{scheme} •••"
    assert [found(run, secret) for secret in secrets] == [[]] * len(secrets)


def test_secrets_of_a_refresh_are_hidden(messages: Messages, scripts: dict[str, Script]) -> None:
    """The provider repeats in its refusal what it was sent, and the tokens before and after are borrowed alike."""
    said = {"error": "invalid_client", "error_description": "Unknown client sec-5f1c9e with refresh-5f1c9e"}
    with http_server(Reply(status=401, body=json.dumps(said).encode())) as server:
        run = prepared("test.script")
        filled = {
            "client_id": "shop",
            "client_secret": "sec-5f1c9e",
            "token_url": f"{server.url}/token",
            "refresh_token": "refresh-5f1c9e",
        }
        CredentialFactory(workspace=run.workspace, name="Drive", kind="oauth2", filled=filled)
        scripts["a"] = borrowing(lambda values, lent: None, "Drive")

        messages.deliver_all()

    error = row(run, "a").error
    assert error["code"] == "credential_refused"
    assert "Unknown client ••• with •••" in error["message"]
    assert found(run, "sec-5f1c9e") == found(run, "refresh-5f1c9e") == []


def test_event_stream_shows_no_secret(messages: Messages, scripts: dict[str, Script]) -> None:
    told: list[Any] = []

    def receive(*, sender: Any, signal: Any, frames: Any, **_: Any) -> None:
        told.extend(frame.value() for frame in frames)

    run = prepared("test.script")
    scripts["a"] = borrowing(lambda values, lent: {"m": [values["token"]]})
    signals.events_recorded.connect(receive)

    messages.deliver_all()

    signals.events_recorded.disconnect(receive)
    assert {"m": ["•••"]} in [frame["data"].get("output") for frame in told]
    assert leaks(told, TOKEN) == []
    assert found(run) == []


def test_credential_itself_shows_no_secret_to_who_prints_it(messages: Messages, scripts: dict[str, Script]) -> None:
    seen: list[str] = []

    def script(node: NodeInput[Any], lent: Any) -> NodeOutput:
        seen.append(f"{lent.credential('Shop')!r} {lent.credential('Shop')}")
        raise ProviderError("no", retryable=False) from ConfigError("x")

    run = prepared("test.script")
    scripts["a"] = script

    messages.deliver_all()

    assert "Shop" in seen[0]
    assert leaks(seen, TOKEN) == []
    assert found(run) == []
