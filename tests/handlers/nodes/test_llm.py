from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from threading import Timer
from time import monotonic
from typing import Any

import pytest
from pydantic import ValidationError

from flowmaestro.standin import StandIn, serve
from handlers import Usage
from handlers.errors import (
    Cancelled,
    ConfigError,
    HandlerError,
    NodeTimeout,
    ProviderError,
    RateLimited,
    Unreachable,
)
from handlers.registry import check_config
from tests.handlers.fakes import CATALOGUE, RecordingLent, run
from tests.handlers.servers import Reply, http_server, read_request, socket_server

PROMPT = "Customer: Ada\nOrder: A-1"
ANSWER = "Dear Ada,\n\nthank you for your order A-1.\n\nKind regards,\nthe stand-in for a language model"


@pytest.fixture
def standin(monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    with serve(token_seconds=0) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", f"{server.url}/v1")
        monkeypatch.setenv("OPENAI_API_KEY", "any")
        yield server


def test_llm_answer_streams_and_is_put_out_whole(standin: StandIn) -> None:
    """Who watches sees the tokens, who comes later reads the text."""
    lent = RecordingLent()

    output = run("llm", {"model": "small", "prompt": PROMPT}, lent=lent)

    assert output.data == {
        "text": ANSWER,
        "finishReason": "stop",
        "usage": {"promptTokens": 4, "completionTokens": 16, "totalTokens": 20},
        "model": "small",
        "provider": "openai",
    }
    assert output.usage == Usage(model="small", provider="openai", prompt_tokens=4, completion_tokens=16)
    assert "".join(lent.tokens) == ANSWER
    assert len(lent.tokens) == 16
    assert lent.logs == []


def test_llm_request_carries_the_configuration(standin: StandIn) -> None:
    """What the author set is what the service is asked."""
    config = {
        "model": "small",
        "systemPrompt": "Be brief.",
        "prompt": "Hi",
        "temperature": 0,
        "maxTokens": 9,
        "topP": 0.5,
    }

    run("llm", config)

    assert standin.received[0] == {
        "model": "small",
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}],
        "temperature": 0,
        "max_tokens": 9,
        "top_p": 0.5,
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def test_llm_request_without_settings_carries_the_defaults(standin: StandIn) -> None:
    """Those of the existing product."""
    run("llm", {"provider": "openai", "model": "small", "prompt": {"order": 1}})

    body = standin.received[0]
    assert (body["temperature"], body["max_tokens"], body["top_p"]) == (0.7, 1000, 1)
    assert body["messages"] == [{"role": "user", "content": '{"order":1}'}]  # a reference to an object is its JSON


