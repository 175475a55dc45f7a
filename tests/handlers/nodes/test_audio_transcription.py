from __future__ import annotations

import base64
from typing import Any

import pytest

from handlers import ConfigError, InputError, ProviderError
from handlers.registry import check_config
from tests.handlers.fakes import CATALOGUE, RecordingLent, run
from tests.handlers.llm.speakers import Answer, Service, standing_in

WAV = b"RIFF\x00\x00\x00\x00WAVEsound"
SOUND = f"data:audio/wav;base64,{base64.b64encode(WAV).decode()}"
TIMED = {
    "task": "transcribe",
    "text": "Hello there. Bye.",
    "language": "english",
    "duration": 3661.5,
    "segments": [
        {"id": 0, "start": 0.0, "end": 1.25, "text": " Hello --> there."},
        {"id": 1, "start": 3660.5, "end": 3661.5, "text": " Bye.\n\n"},
    ],
    "words": [{"word": "Hello", "start": 0.0, "end": 0.5}],
}


def transcribe(monkeypatch: pytest.MonkeyPatch, body: Any, **config: Any) -> tuple[Any, Service]:
    with standing_in(monkeypatch, "openai", Answer(body=body), path="/v1") as service:
        return run("audioTranscription", {"audioSource": SOUND, **config}), service


def fields(service: Service) -> str:
    content = service.asked[0].body
    assert isinstance(content, bytes)
    return content.decode("latin-1")


def test_transcription_as_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """The recording is sent with a name by which the service tells its format."""
    body = {"text": "Hello", "usage": {"type": "tokens", "input_tokens": 9, "output_tokens": 1, "total_tokens": 10}}
    output, service = transcribe(monkeypatch, body, language="EN", prompt="Ada", temperature=0.5)

    assert output.data == {
        "text": "Hello",
        "transcription": "Hello",
        "format": "text",
        "language": None,
        "duration": None,
        "segments": None,
        "words": None,
        "model": "whisper-1",
        "provider": "openai",
    }
    assert output.usage.total_tokens == 10
    sent = fields(service)
    assert service.asked[0].path == "/v1/audio/transcriptions"
    assert 'filename="audio.wav"' in sent
    assert WAV.decode("latin-1") in sent
    for name, value in {"model": "whisper-1", "language": "en", "prompt": "Ada", "temperature": "0.5"}.items():
        assert f'name="{name}"\r\n\r\n{value}\r\n' in sent


def test_transcription_into_english_goes_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Translations are an address of their own, which knows no language."""
    output, service = transcribe(monkeypatch, {"text": "Hello"}, task="translate", language="de")

    assert (output.data["text"], service.asked[0].path) == ("Hello", "/v1/audio/translations")
    assert 'name="language"' not in fields(service)


@pytest.mark.parametrize(
    ("output_format", "written"),
    [
        (
            "srt",
            "1\n00:00:00,000 --> 00:00:01,250\nHello -> there.\n\n2\n01:01:00,500 --> 01:01:01,500\nBye.\n",
        ),
        (
            "vtt",
            "WEBVTT\n\n00:00:00.000 --> 00:00:01.250\nHello -> there.\n\n01:01:00.500 --> 01:01:01.500\nBye.\n",
        ),
        ("json", None),
        ("text", "Hello there. Bye."),
    ],
)
def test_transcription_in_each_format(monkeypatch: pytest.MonkeyPatch, output_format: str, written: str | None) -> None:
    """Subtitles are made of the segments, the same for every service."""
    output, _ = transcribe(monkeypatch, TIMED, outputFormat=output_format)

    assert (output.data["transcription"], output.data["format"]) == (written, output_format)


def test_transcription_with_times(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of sentences and of words."""
    output, service = transcribe(monkeypatch, TIMED, timestamps=True)

    assert output.data["words"] == [{"start": 0.0, "end": 0.5, "word": "Hello"}]
    assert output.data["segments"][0] == {"start": 0.0, "end": 1.25, "text": " Hello --> there."}
    assert output.data["duration"] == 3661.5
    assert "verbose_json" in fields(service)


