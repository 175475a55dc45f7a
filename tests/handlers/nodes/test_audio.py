from __future__ import annotations

from typing import Any

import pytest

from handlers import ConfigError
from handlers.registry import check_config
from tests.handlers.fakes import CATALOGUE, RecordingLent, run
from tests.handlers.llm.speakers import Answer, standing_in
from tests.handlers.nodes.test_audio_output import SPOKEN
from tests.handlers.nodes.test_audio_transcription import SOUND


def test_audio_transcribes(monkeypatch: pytest.MonkeyPatch) -> None:
    """As audioTranscription does."""
    with standing_in(monkeypatch, "openai", Answer(body={"text": "Hello"}), path="/v1"):
        output = run("audio", {"operation": "transcribe", "audioInput": SOUND, "language": ""})

    assert (output.data["operation"], output.data["text"]) == ("transcribe", "Hello")


def test_audio_synthesizes(monkeypatch: pytest.MonkeyPatch) -> None:
    """As audioOutput does."""
    lent = RecordingLent()
    with standing_in(monkeypatch, "openai", SPOKEN, path="/v1"):
        output = run("audio", {"operation": "synthesize", "textInput": "Hello", "voice": "nova"}, lent=lent)

    assert output.data["operation"] == "synthesize"
    assert output.data["audio"]["path"] in lent.files.stored


def test_audio_without_a_text_says_nothing() -> None:
    """A template may yield none."""
    with pytest.raises(ConfigError, match="textInput"):
        run("audio", {"operation": "synthesize", "textInput": ""})


@pytest.mark.parametrize(
    ("config", "wrong"),
    [
        ({"operation": "transcribe", "audioInput": "a.mp3"}, []),
        ({"operation": "transcribe"}, ["audioInput"]),
        ({"operation": "synthesize", "audioInput": "a.mp3"}, ["textInput"]),
        ({}, ["operation"]),
    ],
)
def test_audio_as_drawn_is_checked(config: dict[str, Any], wrong: list[str]) -> None:
    assert [field for field, _ in check_config(CATALOGUE["audio"], config)] == wrong
