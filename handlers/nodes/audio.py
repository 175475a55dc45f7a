"""Speech to text and back, in the one node that existing workflows have for both."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

from pydantic import Field

from handlers import llm
from handlers.base import Effect, Lane, NodeHandler, NodeInput, NodeOutput
from handlers.errors import ConfigError
from handlers.llm import (
    AccessFields,
    MediaFields,
    Name,
    SpeakRequest,
    TranscribeRequest,
    hearing_model,
    speak,
    speaking_model,
    transcribe,
)
from handlers.ports import Lent
from handlers.registry import node_type
from handlers.retries import FOR_MODELS
from handlers.values import Text

_FORMATS: Final = {"google": "wav"}  # the only one it has


class AudioConfig(AccessFields, MediaFields):
    operation: Literal["transcribe", "synthesize"]
    model: Name = Field(None, description="Left out: that of audioTranscription or audioOutput.")
    audio_input: Any = Field(None, description="transcribe: a path, a URL, a data: URL, base64, or a stored file.")
    text_input: Text | None = Field(None, description="synthesize: what to say.")
    voice: Name = Field(None, description="synthesize: the provider's name of it.")
    language: Name = Field(None, description="transcribe: ISO 639-1; guessed if left out.")


@node_type("audio", category="ai", title="Audio", effect=Effect.EFFECT, lane=Lane.IO, retry=FOR_MODELS)
class Audio(NodeHandler[AudioConfig]):
    """Write down what is said (`transcribe`), or say a text (`synthesize`).

    It is there for existing workflows; `audioTranscription` and `audioOutput` can do more. Output of `transcribe`:
    `{"operation", "text", "language", "duration", "segments", "words", "model", "provider"}`, of `synthesize`:
    `{"operation", "audio", "format", "characters", "model", "provider"}`, whose `audio` is a file of the workspace:
    MP3, of google WAV. Limits, keys and errors are those of the two.
    """

    Config = AudioConfig

    def run(self, node: NodeInput[AudioConfig], lent: Lent) -> NodeOutput:
        config = node.config
        if config.operation == "transcribe":
            return _transcribe(config, lent)
        if not config.text_input:
            raise ConfigError("textInput: synthesize needs a text.")
        request = SpeakRequest(
            model=speaking_model(config.provider, config.model),
            text=config.text_input,
            voice=config.voice,
            format=_FORMATS.get(config.provider, "mp3"),
            speed=1,
            stability=0.5,
            similarity_boost=0.75,
        )
        return NodeOutput(data={"operation": config.operation, **speak(node, lent, config, config, request)})

    @classmethod
    def check(cls, config: Mapping[str, Any]) -> list[tuple[str, str]]:
        needed = {"transcribe": "audioInput", "synthesize": "textInput"}.get(str(config.get("operation")))
        return [(needed, f"{config['operation']} needs it.")] if needed and not config.get(needed) else []


def _transcribe(config: AudioConfig, lent: Lent) -> NodeOutput:
    request = TranscribeRequest(
        model=hearing_model(config.provider, config.model),
        audio=llm.read_audio(config.audio_input, lent, field="audioInput"),
        language=config.language,
    )
    data, usage = transcribe(lent, config, request)
    return NodeOutput(data={"operation": config.operation, **data}, usage=usage)
