from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from handlers import ConfigError, InputError, check_config
from handlers.ports import Remembered
from tests.handlers.fakes import CATALOGUE, RecordingLent, run
from tests.handlers.policies import allowing
from tests.handlers.servers import Received, Reply, Server, http_server

LONG = "Refunds take five working days and are paid to the card that was charged."
HOURS = "We are open from nine to five on every working day of the week, all year."
ANGLES = {"refund": [1.0, 0.0], "open": [0.0, 1.0]}


@pytest.fixture
def lent() -> RecordingLent:
    return RecordingLent()


def store(lent: RecordingLent, key: str, value: Any, **config: Any) -> Any:
    return run("shared-memory", {"operation": "store", "key": key, "value": value, **config}, lent=lent)


def search(lent: RecordingLent, query: str, **config: Any) -> Any:
    return run("shared-memory", {"operation": "search", "searchQuery": query, **config}, lent=lent).data


def test_what_is_stored_is_in_the_memory_of_the_run(lent: RecordingLent) -> None:
    output = store(lent, "order", {"total": 3})

    assert output.data == {"operation": "store", "key": "order", "value": {"total": 3}, "indexed": False}
    assert lent.memory.all() == [Remembered(key="order", value={"total": 3})]


def test_a_value_is_had_by_its_key(lent: RecordingLent) -> None:
    """In the words of existing workflows."""
    run("shared-memory", {"operation": "set", "key": "order", "value": {"total": 3}}, lent=lent)

    assert run("shared-memory", {"operation": "get", "key": "order"}, lent=lent).data == {"total": 3}
    assert run("shared-memory", {"operation": "get", "key": "none"}, lent=lent).data is None


def test_a_search_by_words_says_so_and_gives_the_best_first(lent: RecordingLent) -> None:
    store(lent, "hours", HOURS)
    store(lent, "refunds", {"policy": LONG})

    data = search(lent, "How are refunds paid?")

    assert (data["operation"], data["method"], data["query"]) == ("search", "text", "How are refunds paid?")
    assert [found["key"] for found in data["results"]] == ["refunds", "hours"]
    assert data["topResult"] == data["results"][0]
    assert (data["count"], data["topResult"]["value"]) == (2, {"policy": LONG})
    assert 0 < data["results"][1]["similarity"] < data["topResult"]["similarity"] < 1


def test_a_search_gives_no_more_than_asked_for_and_those_of_one_rank_in_their_order(lent: RecordingLent) -> None:
    for number in range(4):
        store(lent, f"note {number}", "the same words")

    assert [found["key"] for found in search(lent, "words", topK=2)["results"]] == ["note 0", "note 1"]


def test_a_search_that_finds_nothing_says_so(lent: RecordingLent) -> None:
    data = search(lent, "anything")

    assert (data["results"], data["count"], data["topResult"]) == ([], 0, None)


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A service whose vectors point where the first of ANGLES that is in the text does."""

    def answer(received: Received) -> Reply:
        texts = json.loads(received.body)["input"]
        vectors = [
            next((vector for word, vector in ANGLES.items() if word in text.lower()), [0.6, 0.8]) for text in texts
        ]
        rows = [{"object": "embedding", "index": at, "embedding": vector} for at, vector in enumerate(vectors)]
        usage = {"prompt_tokens": 7, "total_tokens": 7}
        told = {"object": "list", "model": "embed-1-2026", "data": rows, "usage": usage}
        return Reply(headers={"Content-Type": "application/json"}, body=json.dumps(told).encode())

    with http_server(answer=answer) as server, allowing(server.url.removeprefix("http://")):
        monkeypatch.setenv("OPENAI_API_KEY", "sk-test-0123456789")
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        yield server


def test_a_search_with_a_model_is_one_by_meaning(lent: RecordingLent, model: Server) -> None:
    stored = store(lent, "a", LONG, model="embed-1")
    store(lent, "b", HOURS, model="embed-1")

    data = search(lent, "refund", model="embed-1")

    assert (stored.data["indexed"], stored.usage.prompt_tokens, stored.usage.model) == (True, 7, "embed-1-2026")
    assert (data["method"], data["results"]) == ("semantic", [{"key": "a", "value": LONG, "similarity": 1.0}])


def test_the_threshold_counts_for_meaning(lent: RecordingLent, model: Server) -> None:
    store(lent, "a", LONG, model="embed-1")

    assert search(lent, "something else", model="embed-1")["count"] == 0
    assert search(lent, "something else", model="embed-1", similarityThreshold=0.5)["count"] == 1


def test_embeddings_of_another_model_are_not_compared(lent: RecordingLent, model: Server) -> None:
    store(lent, "a", LONG, model="embed-1")

    assert search(lent, "refund", model="embed-2")["count"] == 0


def test_short_values_and_those_that_nobody_embeds_cost_nothing(lent: RecordingLent, model: Server) -> None:
    assert store(lent, "a", "x" * 50, model="embed-1").data["indexed"] is False
    assert store(lent, "b", LONG, model="embed-1", enableSemanticSearch=False).data["indexed"] is False
    assert search(lent, "refunds", model="embed-1", enableSemanticSearch=False)["method"] == "text"
    assert model.received == []


@pytest.mark.parametrize(
    "config", [{"operation": "store", "key": "k", "value": "v"}, {"operation": "search", "searchQuery": "q"}]
)
def test_semantic_search_without_a_model_is_never_taken_for_something_else(config: Mapping[str, Any]) -> None:
    wanted = {**config, "enableSemanticSearch": True}

    with pytest.raises(ConfigError, match=r"model.*provider.*connectionId") as caught:
        run("shared-memory", wanted)

    assert caught.value.code == "embedding_model_missing"
    assert [field for field, _ in check_config(CATALOGUE["shared-memory"], wanted)] == ["model"]


@pytest.mark.parametrize(
    ("config", "field"),
    [
        ({}, "operation"),
        ({"operation": "forget"}, "operation"),
        ({"operation": "store", "value": 1}, "key"),
        ({"operation": "store", "key": "k"}, "value"),
        ({"operation": "search"}, "searchQuery"),
        ({"operation": "search", "searchQuery": "q", "topK": 51}, "topK"),
        ({"operation": "search", "searchQuery": "q", "similarityThreshold": 1.1}, "similarityThreshold"),
    ],
)
def test_what_cannot_run_is_told_when_it_is_drawn(config: Mapping[str, Any], field: str) -> None:
    assert field in [place for place, _ in check_config(CATALOGUE["shared-memory"], config)]


@pytest.mark.parametrize(
    "config", [{"operation": "store", "key": "", "value": 1}, {"operation": "search", "searchQuery": "  "}]
)
def test_an_empty_reference_is_told(config: Mapping[str, Any]) -> None:
    with pytest.raises(InputError):
        run("shared-memory", config)
