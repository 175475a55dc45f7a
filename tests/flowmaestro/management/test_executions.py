from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from flowmaestro.management.commands import executions
from flowmaestro.management.here import Here
from flowmaestro.terminal import Client
from handlers import JSONObject
from tests.flowmaestro.terminal.api import Api
from tests.flowmaestro.terminal.runs import RUN, node, summary, whole

NODES = f"GET /executions/{RUN}/nodes?scope=&page=1&per_page=100"


@pytest.fixture(autouse=True)
def _is_up(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    stack = Here(url=api.url, key_path=Path("api-key"), client=Client(api.url, "fm_live_x"))
    monkeypatch.setattr(executions, "here", lambda: stack)


@pytest.fixture
def followed(monkeypatch: pytest.MonkeyPatch) -> list[JSONObject]:
    """What is followed, each to an end with the code 4."""
    kept: list[JSONObject] = []

    def follow(stack: Here, started: JSONObject, **_outputs: Any) -> int:
        kept.append(started)
        return 4

    monkeypatch.setattr(executions, "follow_to_end", follow)
    return kept


def said(*words: str) -> str:
    output = StringIO()
    call_command("executions", *words, stdout=output)
    return output.getvalue()


def test_list_asks_for_what_the_options_say(api: Api) -> None:
    """Each is a filter of the API, and what nobody gave is not among them."""
    address = "GET /executions?per_page=5&page=2&status=failed&tag=nightly&created_after=2030-01-01T00%3A00%3A00Z"
    api.answers = {address: (200, [summary(status="failed")])}

    output = said(
        *("list", "--status", "failed", "--tag", "nightly", "--limit", "5", "--page", "2"),
        *("--created-after", "2030-01-01T00:00:00Z"),
    )

    assert [line.split()[:2] for line in output.splitlines()] == [["run", "status"], [RUN, "failed"]]


def test_list_as_json_is_the_apis(api: Api) -> None:
    """For scripts: nothing is left out."""
    api.answers = {"GET /executions?per_page=20&page=1": (200, [summary()])}

    assert json.loads(said("list", "--json")) == [summary()]


def test_list_without_runs_says_so_aside(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    """A pipe gets nothing."""
    api.answers = {"GET /executions?per_page=20&page=1": (200, [])}

    assert said("list") == ""
    assert capsys.readouterr().err == "There are no such runs.\n"


def test_show_tells_the_run_its_nodes_and_its_outputs(api: Api) -> None:
    """By `last` the newest, without having to look up its id."""
    api.answers = {
        "GET /executions?per_page=1": (200, [summary()]),
        f"GET /executions/{RUN}": (200, whole(outputs={"greeting": "Hello"})),
        NODES: (200, [node("greet")]),
    }

    output = said("show", "last")

    assert output.startswith("Refund\n")
    assert "✓  greet  http  12 ms" in output
    assert output.endswith("greeting:\n  Hello\n")


def test_show_as_json_has_the_nodes_too(api: Api) -> None:
    """One answer for two questions."""
    api.answers = {f"GET /executions/{RUN}": (200, whole()), NODES: (200, [node("greet")])}

    assert json.loads(said("show", RUN, "--json")) == {**whole(), "nodes": [node("greet")]}


def test_cancel_says_what_the_api_says(api: Api) -> None:
    """A reason is handed on."""
    api.answers = {f"POST /executions/{RUN}/cancel": (200, {"message": "Execution has been cancelled."})}

    assert said("cancel", RUN, "--reason", "Wrong order") == "Execution has been cancelled.\n"
    assert api.calls == [(f"POST /executions/{RUN}/cancel", {"reason": "Wrong order"})]


def test_cancel_of_a_run_that_is_over_is_refused_in_the_apis_words(api: Api) -> None:
    """No trace of our own code."""
    error = {"code": "not_cancellable", "message": "Execution cannot be cancelled. Current status: failed"}
    api.answers = {f"POST /executions/{RUN}/cancel": (409, {"error": error, "meta": {}})}

    with pytest.raises(CommandError, match=r"cannot be cancelled\. Current status: failed"):
        said("cancel", RUN)


def test_retry_gives_the_id_of_the_new_run(api: Api) -> None:
    """Alone, so that a script may keep it."""
    api.answers = {f"POST /executions/{RUN}/retry": (202, {"execution_id": "0199"})}

    assert said("retry", RUN) == "0199\n"


def test_retry_may_be_followed(api: Api, followed: list[JSONObject]) -> None:
    """What is followed is the new run, and its end is ours."""
    api.answers = {f"POST /executions/{RUN}/retry": (202, {"execution_id": "0199", "realtime": {"token": "t"}})}

    with pytest.raises(SystemExit) as ended:
        said("retry", RUN, "--tail")

    assert (followed, ended.value.code) == ([{"execution_id": "0199", "realtime": {"token": "t"}}], 4)


def test_tail_follows_what_others_started(api: Api, followed: list[JSONObject]) -> None:
    """With a ticket of our own; the exit code tells how it stands in the end."""
    api.answers = {f"POST /executions/{RUN}/ticket": (201, {"token": "t", "websocket_url": "ws://x"})}

    with pytest.raises(SystemExit) as ended:
        said("tail", RUN)

    assert followed == [{"execution_id": RUN, "realtime": {"token": "t", "websocket_url": "ws://x"}}]
    assert ended.value.code == 4


def test_last_of_no_runs_is_refused(api: Api) -> None:
    """Before anything is asked about it."""
    api.answers = {"GET /executions?per_page=1": (200, [])}

    with pytest.raises(CommandError, match=r"There are no runs yet\."):
        said("tail", "last")
