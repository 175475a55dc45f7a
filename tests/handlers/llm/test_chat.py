"""What goes wrong with a stream, in each dialect: the same error to a node, whoever speaks."""

from __future__ import annotations

from threading import Timer
from time import monotonic
from typing import Any

import pytest

from handlers import Cancelled, ConfigError, NodeTimeout, ProviderError, RateLimited, Unreachable, Usage
from tests.handlers.fakes import RecordingLent
from tests.handlers.llm.asking import KEY, Asking
from tests.handlers.llm.speakers import SPEAKERS, Answer, OpenAI, Trouble, sse


def test_chat_streams_and_is_put_out_whole(speaker: OpenAI, asking: Asking) -> None:
    """Who watches sees the tokens, who comes later reads the text, whoever spoke."""
    output = asking.ask(speaker, speaker.whole("Hel", "lo"))

    assert output.data == {
        "text": "Hello",
        "finishReason": "stop",
        "usage": {"promptTokens": 7, "completionTokens": 5, "totalTokens": 12, "cachedTokens": 2},
        "model": "m-2",
        "provider": speaker.provider,
    }
    assert output.usage == Usage(
        model="m-2", provider=speaker.provider, prompt_tokens=7, completion_tokens=5, cached_tokens=2
    )
    assert asking.lent.tokens == ["Hel", "lo"]
    assert asking.lent.hidden == {KEY}


def test_chat_cut_at_the_limit_says_so(speaker: OpenAI, asking: Asking) -> None:
    """Half an answer must not pass for a whole one."""
    output = asking.ask(speaker, speaker.whole("Hel", cut=True), maxTokens=3)

    assert (output.data["text"], output.data["finishReason"]) == ("Hel", "length")
    assert asking.lent.logs == [("warning", "The answer was cut at 3 tokens (maxTokens).")]


def test_chat_thinking_is_told_apart_from_the_answer(speaker: OpenAI, asking: Asking) -> None:
    """What a model says to itself is no part of what it says."""
    answer = Answer(pieces=[*speaker.begin(), speaker.think("Hm."), speaker.say("Hello"), *speaker.end()])

    output = asking.ask(speaker, answer, enableThinking=True)

    assert (output.data["thinking"], output.data["text"]) == ("Hm.", "Hello")
    assert asking.lent.tokens == ["Hello"]


def test_chat_that_stalls_before_the_first_token_fails_early(speaker: OpenAI, asking: Asking) -> None:
    """Signs of life are no answer: the first word has a time limit of its own."""
    error = asking.fail(speaker, Answer(pieces=[*speaker.begin(), Trouble.SILENCE]), firstTokenTimeout=0.2)

    assert (type(error), error.code, error.retryable, error.retry_after) == (
        NodeTimeout,
        "first_token_timeout",
        True,
        None,
    )
    assert str(error) == "m: the answer did not begin within 0.2 s (firstTokenTimeout)."


def test_chat_that_stalls_in_the_middle_fails_early(speaker: OpenAI, asking: Asking) -> None:
    """The next word has one, too."""
    pieces = [*speaker.begin(), speaker.say("Hel"), Trouble.SILENCE]

    error = asking.fail(speaker, Answer(pieces=pieces), idleTimeout=0.2)

    assert (type(error), error.code, error.retryable, error.retry_after) == (NodeTimeout, "idle_timeout", True, None)
    assert str(error) == "m: the answer stopped, with nothing for 0.2 s (idleTimeout)."
    assert asking.lent.tokens == ["Hel"]


@pytest.mark.parametrize(
    ("field", "limit", "spoken"), [("firstTokenTimeout", "FIRST_TOKEN_SECONDS", 0), ("idleTimeout", "IDLE_SECONDS", 1)]
)
def test_chat_silence_counts_against_the_service_only_when_it_was_given_its_time(
    asking: Asking, monkeypatch: pytest.MonkeyPatch, field: str, limit: str, spoken: int
) -> None:
    """An author who waits for an instant must not have the circuit opened for everybody else."""
    monkeypatch.setattr(f"handlers.llm.calling.{limit}", 0.1)
    speaker = SPEAKERS[0]
    silent = Answer(pieces=[*speaker.begin(), *[speaker.say("Hel")] * spoken, Trouble.SILENCE])

    patient = asking.fail(speaker, silent, **{field: 0.1})
    hurried = asking.fail(speaker, silent, **{field: 0.05})

    assert (type(patient), type(hurried)) == (Unreachable, NodeTimeout)
    assert patient.code == hurried.code