def test_llm_request_to_openai_itself_bounds_the_answer_by_the_new_name(
    standin: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OpenAI's newer models refuse `max_tokens`, and others know no other name."""
    monkeypatch.setattr("handlers.llm.dialects.openai.OPENAI_URL", f"{standin.url}/v1")

    run("llm", {"model": "small", "prompt": "Hi", "maxTokens": 9})

    body = standin.received[0]
    assert (body.get("max_completion_tokens"), body.get("max_tokens")) == (9, None)


def test_llm_prompt_with_half_a_character_is_sent_without_it(standin: StandIn) -> None:
    """A text cut in the middle of an emoji is no reason to fail."""
    run("llm", {"model": "small", "prompt": "Hi \ud83d"})

    assert standin.received[0]["messages"] == [{"role": "user", "content": "Hi ?"}]


def test_llm_answer_cut_at_max_tokens_says_so(standin: StandIn) -> None:
    """Half an answer must not pass for a whole one."""
    lent = RecordingLent()

    output = run("llm", {"model": "small", "prompt": PROMPT, "maxTokens": 3}, lent=lent)

    assert (output.data["text"], output.data["finishReason"]) == ("Dear Ada,\n\nthank", "length")
    assert lent.logs == [("warning", "The answer was cut at 3 tokens (maxTokens).")]


@pytest.mark.parametrize(
    ("model", "kind", "code", "status", "retryable", "retry_after"),
    [
        ("fail-429", RateLimited, "rate_limited", 429, True, 1.0),
        ("fail-quota", ProviderError, "insufficient_quota", 429, False, None),  # no waiting fills an account
        ("fail-500", ProviderError, "provider_error", 500, True, None),
        ("cut", Unreachable, "unreachable", None, True, None),
    ],
)
def test_llm_failure_of_the_service_says_whether_to_try_again(
    standin: StandIn,
    model: str,
    kind: type[ProviderError],
    code: str,
    status: int | None,
    retryable: bool,
    retry_after: float | None,
) -> None:
    """One request, whose failure the engine counts; the library makes no attempts of its own."""
    with pytest.raises(ProviderError) as failure:
        run("llm", {"model": model, "prompt": "Hi"})

    error = failure.value
    assert (type(error), error.code, error.status, error.retryable) == (kind, code, status, retryable)
    assert error.retry_after == retry_after
    assert len(standin.received) == 1


def test_llm_failure_tells_what_the_service_said(standin: StandIn) -> None:
    """The author reads the service's own words."""
    with pytest.raises(ProviderError) as failure:
        run("llm", {"model": "fail-500", "prompt": "Hi"})

    assert str(failure.value) == "fail-500: The server had an error while processing your request."


@pytest.mark.parametrize("model", ["hang", "stall"])
def test_llm_answer_that_does_not_come_in_time_fails_as_timeout(standin: StandIn, model: str) -> None:
    """Before the first token and in the middle of the stream."""
    with pytest.raises(NodeTimeout) as failure:
        run("llm", {"model": model, "prompt": PROMPT}, lent=RecordingLent(seconds=0.3))

    assert str(failure.value) == f"{model}: no complete answer within 0.3 s."


@pytest.mark.parametrize("model", ["hang", "stall"])
def test_llm_cancelled_while_it_waits_ends_within_a_second(standin: StandIn, model: str) -> None:
    """A model that thinks for minutes does not think on for a run that is over."""
    lent = RecordingLent()
    cancelling = Timer(0.2, lent.cancel)
    cancelling.start()
    started = monotonic()

    with pytest.raises(Cancelled):
        run("llm", {"model": model, "prompt": PROMPT}, lent=lent)

    cancelling.join()
    assert monotonic() - started < 1.2


def test_llm_cancelled_in_the_middle_of_its_tokens_stops_with_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tokens that nobody wants are not waited for, nor paid."""

    class Impatient(RecordingLent):
        def token(self, text: str) -> None:
            super().token(text)
            if len(self.tokens) == 2:
                self.cancel()

    lent = Impatient()
    with serve(token_seconds=0.05) as standin:
        monkeypatch.setenv("OPENAI_BASE_URL", f"{standin.url}/v1")
        monkeypatch.setenv("OPENAI_API_KEY", "any")

        with pytest.raises(Cancelled):
            run("llm", {"model": "small", "prompt": PROMPT}, lent=lent)

    assert lent.tokens == ["Dear", " Ada,"]


def test_llm_without_a_key_says_how_to_mend_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first thing that goes wrong on a new machine."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)

    with pytest.raises(ConfigError, match="set OPENAI_API_KEY in the environment of the workers") as failure:
        run("llm", {"model": "small", "prompt": "Hi"})

    assert failure.value.code == "missing_credentials"


def test_llm_of_a_provider_that_is_not_there_names_those_that_are(standin: StandIn) -> None:
    """Nobody is asked in another's place."""
    with pytest.raises(ConfigError) as failure:
        run("llm", {"provider": "acme", "model": "large", "prompt": "Hi"})

    assert str(failure.value).startswith("The provider 'acme' is not supported; there is anthropic, azure, cohere,")
    assert list(standin.received) == []


def test_llm_without_a_server_fails_as_unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing was answered, so another attempt may help."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    monkeypatch.setenv("OPENAI_BASE_URL", f"http://127.0.0.1:{port}/v1")
    monkeypatch.setenv("OPENAI_API_KEY", "any")

    with pytest.raises(Unreachable, match="Connection refused") as failure:
        run("llm", {"model": "small", "prompt": "Hi"})

    assert failure.value.retryable


def refuse(monkeypatch: pytest.MonkeyPatch, reply: Reply) -> HandlerError:
    with http_server(reply) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", f"{server.url}/v1")
        monkeypatch.setenv("OPENAI_API_KEY", "any")
        with pytest.raises(HandlerError) as failure:
            run("llm", {"model": "small", "prompt": "Hi"})
    return failure.value


@pytest.mark.parametrize("status", [401, 403])
def test_llm_with_a_key_that_is_refused_fails_for_good(monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    """Only somebody with another key can mend it."""
    error = refuse(monkeypatch, Reply(status=status, body=b'{"error": {"message": "Incorrect API key provided."}}'))

    assert (type(error), error.code, error.retryable) == (ConfigError, "credentials_refused", False)
    assert str(error) == "small: Incorrect API key provided. The key in OPENAI_API_KEY was refused."


@pytest.mark.parametrize(("status", "retryable"), [(400, False), (404, False), (408, True), (503, True), (529, True)])
def test_llm_status_of_the_service_decides_on_another_attempt(
    monkeypatch: pytest.MonkeyPatch, status: int, retryable: bool
) -> None:
    """By the same table as an HTTP request's."""
    error = refuse(
        monkeypatch, Reply(status=status, headers={"Retry-After": "2"}, body=b'{"error": {"message": "no"}}')
    )

    assert isinstance(error, ProviderError)
    assert (error.status, error.retryable, error.retry_after) == (status, retryable, 2)


def events(*chunks: Any) -> bytes:
    return b"".join(
        b"data: %b\n\n" % (chunk if isinstance(chunk, bytes) else json.dumps(chunk).encode()) for chunk in chunks
    )


def chunk(content: str | None = None, finish_reason: str | None = None) -> dict[str, Any]:
    choice = {"index": 0, "delta": {"content": content}, "finish_reason": finish_reason}
    return {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "other", "choices": [choice]}


def stream(monkeypatch: pytest.MonkeyPatch, content: bytes, lent: RecordingLent | None = None) -> Any:
    """What comes of a service that streams *content*, without a length, and hangs up."""

    def talk(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n" + content)

    with socket_server(talk) as (host, port):
        monkeypatch.setenv("OPENAI_BASE_URL", f"http://{host}:{port}/v1")
        monkeypatch.setenv("OPENAI_API_KEY", "any")
        return run("llm", {"model": "small", "prompt": "Hi"}, lent=lent)


def test_llm_of_a_service_that_does_not_count_has_no_usage(monkeypatch: pytest.MonkeyPatch) -> None:
    """A guess would be taken for a bill."""
    output = stream(monkeypatch, events(chunk("Hello"), chunk(finish_reason="stop"), b"[DONE]"))

    assert (output.data["text"], output.data["usage"], output.usage) == ("Hello", None, None)


def test_llm_stream_that_ends_too_early_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that closes properly in the middle looks like an end."""
    with pytest.raises(Unreachable, match="broke off"):
        stream(monkeypatch, events(chunk("Hel")))


@pytest.mark.parametrize(("kind", "retryable"), [("server_error", True), ("invalid_request_error", False)])
def test_llm_error_told_in_the_stream_is_raised(monkeypatch: pytest.MonkeyPatch, kind: str, retryable: bool) -> None:
    """Once the stream has begun there is no status to tell it by."""
    told = {"error": {"message": "It went wrong.", "type": kind}}

    with pytest.raises(ProviderError) as failure:
        stream(monkeypatch, events(chunk("Hel"), told))

    assert (str(failure.value), failure.value.retryable) == ("small: It went wrong.", retryable)


@pytest.mark.parametrize("content", [b"data: {no json\n\n", b"data: \xff\xfe\n\n"])
def test_llm_stream_that_cannot_be_read_fails(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    """Garbage is the service's fault, and not a bug of ours."""
    with pytest.raises(ProviderError) as failure:
        stream(monkeypatch, content)

    assert failure.value.code == "invalid_response"


@pytest.mark.parametrize(
    ("config", "fields"),
    [
        ({"model": "small", "prompt": "{{a}}"}, []),
        ({"model": "{{m}}", "prompt": "x", "temperature": "{{t}}"}, []),
        ({"provider": "acme", "model": "x", "prompt": "x"}, []),  # drawn for later, or for elsewhere
        ({"prompt": "x"}, ["model"]),
        ({"model": "small"}, ["prompt"]),
        ({"model": "small", "prompt": ""}, ["prompt"]),
        ({"model": "small", "prompt": "x", "temperature": 2.1}, ["temperature"]),
        ({"model": "small", "prompt": "x", "maxTokens": 0}, ["maxTokens"]),
        ({"model": "small", "prompt": "x", "topP": -0.1}, ["topP"]),
    ],
)
def test_llm_as_drawn_is_checked(config: dict[str, Any], fields: list[str]) -> None:
    """A drawing that cannot run is refused with its fields."""
    assert [field for field, _ in check_config(CATALOGUE["llm"], config)] == fields


def test_llm_with_a_prompt_that_resolved_to_nothing_is_refused() -> None:
    """A model that is asked nothing answers something."""
    with pytest.raises(ValidationError):
        run("llm", {"model": "small", "prompt": None})