def test_transcription_without_times_makes_no_subtitles(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rather than one line for the whole film."""
    with pytest.raises(ProviderError, match="no times") as failure:
        transcribe(monkeypatch, {"text": "Hello"}, outputFormat="srt")

    assert failure.value.code == "no_timestamps"


def test_transcription_by_deepgram(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bytes as they are, with all settings in the address."""
    body = {
        "metadata": {"duration": 1.5},
        "results": {
            "channels": [
                {"alternatives": [{"transcript": "Hello.", "words": [{"word": "hello", "start": 0, "end": 1}]}]}
            ],
            "utterances": [{"transcript": "Hello.", "start": 0, "end": 1}],
        },
    }
    with standing_in(monkeypatch, "deepgram", Answer(body=body)) as service:
        output = run("audioTranscription", {"provider": "deepgram", "audioSource": SOUND, "timestamps": True})

    asked = service.asked[0]
    assert (output.data["text"], output.data["duration"]) == ("Hello.", 1.5)
    assert output.data["segments"] == [{"start": 0, "end": 1, "text": "Hello."}]
    assert output.data["words"] == [{"start": 0, "end": 1, "word": "hello"}]
    assert asked.path == "/v1/listen?model=nova-3&punctuate=true&smart_format=true&diarize=false&utterances=true"
    assert (asked.headers["authorization"], asked.headers["content-type"], asked.body) == (
        "Token key-of-the-worker",
        "audio/wav",
        WAV,
    )


def test_transcription_by_google(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that listens and answers; it tells no times."""
    answer = {"candidates": [{"content": {"parts": [{"text": " Hello\n"}]}, "finishReason": "STOP"}]}
    with standing_in(monkeypatch, "google", Answer(body=answer)) as service:
        output = run("audioTranscription", {"provider": "google", "audioSource": SOUND, "language": "de"})
        with pytest.raises(ConfigError, match="tells no times"):
            run("audioTranscription", {"provider": "google", "audioSource": SOUND, "timestamps": True})

    assert output.data["text"] == "Hello"
    assert service.asked[0].body["contents"][0]["parts"][1]["inlineData"]["mimeType"] == "audio/wav"


@pytest.mark.parametrize(
    "content", [b"ID3mp3", b"\xff\xfbmp3", WAV, b"OggSx", b"fLaCx", b"0000ftypM4A", b"\x1a\x45\xdf\xa3webm"]
)
def test_transcription_hears_every_format_by_its_first_bytes(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    """Whatever the file is called, and whatever type it says it has."""
    lent = RecordingLent()
    lent.files.write("sound.bin", content)

    with standing_in(monkeypatch, "openai", Answer(body={"text": "Hello"}), path="/v1"):
        output = run("audioTranscription", {"audioSource": "sound.bin"}, lent=lent)

    assert output.data["text"] == "Hello"


def test_transcription_of_what_is_no_sound_is_refused() -> None:
    """Nobody is asked."""
    with pytest.raises(InputError, match="no sound"):
        run("audioTranscription", {"audioSource": "data:text/plain,hello"})


@pytest.mark.parametrize(
    ("config", "wrong"),
    [
        ({"audioSource": "a.mp3"}, []),
        ({"audioInput": "a.mp3"}, []),
        ({"audioFile": "a.mp3"}, []),
        ({}, ["audioSource"]),
        ({"audioSource": "a.mp3", "language": "english"}, ["language"]),
        ({"audioSource": "a.mp3", "outputFormat": "pdf"}, ["outputFormat"]),
    ],
)
def test_transcription_as_drawn_is_checked(config: dict[str, Any], wrong: list[str]) -> None:
    assert [field for field, _ in check_config(CATALOGUE["audioTranscription"], config)] == wrong
