"""A model in a run of the real engine: what is stored, what it cost, and what all workers may do at a time."""

from __future__ import annotations

from typing import Any

import pytest

from executions.models import NodeRun
from executions.totals import token_totals
from tests.executions.runs import begin, outputs, row, statuses
from tests.fakes import Messages
from tests.handlers.llm.speakers import Answer, OpenAI, standing_in

pytestmark = pytest.mark.django_db(transaction=True)

OPENAI = OpenAI()
TYPES = {"start": "trigger", "a": "llm", "b": "llm"}


def ask(*models: str) -> dict[str, Any]:
    return {"config": {"model": models[0], "models": list(models[1:]), "prompt": "Hi"}}


def test_run_tells_what_its_models_counted_and_cost(messages: Messages, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the node that asked, and summed up for the run; tokens without a price are told apart."""
    answer = OPENAI.whole("Hello")
    priced = Answer(pieces=[piece.replace(b'"m-2"', b'"gpt-4o-2024-08-06"') for piece in answer.pieces])  # type: ignore[union-attr]

    with standing_in(monkeypatch, "openai", priced, answer, path="/v1"):
        run = begin("start -> a -> b", types=TYPES, nodes={"a": ask("gpt-4o"), "b": ask("m")})
        messages.deliver_all()

    usage = row(run, "a").usage
    # 5 tokens of the prompt at $2.50, 2 from the cache at $1.25, 5 of the answer at $10 a million.
    assert (usage["model"], usage["total_tokens"], usage["cost_usd"]) == ("gpt-4o-2024-08-06", 12, 65e-6)
    assert row(run, "b").usage["cost_usd"] is None
    assert token_totals(run.pk) == {
        "prompt_tokens": 14,
        "completion_tokens": 10,
        "total_tokens": 24,
        "cost_usd": 65e-6,
        "unpriced_tokens": 12,
    }


def test_run_goes_on_with_the_model_that_answers(messages: Messages, monkeypatch: pytest.MonkeyPatch) -> None:
    """In one attempt; the node's log tells of it."""
    broken = Answer(status=500, body=OPENAI.error("Oh.", "server_error"))

    with standing_in(monkeypatch, "openai", broken, OPENAI.whole("Hello"), path="/v1"):
        run = begin("start -> a", types=TYPES, nodes={"a": ask("one", "two")})
        messages.deliver_all()

    a = row(run, "a")
    assert (statuses(run)["a"], outputs(run)["a"]["text"], a.attempt) == ("completed", "Hello", 1)
    assert [line[2] for line in a.logs] == [
        "openai/one failed: one: Oh. Now openai/two is asked.",
        "openai/two answered, in place of openai/one.",
    ]


def test_run_shows_no_key(messages: Messages, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever repeats it: neither the output nor the log does."""
    with standing_in(monkeypatch, "openai", OPENAI.whole("It is key-of-the-worker."), path="/v1"):
        run = begin("start -> a", types=TYPES, nodes={"a": ask("m")})
        messages.deliver_all()

    assert outputs(run)["a"]["text"] == "It is •••."
    stored = NodeRun.objects.filter(execution=run).values_list("input", "output", "error", "logs", "usage")
    assert "key-of-the-worker" not in repr(list(stored))
