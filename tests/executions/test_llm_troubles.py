"""What somebody sees of a model service that fails, on the run, the page and the log: as the README tells it."""

from __future__ import annotations

from datetime import datetime
from html import unescape
from typing import Any

import pytest
from django.test import Client

from executions import tickets
from executions.core import EventType
from executions.models import Event, Execution, NodeRun
from tests.executions.runs import begin, reread, row
from tests.fakes import Messages
from tests.handlers.llm.speakers import Answer, OpenAI, Trouble, sse, standing_in
from tests.test_readme import quoted, table

pytestmark = pytest.mark.django_db(transaction=True)

SAYS = OpenAI()
OVERLOADED = SAYS.error("Overloaded.", "server_error")
TROUBLES = {
    "stops in the middle": Answer(pieces=[*SAYS.begin(), SAYS.say("Hel"), Trouble.SILENCE]),
    "drops the connection in the middle": Answer(pieces=[*SAYS.begin(), SAYS.say("Hel"), Trouble.CUT]),
    "answers 429 with `Retry-After: 7`": Answer(
        status=429, headers={"Retry-After": "7"}, body=SAYS.error("Slow down.", "rate_limit")
    ),
    "sends what is no JSON": Answer(pieces=[*SAYS.begin(), sse(b'{"choices": [')]),
    "answers 200, and tells an error in the stream": Answer(pieces=[sse(OVERLOADED)]),
    "answers 200 with an error as its body": Answer(body=OVERLOADED),
}
TOLD = {cells[0]: cells[1:] for cells in table(after="<!-- troubles -->")}


def test_readme_tells_of_each() -> None:
    assert TOLD.keys() == TROUBLES.keys()


@pytest.mark.parametrize("trouble", TROUBLES)
def test_trouble_is_told_by_the_run_the_page_and_the_log(
    messages: Messages, monkeypatch: pytest.MonkeyPatch, trouble: str
) -> None:
    """With the words of the README; what is tried again has its error with the attempt, and is due."""
    (code,), (message,), again = *map(quoted, TOLD[trouble][:2]), TOLD[trouble][2]

    with standing_in(monkeypatch, "openai", TROUBLES[trouble], path="/v1"):
        once = ask(messages, attempts=1)
        twice = ask(messages, attempts=2)

    error = reread(once).error
    assert (error["code"], error["message"]) == (code, message)
    assert message in unescape(page(once))
    assert told(once, EventType.NODE_FAILED)["error"]["message"] == message
    if again == "no":
        assert row(twice, "a").status == "failed"
        return
    waits = row(twice, "a")
    assert (waits.status, waits.history[0]["error"]["message"]) == ("ready", message)
    assert message in unescape(page(twice))
    assert ("7 s" in again) == (seconds_until_due(waits) % 3600 == 7)  # the suite adds an hour, so that none comes due


def ask(messages: Messages, *, attempts: int) -> Execution:
    node = {"config": {"model": "m", "prompt": "Hi", "idleTimeout": 0.3}, "retry": {"attempts": attempts}}
    run = begin("start -> a", types={"start": "trigger", "a": "llm"}, nodes={"a": node})
    messages.deliver_all()
    return run


def page(run: Execution) -> str:
    token = tickets.issue(run.pk, run.workspace_id)
    return Client().get(f"/executions/{run.pk}/live", {"token": token}).content.decode()


def told(run: Execution, kind: EventType) -> dict[str, Any]:
    return Event.objects.get(execution=run, type=kind).data


def seconds_until_due(node_run: NodeRun) -> float:
    event = told(node_run.execution, EventType.NODE_RETRYING)
    return (
        datetime.fromisoformat(event["due_at"]) - datetime.fromisoformat(node_run.history[0]["ended_at"])
    ).total_seconds()