def test_chat_that_takes_longer_than_the_attempt_is_a_timeout_of_the_node(speaker: OpenAI, asking: Asking) -> None:
    """The attempt's own limit is the author's, and not the service's fault."""
    asking.lent = RecordingLent(seconds=0.2)

    error = asking.fail(speaker, Answer(pieces=[*speaker.begin(), Trouble.SILENCE]))

    assert (type(error), error.code, error.retryable) == (NodeTimeout, "timeout", True)
    assert str(error) == "m: no complete answer within 0.2 s."


def test_chat_whose_connection_drops_is_unreachable(speaker: OpenAI, asking: Asking) -> None:
    """In the middle of the stream, and of a chunk that was promised."""
    error = asking.fail(speaker, Answer(pieces=[*speaker.begin(), speaker.say("Hel"), Trouble.CUT]))

    assert (type(error), error.code, error.retryable, error.retry_after) == (Unreachable, "unreachable", True, None)
    assert str(error).startswith("m: ")


def test_chat_that_ends_without_a_reason_broke_off(speaker: OpenAI, asking: Asking) -> None:
    """A stream that closes properly in the middle looks like an end."""
    error = asking.fail(speaker, Answer(pieces=[*speaker.begin(), speaker.say("Hel")]))

    assert (type(error), error.retryable) == (Unreachable, True)
    assert "broke off" in str(error)


def test_chat_that_is_rate_limited_tells_how_long_to_wait(speaker: OpenAI, asking: Asking) -> None:
    """The engine waits as long as it is asked to."""
    body = speaker.error("Slow down.", "rate_limit_error")

    error = asking.fail(speaker, Answer(status=429, headers={"Retry-After": "7"}, body=body))

    assert (type(error), error.code, error.retryable, error.retry_after) == (RateLimited, "rate_limited", True, 7)
    assert str(error) == "m: Slow down."


def test_chat_of_google_reads_the_wait_from_the_body(asking: Asking) -> None:
    """Which is where Google writes it."""
    google = SPEAKERS[2]
    body = google.error("Slow down.", "RESOURCE_EXHAUSTED")
    body["error"]["details"] = [{"@type": "RetryInfo", "retryDelay": "12.5s"}]

    error = asking.fail(google, Answer(status=429, body=[body]))

    assert (type(error), error.retry_after) == (RateLimited, 12.5)


@pytest.mark.parametrize(
    ("number", "status", "said", "kind"),
    [
        (0, 429, "You exceeded your quota.", "insufficient_quota"),
        (0, 402, "More credits are required.", "402"),
        (1, 400, "Your credit balance is too low to access the API.", "invalid_request_error"),
        (1, 402, "There is a problem with your billing.", "billing_error"),
    ],
)
def test_chat_with_an_empty_account_is_not_repeated(
    asking: Asking, number: int, status: int, said: str, kind: str
) -> None:
    """No waiting fills an account."""
    speaker = SPEAKERS[number]

    error = asking.fail(speaker, Answer(status=status, headers={"Retry-After": "1"}, body=speaker.error(said, kind)))

    assert (type(error), error.code, error.retryable, error.retry_after) == (
        ProviderError,
        "insufficient_quota",
        False,
        None,
    )
    assert str(error) == f"m: {said}"


@pytest.mark.parametrize("data", [b"{no json", b"\xff\xfe"])
def test_chat_of_broken_events_cannot_be_read(speaker: OpenAI, asking: Asking, data: bytes) -> None:
    """Garbage is the service's fault, and not a bug of ours."""
    error = asking.fail(speaker, Answer(pieces=[*speaker.begin(), sse(data)]))

    assert (type(error), error.code, error.retryable) == (ProviderError, "invalid_response", False)
    assert str(error) == "m: the answer cannot be read."


@pytest.mark.parametrize(
    ("kinds", "retryable"),
    [
        (("server_error", "overloaded_error", "UNAVAILABLE"), True),
        (("invalid_request_error", "invalid_request_error", "INVALID_ARGUMENT"), False),
    ],
)
@pytest.mark.parametrize("is_streamed", [True, False])
def test_chat_that_is_an_error_with_status_200_fails(
    speaker: OpenAI, asking: Asking, kinds: tuple[str, ...], retryable: bool, is_streamed: bool
) -> None:
    """Told in the stream, where there is no status any more, or in its place."""
    body = speaker.error("It went wrong.", kinds[SPEAKERS.index(speaker)])
    answer = Answer(pieces=[*speaker.begin(), sse(body, "error")]) if is_streamed else Answer(body=body)

    error = asking.fail(speaker, answer)

    assert (type(error), error.code, error.retryable) == (ProviderError, "provider_error", retryable)
    assert str(error) == "m: It went wrong."


