from __future__ import annotations

from typing import Any

import pytest

from handlers import ConfigError, InputError
from tests.handlers.fakes import CATALOGUE, run
from tests.handlers.llm.speakers import Answer, standing_in
from tests.handlers.nodes.test_audio_transcription import SOUND


def test_audio_input_hears_what_the_run_was_started_with(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the name of the input, and by openai unless another is named."""
    with standing_in(monkeypatch, "openai", Answer(body={"text": "Hello"}), path="/v1"):
        output = run("audioInput", {"inputName": "call"}, inputs={"call": SOUND})

    assert (output.data["text"], output.data["model"]) == ("Hello", "whisper-1")
    assert CATALOGUE["audioInput"].source


def test_audio_input_is_named_as_existing_workflows_name_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with standing_in(monkeypatch, "openai", Answer(body={"text": "Hello"}), path="/v1"):
        output = run("audioInput", {"inputVariable": "call"}, inputs={"call": SOUND})

    assert output.data["text"] == "Hello"


def test_audio_input_by_deepgram_tells_who_speaks(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the segments."""
    said = {"transcript": "Hello.", "start": 0, "end": 1, "speaker": 1}
    body = {"results": {"channels": [{"alternatives": [{"transcript": "Hello."}]}], "utterances": [said]}}

    with standing_in(monkeypatch, "deepgram", Answer(body=body)) as service:
        config = {"provider": "deepgram", "diarize": True, "punctuate": False, "language": "en-US"}
        output = run("audioInput", config, inputs={"audio": SOUND})

    assert output.data["segments"] == [{"start": 0, "end": 1, "text": "Hello.", "speaker": 1}]
    assert "punctuate=false" in service.asked[0].path
    assert "language=en-US" in service.asked[0].path


@pytest.mark.parametrize("inputs", [{}, {"audio": None}, {"audio": ""}])
def test_audio_input_that_was_not_given_fails(inputs: dict[str, Any]) -> None:
    """With the input's name."""
    with pytest.raises(InputError, match="'audio'") as failure:
        run("audioInput", {}, inputs=inputs)

    assert failure.value.code == "missing_input"


def test_audio_input_of_a_service_that_cannot_tell_speakers_says_so() -> None:
    """Rather than that there was one."""
    with pytest.raises(ConfigError, match="deepgram does"):
        run("audioInput", {"diarize": True}, inputs={"audio": SOUND})
