from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from handlers import Cancelled, ConfigError, NodeTimeout, ProviderError
from handlers.ports import Credential
from handlers.registry import check_config
from tests.handlers.fakes import CATALOGUE, RecordingLent, run
from tests.handlers.llm.speakers import SPEAKERS, Answer, Service, Trouble, service

OPENAI, ANTHROPIC, GOOGLE = SPEAKERS
SCHEMA = {
    "type": "object",
    "properties": {"age": {"type": "integer"}},
    "required": ["age"],
    "additionalProperties": False,
}
BROKEN = Answer(status=500, body=OPENAI.error("Oh.", "server_error"))
HELLO = Answer(pieces=[*OPENAI.begin(), OPENAI.say("Hello"), *OPENAI.end()])
GREETING = Answer(pieces=[*ANTHROPIC.begin(), ANTHROPIC.say("Good day"), *ANTHROPIC.end()])


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as services:
        yield services


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch, stack: ExitStack) -> Any:
    def start(speaker: Any, *answers: Answer) -> Service:
        server = stack.enter_context(service(*answers))
        monkeypatch.setenv(speaker.key_variable, "any")
        monkeypatch.setenv(speaker.url_variable, server.url + speaker.path)
        return server

    return start


def ask(lent: RecordingLent | None = None, **config: Any) -> Any:
    return run("llm", {"provider": "openai", "prompt": "Hi", **config}, lent=lent)


# ---- several models


def test_ask_next_model_when_the_first_fails(serve: Any) -> None:
    """The output says who answered, and who did not."""
    serve(OPENAI, BROKEN)
    serve(ANTHROPIC, GREETING)
    lent = RecordingLent()

    output = ask(lent, model="m", models=["anthropic/claude"])

    assert (output.data["text"], output.data["provider"], output.usage.provider) == (
        "Good day",
        "anthropic",
        "anthropic",
    )
    assert output.data["failedModels"] == [
        {"provider": "openai", "model": "m", "code": "provider_error", "message": "m: Oh."}
    ]
    assert lent.logs == [
        ("warning", "openai/m failed: m: Oh. Now anthropic/claude is asked."),
        ("info", "anthropic/claude answered, in place of openai/m."),
    ]


@pytest.mark.parametrize(
    "trouble",
    [
        Answer(status=429, body=OPENAI.error("Slow down.", "requests")),
        Answer(status=404, body=OPENAI.error("There is no such model.", "invalid_request_error")),
        Answer(status=401, body=OPENAI.error("Incorrect API key.", "invalid_request_error")),
        Answer(pieces=[*OPENAI.begin(), Trouble.SILENCE]),
        Answer(pieces=[*OPENAI.begin(), OPENAI.say("Hel"), Trouble.CUT]),
    ],
    ids=["busy", "gone", "refused", "silent", "cut"],
)
def test_ask_next_model_whatever_is_wrong_with_the_first(serve: Any, trouble: Answer) -> None:
    """Busy, gone, silent, cut off, or its key refused: none of it is about what was asked."""
    serve(OPENAI, trouble, HELLO)

    output = ask(models=["m", "n"], firstTokenTimeout=1 if Trouble.SILENCE in trouble.pieces else 60)

    assert output.data["text"] == "Hello"


def test_ask_several_models_of_which_none_answers_tells_of_each(serve: Any) -> None:
    """Worth another attempt if one of them is, as soon as the first may be asked again."""
    busy = Answer(status=429, headers={"Retry-After": "9"}, body=OPENAI.error("Slow down.", "requests"))
    serve(OPENAI, busy, Answer(status=400, body=OPENAI.error("No.", "invalid_request_error")))

    with pytest.raises(ProviderError) as failure:
        ask(models=["m", "n"])

    error = failure.value
    assert (error.code, error.retryable, error.retry_after) == ("models_exhausted", True, 9)
    assert str(error) == "None of the 2 models answered. openai/m: m: Slow down. openai/n: n: No."


def test_ask_does_not_go_on_for_a_run_that_is_over(serve: Any) -> None:
    """A cancelled run wants no other model either."""
    server = serve(OPENAI, BROKEN, HELLO)
    lent = RecordingLent()
    lent.cancel()

    with pytest.raises(Cancelled):
        ask(lent, models=["m", "n"])

    assert server.asked == []


