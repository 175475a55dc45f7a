from __future__ import annotations

import pytest

from handlers import ConfigError
from handlers.llm import known, provider_named
from handlers.llm.access import find_access
from handlers.llm.dialect import Access
from handlers.ports import Credential
from tests.handlers.fakes import RecordingLent

KEY = "sk-of-the-connection"
OURS = "sk-of-the-workers"


def credential(**values: str) -> Credential:
    return Credential(id="c1", kind="api_key", name="Ours", values=values)


def access(
    provider: str,
    *,
    lent: RecordingLent | None = None,
    connection: Credential | None = None,
    key: str | None = None,
    url: str | None = None,
) -> Access:
    lent = lent or RecordingLent(credentials=[connection] if connection else [])
    connection_id = connection.id if connection else None
    return find_access(provider_named(provider), lent, connection_id=connection_id, api_key=key, base_url=url)


def test_providers_are_those_of_the_manual() -> None:
    """A dialect that is lost with its module would be missed by no other test."""
    assert list(known()) == [
        "anthropic",
        "azure",
        "cohere",
        "deepgram",
        "elevenlabs",
        "google",
        "groq",
        "huggingface",
        "mistral",
        "ollama",
        "openai",
        "openai-compatible",
        "openrouter",
        "vllm",
        "xai",
    ]


@pytest.mark.parametrize("name", ["api_key", "token"])
def test_access_of_a_connection_is_its_key_and_its_address(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """And not the worker's, which is somebody else's."""
    monkeypatch.setenv("OPENAI_API_KEY", OURS)
    lent = RecordingLent(credentials=[credential(**{name: KEY, "base_url": "https://models.example/v1/"})])

    found = access("openai", lent=lent, connection=credential())

    assert (found.key, found.base_url, found.place) == (KEY, "https://models.example/v1", "openai:models.example")
    assert KEY in lent.hidden
    assert KEY not in repr(found)


def test_access_by_a_key_of_the_node_goes_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who writes a key means it."""
    monkeypatch.setenv("OPENAI_API_KEY", OURS)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)

    found = access("openai", key=f" {KEY}\n")

    assert (found.key, found.base_url, found.place) == (KEY, "https://api.openai.com/v1", "openai")


def test_access_never_sends_the_workers_key_to_an_address_of_the_node(monkeypatch: pytest.MonkeyPatch) -> None:
    """An author who could choose where it goes would have it."""
    monkeypatch.setenv("OPENAI_API_KEY", OURS)

    with pytest.raises(ConfigError, match="needs a key of its own") as failure:
        access("openai", url="https://elsewhere.example/v1")

    assert failure.value.code == "missing_credentials"
    assert access("openai-compatible", url="https://elsewhere.example/v1").key == ""


def test_access_never_sends_a_connections_key_to_an_address_of_the_node() -> None:
    """Who may use a connection may not read it."""
    with pytest.raises(ConfigError, match="brings its own base_url"):
        access("openai", connection=credential(api_key=KEY), url="https://elsewhere.example/v1")


@pytest.mark.parametrize(
    ("provider", "variable"),
    [
        ("openai", "OPENAI_API_KEY"),
        ("anthropic", "ANTHROPIC_API_KEY"),
        ("google", "GEMINI_API_KEY"),
        ("google", "GOOGLE_API_KEY"),
        ("xai", "XAI_API_KEY"),
        ("huggingface", "HF_TOKEN"),
    ],
)
def test_access_by_the_environment_takes_the_providers_usual_variable(
    monkeypatch: pytest.MonkeyPatch, provider: str, variable: str
) -> None:
    """The names under which people have their keys already."""
    for name in provider_named(provider).key_variables:
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ConfigError, match=variable):
        access(provider)
    monkeypatch.setenv(variable, OURS)

    assert (access(provider).key, access(provider).source) == (OURS, f"in {variable}")


def test_access_to_azure_is_the_endpoint_with_its_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its portal shows the address without it."""
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", OURS)
    with pytest.raises(ConfigError, match="no address of its own"):
        access("azure")
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", "https://ours.openai.azure.com/")

    assert access("azure").base_url == "https://ours.openai.azure.com/openai/v1"


def test_access_to_a_service_without_keys_needs_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model on one's own machine."""
    monkeypatch.delenv("OLLAMA_API_KEY", raising=False)

    assert access("ollama").base_url == "http://localhost:11434/v1"


@pytest.mark.parametrize("key", ["sk-0123456789\nX", "sk-0123456789…", "sk 0123456789"])
def test_access_by_what_can_be_no_key_says_so_without_it(key: str) -> None:
    """A header could not carry it, and would tell it in its error."""
    with pytest.raises(ConfigError, match="The key in apiKey") as failure:
        access("openai", key=key)

    assert "0123456789" not in str(failure.value)


def test_access_is_limited_by_place_without_passwords() -> None:
    """The place stands in messages and in Redis."""
    found = access("openai-compatible", url="https://ada:secret@models.example:8000/v1?key=secret")

    assert found.place == "openai-compatible:models.example:8000"


@pytest.mark.parametrize("url", ["ftp://models.example", "models.example", "http://"])
def test_access_to_what_is_no_address_is_refused(url: str) -> None:
    """With the field that has to be mended."""
    with pytest.raises(ConfigError, match="base URL of openai-compatible"):
        access("openai-compatible", url=url)