@pytest.mark.parametrize(
    ("number", "event"),
    [
        (0, [1]),
        (0, {"choices": "x"}),
        (0, {"choices": [{"delta": {"content": 5}}]}),
        (1, {"type": "message_start", "message": {"usage": {"input_tokens": 1, "cache_read_input_tokens": "x"}}}),
        (2, {"candidates": [], "usageMetadata": 5}),
        (2, {"candidates": [{"content": {"parts": [{"text": 5}]}}]}),
    ],
)
def test_chat_of_events_in_another_shape_cannot_be_read(asking: Asking, number: int, event: Any) -> None:
    """JSON it is, and still no answer; a bug of ours it is not."""
    speaker = SPEAKERS[number]

    error = asking.fail(speaker, Answer(pieces=[sse(event)]))

    assert (type(error), error.code) == (ProviderError, "invalid_response")


def test_chat_in_parts_is_put_together(asking: Asking) -> None:
    """As Mistral's models answer that think."""
    speaker = SPEAKERS[0]
    parts = [{"type": "thinking", "thinking": []}, {"type": "text", "text": "Hello"}]
    choice = {"index": 0, "delta": {"content": parts}, "finish_reason": None}
    said = sse({"id": "1", "model": "m-2", "choices": [choice]})

    output = asking.ask(speaker, Answer(pieces=[*speaker.begin(), said, *speaker.end()]))

    assert output.data["text"] == "Hello"


def test_chat_that_is_not_streamed_though_it_was_asked_to_is_taken_whole(asking: Asking) -> None:
    """Some services cannot."""
    message = {"role": "assistant", "content": "Hello"}
    whole = {"model": "m-2", "choices": [{"message": message, "finish_reason": "stop"}]}

    output = asking.ask(SPEAKERS[0], Answer(body=whole))

    assert (output.data["text"], output.data["usage"]) == ("Hello", None)


def test_chat_that_is_answered_by_a_page_cannot_be_read(speaker: OpenAI, asking: Asking) -> None:
    """A proxy's way of saying that all is well."""
    page = Answer(headers={"Content-Type": "application/json"}, raw=b"<html>Welcome</html>")

    error = asking.fail(speaker, page)

    assert (type(error), error.code) == (ProviderError, "invalid_response")


@pytest.mark.parametrize("status", [401, 403])
def test_chat_with_a_key_that_is_refused_fails_for_good(speaker: OpenAI, asking: Asking, status: int) -> None:
    """Only somebody with another key can mend it. Some services repeat the key: we do not."""
    body = speaker.error(f"Incorrect API key: {KEY}.", "authentication_error")

    error = asking.fail(speaker, Answer(status=status, body=body))

    assert (type(error), error.code, error.retryable) == (ConfigError, "credentials_refused", False)
    assert str(error) == f"m: Incorrect API key: •••. The key in {speaker.key_variable} was refused."


def test_chat_with_a_key_that_google_takes_for_none_is_refused(asking: Asking) -> None:
    """Google says so with a 400."""
    google = SPEAKERS[2]
    body = google.error("API key not valid.", "INVALID_ARGUMENT")
    body["error"]["details"] = [{"reason": "API_KEY_INVALID"}]

    error = asking.fail(google, Answer(status=400, body=body))

    assert error.code == "credentials_refused"


def test_chat_that_fails_once_succeeds_when_it_is_tried_again(speaker: OpenAI, asking: Asking) -> None:
    """One request an attempt: how many there are is the engine's to count and to show."""
    server = asking.serve(
        speaker, Answer(status=500, body=speaker.error("Oh.", "server_error")), speaker.whole("Hello")
    )

    with pytest.raises(ProviderError) as failure:
        asking.again(speaker)
    output = asking.again(speaker)

    error = failure.value
    assert (error.code, error.status, error.retryable, str(error)) == ("provider_error", 500, True, "m: Oh.")
    assert output.data["text"] == "Hello"
    assert len(server.asked) == 2


@pytest.mark.parametrize("spoken", [0, 1])
def test_chat_that_is_cancelled_ends_within_a_second(speaker: OpenAI, asking: Asking, spoken: int) -> None:
    """Before the first word and in the middle of the stream."""
    asking.serve(speaker, Answer(pieces=[*speaker.begin(), *[speaker.say("Hel")] * spoken, Trouble.SILENCE]))
    cancelling = Timer(0.1, asking.lent.cancel)
    cancelling.start()
    started = monotonic()

    with pytest.raises(Cancelled):
        asking.again(speaker)

    cancelling.join()
    assert monotonic() - started < 1.5
