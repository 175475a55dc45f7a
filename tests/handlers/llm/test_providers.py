from __future__ import annotations

from collections.abc import Generator, Iterator

import pytest

from handlers import ConfigError, Usage
from handlers.llm import Access, ChatRequest, Counted, Delta, Dialect, Provider, known, provider_named, register
from handlers.llm.providers import _providers
from tests.handlers.fakes import RecordingLent, run


class Echo(Dialect):
    """Says what it is told."""

    def chat(self, access: Access, request: ChatRequest) -> Generator[Delta, None, None]:
        del access
        for part in request.messages[-1].parts:
            yield Delta(text=str(part))
        yield Delta(finish_reason="stop", counted=Counted(prompt=1, completion=1))


@pytest.fixture
def echo() -> Iterator[None]:
    known()
    register(
        Provider(name="echo", dialect=Echo(), base_url="http://echo", key_variables=("ECHO_KEY",), url_variables=())
    )
    yield
    del _providers["echo"]


@pytest.mark.usefixtures("echo")
def test_provider_of_a_plug_in_is_asked_like_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """One class and one registration; limits, fallback, streaming and counting come by themselves."""
    monkeypatch.setenv("ECHO_KEY", "any")
    lent = RecordingLent()

    output = run("llm", {"provider": "echo", "model": "e", "prompt": "Hello"}, lent=lent)

    assert output.data["text"] == "Hello"
    assert output.usage == Usage(model="e", provider="echo", prompt_tokens=1, completion_tokens=1)
    assert lent.tokens == ["Hello"]
    assert lent.limits.slots == [("echo", None, None)]


@pytest.mark.usefixtures("echo")
def test_provider_without_a_feature_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """What its dialect does not speak, it does not offer."""
    monkeypatch.setenv("ECHO_KEY", "any")

    with pytest.raises(ConfigError, match="echo has no embeddings") as failure:
        run("embeddings", {"provider": "echo", "model": "e", "input": "x"})

    assert failure.value.code == "not_offered"


def test_provider_that_nobody_registered_names_those_there_are() -> None:
    """A slip of the pen is mended at a glance."""
    with pytest.raises(ConfigError, match=r"'opnai' is not supported; there is anthropic, .*, openai,"):
        provider_named("opnai")
