from __future__ import annotations

import base64
import io
import wave
from typing import Any

import pytest

from handlers import ConfigError, HandlerError, ProviderError
from handlers.registry import check_config
from tests.handlers.fakes import CATALOGUE, RecordingLent, run
from tests.handlers.llm.speakers import Answer, standing_in

SPOKEN = Answer(headers={"Content-Type": "audio/mpeg"}, raw=b"ID3spoken")


def test_audio_output_is_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a folder of the run; the output refers to it."""
    lent = RecordingLent()
    with standing_in(monkeypatch, "openai", SPOKEN, path="/v1") as service:
        output = run("audioOutput", {"textInput": "Hello", "voice": "", "speed": 1.5}, lent=lent)

    audio = output.data["audio"]
    assert lent.files.stored[audio["path"]] == (b"ID3spoken", "audio/mpeg")
    assert (audio["name"], output.data["characters"], output.data["format"]) == ("speech.mp3", 5, "mp3")
    assert service.asked[0].body == {
        "model": "gpt-4o-mini-tts",
        "voice": "alloy",
        "input": "Hello",
        "response_format": "mp3",
        "speed": 1.5,
    }


@pytest.mark.parametrize("config", [{"returnAs": "base64"}, {"returnAsUrl": False}])
def test_audio_output_as_base64(monkeypatch: pytest.MonkeyPatch, config: dict[str, Any]) -> None:
    """As existing workflows ask for it, too."""
    implied = CATALOGUE["audioOutput"].handler.implied("audioOutput", config)
    with standing_in(monkeypatch, "openai", SPOKEN, path="/v1"):
        output = run("audioOutput", {"textInput": "Hello", **config, **implied})

    assert output.data["audio"] == {
        "base64": base64.b64encode(b"ID3spoken").decode(),
        "contentType": "audio/mpeg",
        "size": 9,
    }


def test_audio_output_by_elevenlabs(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the voice in the address and its character in the body."""
    with standing_in(monkeypatch, "elevenlabs", SPOKEN) as service:
        run("audioOutput", {"provider": "elevenlabs", "textInput": "Hello", "voice": "Ada/1", "stability": 0.2})
        for config in ({}, {"voice": "Ada", "speed": 2}):
            with pytest.raises(ConfigError, match=r"voice:|speed:"):
                run("audioOutput", {"provider": "elevenlabs", "textInput": "Hello", **config})

    [asked] = service.asked
    assert asked.path == "/v1/text-to-speech/Ada%2F1?output_format=mp3_44100_128"
    assert asked.headers["xi-api-key"] == "key-of-the-worker"
    assert asked.body == {
        "text": "Hello",
        "model_id": "eleven_multilingual_v2",
        "voice_settings": {"stability": 0.2, "similarity_boost": 0.75, "speed": 1.0},
    }


@pytest.mark.parametrize(
    ("status", "detail", "code"),
    [
        (401, {"status": "invalid_api_key", "message": "Invalid API key"}, "credentials_refused"),
        (401, {"status": "quota_exceeded", "message": "You have 0 credits left"}, "insufficient_quota"),
        (429, {"status": "too_many_concurrent_requests", "message": "Slow down"}, "rate_limited"),
        (422, [{"msg": "field required"}], "provider_error"),
    ],
)
def test_audio_output_that_elevenlabs_refuses(
    monkeypatch: pytest.MonkeyPatch, status: int, detail: Any, code: str
) -> None:
    """An account that is used up looks like a wrong key there."""
    refused = Answer(status=status, body={"detail": detail})

    with standing_in(monkeypatch, "elevenlabs", refused), pytest.raises(HandlerError) as failure:
        run("audioOutput", {"provider": "elevenlabs", "textInput": "Hello", "voice": "Ada"})

    assert failure.value.code == code


def test_audio_output_by_deepgram(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whose models are voices."""
    with standing_in(monkeypatch, "deepgram", SPOKEN) as service:
        run("audioOutput", {"provider": "deepgram", "textInput": "Hello", "outputFormat": "opus"})

    [asked] = service.asked
    assert asked.path == "/v1/speak?model=aura-2-thalia-en&encoding=opus&container=ogg"
    assert (asked.headers["authorization"], asked.body) == ("Token key-of-the-worker", {"text": "Hello"})


def test_audio_output_by_google_is_a_wave_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its service gives samples, which no player plays."""
    lent = RecordingLent()
    data = {"mimeType": "audio/L16;codec=pcm;rate=24000", "data": base64.b64encode(b"\x01\x00" * 240).decode()}
    spoken = Answer(body={"candidates": [{"content": {"parts": [{"inlineData": data}]}}]})

    with standing_in(monkeypatch, "google", spoken):
        run("audioOutput", {"provider": "google", "textInput": "Hello", "outputFormat": "wav"}, lent=lent)
        with pytest.raises(ConfigError, match="wav only"):
            run("audioOutput", {"provider": "google", "textInput": "Hello"})

    [(content, content_type)] = lent.files.stored.values()
    with wave.open(io.BytesIO(content)) as sound:
        assert (sound.getframerate(), sound.getnframes(), content_type) == (24_000, 240, "audio/wav")


def test_audio_output_of_a_text_that_is_too_long_asks_nobody() -> None:
    """With how long it may be."""
    with pytest.raises(ConfigError, match="up to 4,096"):
        run("audioOutput", {"textInput": "x" * 4_097})


def test_audio_output_that_comes_as_json_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """A service that answers otherwise than it should."""
    with (
        standing_in(monkeypatch, "deepgram", Answer(body={"status": "queued"})),
        pytest.raises(ProviderError) as failure,
    ):
        run("audioOutput", {"provider": "deepgram", "textInput": "Hello"})

    assert failure.value.code == "invalid_response"


@pytest.mark.parametrize(
    ("config", "wrong"),
    [
        ({"textInput": "x"}, []),
        ({"text": "x"}, []),
        ({"input": "x"}, []),
        ({}, ["textInput"]),
        ({"textInput": "x", "speed": 5}, ["speed"]),
        ({"textInput": "x", "outputFormat": "flac"}, ["outputFormat"]),
        ({"textInput": "x", "stability": 2}, ["stability"]),
    ],
)
def test_audio_output_as_drawn_is_checked(config: dict[str, Any], wrong: list[str]) -> None:
    assert [field for field, _ in check_config(CATALOGUE["audioOutput"], config)] == wrong