def test_ask_does_not_go_on_when_the_attempt_has_no_time_left(serve: Any) -> None:
    """The next model would have none to answer in."""
    server = serve(OPENAI, Answer(pieces=[*OPENAI.begin(), Trouble.SILENCE]))

    class Hurried(RecordingLent):
        def remaining(self) -> float:
            return 0.2 if not server.asked else 0.0

    with pytest.raises(NodeTimeout):
        ask(Hurried(), models=["m", "n"])


def test_ask_without_a_key_does_not_hide_behind_the_next_model(serve: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that can never be asked is a mistake in the drawing."""
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    serve(OPENAI, HELLO)

    with pytest.raises(ConfigError, match="set ANTHROPIC_API_KEY") as failure:
        ask(models=["anthropic/claude", "m"])

    assert failure.value.code == "missing_credentials"


def test_ask_knows_whose_model_a_name_with_a_slash_is(serve: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """OpenRouter's own names have slashes; an object says what a text cannot."""
    monkeypatch.setenv("OPENROUTER_API_KEY", "any")
    openai = serve(OPENAI, HELLO)
    monkeypatch.setenv("OPENROUTER_BASE_URL", f"{openai.url}/v1")

    for models in (["openai/gpt"], ["openrouter/openai/gpt"], [{"provider": "openai", "model": "gpt"}]):
        ask(provider="openrouter", models=models)

    assert [asked.body["model"] for asked in openai.asked] == ["openai/gpt", "openai/gpt", "gpt"]


def test_ask_another_model_with_a_connection_of_its_own(serve: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each key goes to the provider it is for."""
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    openai, anthropic = serve(OPENAI, BROKEN), serve(ANTHROPIC, GREETING)
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    connection = Credential(id="c1", kind="api_key", name="Ours", values={"api_key": "key-of-the-connection"})
    entry = {"provider": "anthropic", "model": "claude", "connectionId": "c1"}

    ask(RecordingLent(credentials=[connection]), model="m", models=[entry], apiKey="key-of-the-node")

    assert openai.asked[0].headers["authorization"] == "Bearer key-of-the-node"
    assert anthropic.asked[0].headers["x-api-key"] == "key-of-the-connection"


def test_ask_of_a_provider_nobody_knows_names_those_there_are(serve: Any) -> None:
    """Before anybody is asked."""
    server = serve(OPENAI, HELLO)

    with pytest.raises(ConfigError, match="'acme' is not supported"):
        ask(models=["m", {"provider": "acme", "model": "n"}])

    assert server.asked == []


# ---- answers that fit a schema


def says(speaker: Any, *texts: str) -> list[Answer]:
    return [Answer(pieces=[*speaker.begin(), speaker.say(text), *speaker.end()]) for text in texts]


@pytest.mark.parametrize("speaker", SPEAKERS, ids=lambda speaker: speaker.provider)
@pytest.mark.parametrize("text", ['{"age": 36}', 'Here it is:\n```json\n{"age": 36}\n```'])
def test_ask_for_a_value_of_a_schema(serve: Any, speaker: Any, text: str) -> None:
    """The value beside the text, whether or not the model wraps it up for people."""
    serve(speaker, *says(speaker, text))

    output = ask(provider=speaker.provider, model="m", responseSchema=SCHEMA)

    assert output.data["data"] == {"age": 36}


def test_ask_for_a_value_tells_each_service_in_its_way(serve: Any) -> None:
    """Where the service can hold the model to the schema, it does."""
    servers = {speaker.provider: serve(speaker, *says(speaker, '{"age": 36}')) for speaker in SPEAKERS}

    for name in servers:
        ask(provider=name, model="m", outputSchema=SCHEMA)

    bodies = {name: server.asked[0].body for name, server in servers.items()}
    assert bodies["openai"]["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "answer", "schema": SCHEMA, "strict": False},
    }
    assert bodies["anthropic"]["output_config"] == {"format": {"type": "json_schema", "schema": SCHEMA}}
    assert bodies["google"]["generationConfig"]["responseJsonSchema"] == SCHEMA
    assert bodies["google"]["generationConfig"]["responseMimeType"] == "application/json"


def test_ask_for_a_value_of_a_schema_that_the_service_does_not_take_tells_the_model(serve: Any) -> None:
    """Anthropic's takes closed objects only, and other services none at all: the model is told in words."""
    refused = Answer(status=400, body=OPENAI.error("response_format json_schema is not supported", "invalid"))
    anthropic = serve(ANTHROPIC, *says(ANTHROPIC, '{"age": 36}'))
    openai = serve(OPENAI, refused, *says(OPENAI, '{"age": 36}'))
    schema = {"type": "object", "required": ["age"]}

    outputs = [ask(provider=name, model="m", responseSchema=schema) for name in ("anthropic", "openai")]

    assert [output.data["data"] for output in outputs] == [{"age": 36}] * 2
    assert "output_config" not in anthropic.asked[0].body
    assert '"required": ["age"]' in anthropic.asked[0].body["system"]
    assert "response_format" not in openai.asked[1].body
    assert '"required": ["age"]' in openai.asked[1].body["messages"][0]["content"]


def test_ask_again_when_the_value_does_not_fit(serve: Any) -> None:
    """Once, with what was wrong; both answers are counted, and only the first is streamed."""
    server = serve(OPENAI, *says(OPENAI, '{"age": "old"}', '{"age": 36}'))
    lent = RecordingLent()

    output = ask(lent, model="m", responseSchema=SCHEMA)

    assert output.data["data"] == {"age": 36}
    assert output.data["usage"]["totalTokens"] == 24
    assert lent.tokens == ['{"age": "old"}']
    said = server.asked[1].body["messages"]
    assert said[1] == {"role": "assistant", "content": '{"age": "old"}'}
    assert "age: 'old' is not of type 'integer'" in said[2]["content"]


@pytest.mark.parametrize("text", ["I am 36.", '{"age": "old"}', "[]"])
def test_ask_for_a_value_that_never_fits_fails_clearly(serve: Any, text: str) -> None:
    """A value that does not fit never gets through."""
    server = serve(OPENAI, *says(OPENAI, text))

    with pytest.raises(ProviderError) as failure:
        ask(model="m", responseSchema=SCHEMA)

    assert (failure.value.code, failure.value.retryable) == ("invalid_structured_output", False)
    assert failure.value.details["text"] == text
    assert len(server.asked) == 2


def test_ask_next_model_for_a_value_counts_what_was_in_vain(serve: Any) -> None:
    """It was paid, too."""
    serve(OPENAI, *says(OPENAI, "no", "no", '{"age": 36}'))

    output = ask(models=["m", "n"], responseSchema=SCHEMA)

    assert output.data["data"] == {"age": 36}
    assert output.data["failedModels"][0]["code"] == "invalid_structured_output"
    assert output.usage.total_tokens == 3 * 12


def test_ask_for_a_value_that_is_cut_says_what_to_change(serve: Any) -> None:
    """To ask again would be cut again."""
    server = serve(OPENAI, OPENAI.whole('{"age":', cut=True))

    with pytest.raises(ProviderError, match=r"It was cut at maxTokens\.") as failure:
        ask(model="m", responseSchema=SCHEMA)

    assert failure.value.code == "invalid_structured_output"
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("config", "wrong"),
    [
        ({"model": "m", "responseSchema": {"type": "nonsense"}}, ["responseSchema"]),
        ({"model": "m", "responseSchema": "{"}, ["responseSchema"]),
        ({"model": "m", "responseSchema": '{"type": "object"}'}, []),
        ({"model": "m", "responseSchema": ""}, []),
        ({"models": ["m"]}, []),
        ({"models": [{"model": ""}]}, ["models.0.str", "models.0.ModelEntry.model"]),
        ({"model": "m", "thinkingBudget": 10}, ["thinkingBudget"]),
        ({"model": "m", "idleTimeout": 0}, ["idleTimeout"]),
    ],
)
def test_ask_as_drawn_is_checked(config: dict[str, Any], wrong: list[str]) -> None:
    """A schema that cannot be used is found when it is drawn."""
    assert [field for field, _ in check_config(CATALOGUE["llm"], {"prompt": "x", **config})] == wrong
