"""What services are asked for in which way, and what is left out for those that refuse it."""

from __future__ import annotations

import pytest

from handlers import ProviderError
from tests.handlers.fakes import run
from tests.handlers.llm.asking import KEY, Asking
from tests.handlers.llm.speakers import SPEAKERS, Answer, OpenAI


def test_chat_asks_limits_by_the_place_that_is_called(asking: Asking) -> None:
    """A service elsewhere is busy, or down, for itself."""
    speaker = SPEAKERS[0]
    server = asking.serve(speaker, speaker.whole("Hello"))

    asking.again(speaker, maxAtOnce=3, maxPerMinute=60)

    place = f"openai:{server.url.removeprefix('http://')}"
    assert asking.lent.limits.slots == [(place, 3, 60)]
    assert asking.lent.limits.breakers == [place]


@pytest.mark.parametrize(
    ("number", "refusal", "left_out", "told"),
    [
        (0, "Unsupported value: 'temperature' does not support 0.7.", ["temperature", "top_p"], "takes no temperature"),
        (1, "`temperature` and `top_p` cannot both be specified.", ["temperature", "top_p"], "takes no temperature"),
        (0, "body.stream_options.include_usage: Extra inputs are not permitted", ["stream_options"], "to count"),
    ],
)
def test_chat_leaves_out_what_the_model_refuses(
    asking: Asking, number: int, refusal: str, left_out: list[str], told: str
) -> None:
    """Which model takes which setting changes with every release; the defaults must not make a new one unusable."""
    speaker = SPEAKERS[number]
    refused = Answer(status=400, body=speaker.error(refusal, "invalid_request_error"))
    server = asking.serve(speaker, refused, speaker.whole("Hello"))

    output = asking.again(speaker)

    assert output.data["text"] == "Hello"
    assert not set(left_out) & set(server.asked[1].body)
    assert told in asking.lent.logs[0][1]


def test_chat_asks_each_service_to_think_in_its_way(asking: Asking) -> None:
    """The budget comes on top of the answer's length, and Anthropic's takes no temperature beside it."""
    config = {"enableThinking": True, "thinkingBudget": 5_000, "maxTokens": 10}

    bodies = []
    for speaker in SPEAKERS:
        server = asking.serve(speaker, speaker.whole("Hello"))
        asking.again(speaker, **config)
        bodies.append(server.asked[0].body)

    openai, anthropic, google = bodies
    assert (openai["reasoning_effort"], openai["max_tokens"]) == ("medium", 5_010)
    assert (anthropic["thinking"], anthropic["max_tokens"]) == ({"type": "enabled", "budget_tokens": 5_000}, 5_010)
    assert "temperature" not in anthropic
    assert google["generationConfig"]["maxOutputTokens"] == 5_010
    assert google["generationConfig"]["thinkingConfig"] == {"includeThoughts": True, "thinkingBudget": 5_000}


def test_chat_with_a_model_that_cannot_be_told_to_think_goes_on_without(asking: Asking) -> None:
    """With a line in the log."""
    speaker = SPEAKERS[0]
    refused = Answer(status=400, body=speaker.error("Unrecognized argument: reasoning_effort.", "invalid"))
    server = asking.serve(speaker, refused, speaker.whole("Hello"))

    asking.again(speaker, enableThinking=True)

    assert "reasoning_effort" not in server.asked[1].body
    assert "cannot be told to think" in asking.lent.logs[0][1]


def test_chat_of_azure_bounds_the_answer_by_the_new_name(asking: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is OpenAI's own, at another address."""
    server = asking.serve(SPEAKERS[0], SPEAKERS[0].whole("Hello"))
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", KEY)
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", server.url)

    run("llm", {"provider": "azure", "model": "m", "prompt": "Hi", "maxTokens": 9})

    [asked] = server.asked
    assert (asked.path, asked.body.get("max_completion_tokens"), asked.body.get("max_tokens")) == (
        "/openai/v1/chat/completions",
        9,
        None,
    )


def test_chat_of_mistral_is_not_asked_to_count(asking: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    """It counts unasked, and refuses what it does not know."""
    server = asking.serve(SPEAKERS[0], SPEAKERS[0].whole("Hello"))
    monkeypatch.setenv("MISTRAL_API_KEY", KEY)
    monkeypatch.setenv("MISTRAL_BASE_URL", f"{server.url}/v1")

    output = run("llm", {"provider": "mistral", "model": "m", "prompt": "Hi"})

    assert "stream_options" not in server.asked[0].body
    assert output.usage.total_tokens == 12


def test_chat_lets_a_model_that_knows_no_budget_decide_how_long_it_thinks(asking: Asking) -> None:
    """Newer ones refuse a number."""
    speaker = SPEAKERS[1]
    said = '"thinking.type.enabled" is not supported for this model. Use "thinking.type.adaptive".'
    refused = Answer(status=400, body=speaker.error(said, "invalid_request_error"))
    server = asking.serve(speaker, refused, speaker.whole("Hello"))

    asking.again(speaker, enableThinking=True, thinkingBudget=2048)

    assert [asked.body["thinking"]["type"] for asked in server.asked] == ["enabled", "adaptive"]


def test_chat_that_is_refused_for_another_reason_is_not_repeated(speaker: OpenAI, asking: Asking) -> None:
    """A request that is wrong stays wrong."""
    server = asking.serve(speaker, Answer(status=400, body=speaker.error("The prompt is too long.", "invalid")))

    with pytest.raises(ProviderError, match=r"m: The prompt is too long\."):
        asking.again(speaker)

    assert len(server.asked) == 1
