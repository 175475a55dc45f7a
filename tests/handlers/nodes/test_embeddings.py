from __future__ import annotations

from typing import Any

import pytest

from handlers import ConfigError, InputError, ProviderError, RateLimited
from tests.handlers.fakes import RecordingLent, run
from tests.handlers.llm.speakers import SPEAKERS, Answer, standing_in

OPENAI, _, GOOGLE = SPEAKERS


def vectors(*rows: list[float], tokens: int = 4) -> Answer:
    """In the wrong order: the index counts."""
    data = [{"object": "embedding", "index": place, "embedding": row} for place, row in enumerate(rows)]
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return Answer(body={"object": "list", "data": data[::-1], "model": "m", "usage": usage})


def test_embeddings_of_one_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """A list of one vector, and what it took."""
    with standing_in(monkeypatch, "openai", vectors([0.5, 0.25]), path="/v1") as service:
        output = run("embeddings", {"input": "Hello"})

    time = output.data["metadata"].pop("processingTime")
    assert output.data == {
        "embeddings": [[0.5, 0.25]],
        "model": "text-embedding-3-small",
        "provider": "openai",
        "metadata": {"dimensions": 2, "inputCount": 1, "tokensUsed": 4},
    }
    assert time >= 0
    assert (output.usage.prompt_tokens, output.usage.cost_usd) == (4, 8e-08)
    assert service.asked[0].body == {
        "model": "text-embedding-3-small",
        "input": ["Hello"],
        "encoding_format": "float",
    }


def test_embeddings_of_many_texts_go_in_batches_and_keep_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """However the service orders them; who watches sees how far it is."""
    lent = RecordingLent()
    with standing_in(monkeypatch, "openai", vectors([1], [2]), vectors([3]), path="/v1") as service:
        output = run("embeddings", {"input": ["a", "b", {"c": 1}], "batchSize": 2, "dimensions": 1}, lent=lent)

    assert output.data["embeddings"] == [[1], [2], [3]]
    assert [asked.body["input"] for asked in service.asked] == [["a", "b"], ['{"c":1}']]
    assert output.data["metadata"]["tokensUsed"] == 8
    assert [fraction for fraction, _ in lent.told] == [2 / 3, 1]


@pytest.mark.parametrize("task", ["search_query", "RETRIEVAL_QUERY"])
def test_embeddings_tell_each_service_the_task_in_its_words(monkeypatch: pytest.MonkeyPatch, task: str) -> None:
    """Either's names are understood of both."""
    from_cohere = Answer(body={"embeddings": {"float": [[0.5]]}, "meta": {"billed_units": {"input_tokens": 3}}})
    from_google = Answer(body={"embeddings": [{"values": [0.5]}]})
    config = {"input": "Hello", "taskType": task}

    with (
        standing_in(monkeypatch, "cohere", from_cohere) as cohere,
        standing_in(monkeypatch, "google", from_google) as google,
    ):
        outputs = [
            run("embeddings", {"provider": "cohere", "inputTruncate": "END", **config}),
            run("embeddings", {"provider": "google", **config}),
        ]

    assert [output.data["embeddings"] for output in outputs] == [[[0.5]]] * 2
    assert [output.data["metadata"]["tokensUsed"] for output in outputs] == [3, None]
    assert cohere.asked[0].path == "/v2/embed"
    assert cohere.asked[0].headers["authorization"] == "Bearer key-of-the-worker"
    assert cohere.asked[0].body == {
        "model": "embed-english-v3.0",
        "texts": ["Hello"],
        "input_type": "search_query",
        "embedding_types": ["float"],
        "truncate": "END",
    }
    assert google.asked[0].path == "/models/gemini-embedding-001:batchEmbedContents"
    assert google.asked[0].body["requests"][0]["taskType"] == "RETRIEVAL_QUERY"


def test_embeddings_of_cohere_that_is_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its errors have a shape of their own."""
    busy = Answer(status=429, headers={"Retry-After": "3"}, body={"message": "trial key limit"})

    with standing_in(monkeypatch, "cohere", busy), pytest.raises(RateLimited, match="trial key limit") as failure:
        run("embeddings", {"provider": "cohere", "input": "x"})

    assert failure.value.retry_after == 3


def test_embeddings_read_a_list_from_text_in_batch_mode(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise a text of JSON is a text."""
    with standing_in(monkeypatch, "openai", vectors([1], [2]), vectors([3]), path="/v1") as service:
        run("embeddings", {"input": '["a", "b"]', "batchMode": True})
        run("embeddings", {"input": '["a", "b"]'})

    assert [asked.body["input"] for asked in service.asked] == [["a", "b"], ['["a", "b"]']]


@pytest.mark.parametrize("given", ["", "  ", [], ["a", ""], None, ["x"] * 10_001])
def test_embeddings_of_nothing_or_too_much_are_refused(given: Any) -> None:
    """Nobody is asked."""
    with pytest.raises(InputError, match="input"):
        run("embeddings", {"input": given})


def test_embeddings_that_are_too_few_are_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Vectors would stand beside the wrong texts."""
    with standing_in(monkeypatch, "openai", vectors([1]), path="/v1"), pytest.raises(ProviderError) as failure:
        run("embeddings", {"input": ["a", "b"]})

    assert failure.value.code == "invalid_response"


def test_embeddings_by_a_provider_without_any_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "any")

    with pytest.raises(ConfigError, match="anthropic has no embeddings"):
        run("embeddings", {"provider": "anthropic", "model": "m", "input": "x"})
