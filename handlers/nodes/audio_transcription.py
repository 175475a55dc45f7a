"""Sound as text."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AliasChoices, Field

from handlers import llm
from handlers.base import Effect, Lane, NodeHandler, NodeInput, NodeOutput
from handlers.llm import (
    BLANK,
    HEARING_MODELS,
    AccessFields,
    Name,
    TranscribeRequest,
    TranscriptFormat,
    hearing_model,
    subtitles,
    transcribe,
)
from handlers.ports import Lent
from handlers.registry import node_type
from handlers.retries import FOR_MODELS
from handlers.values import Text


class AudioTranscriptionConfig(AccessFields):
    audio_source: Any = Field(
        validation_alias=AliasChoices("audioSource", "audioInput", "audioFile"),
        description="A path, a URL, a data: URL, base64, or a stored file.",
    )
    model: Name = Field(
        None, description=f"Left out: {', '.join(HEARING_MODELS.values())} of {', '.join(HEARING_MODELS)}."
    )
    task: Literal["transcribe", "translate"] = Field("transcribe", description="translate: into English.")
    language: Annotated[str | None, Field(pattern=r"^[A-Za-z]{2}$"), BLANK] = Field(
        None, description="ISO 639-1; guessed if left out."
    )
    output_format: TranscriptFormat = "text"
    timestamps: bool = Field(False, description="Also when each sentence and each word is said.")
    prompt: Text | None = Field(None, max_length=896, description="Names and words to expect: 224 tokens or so.")
    temperature: float = Field(0, ge=0, le=1)


@node_type(
    "audioTranscription", category="ai", title="Transcription", effect=Effect.EFFECT, lane=Lane.IO, retry=FOR_MODELS
)
class AudioTranscription(NodeHandler[AudioTranscriptionConfig]):
    """Write down what is said in a recording.

    `audioSource` is a path in the workspace, a URL, a `data:` URL, base64, or what other nodes give for a file: MP3,
    WAV, Ogg, FLAC, M4A or WebM of up to 25 MB.

    Output: `{"text", "transcription", "format", "language", "duration", "segments", "words", "model", "provider"}`. The
    transcription is the text in `outputFormat`: `srt` and `vtt` are subtitles, `json` is null here, as the output is
    that already. Segments (`{"start", "end", "text"}`) and words (`{"start", "end", "word"}`), in seconds, come with
    `timestamps`; otherwise they are null.

    Providers: `openai`, `deepgram`, `groq`, `google` (which tells no times), and others with OpenAI's protocol. Not
    every model tells times: of OpenAI's, `whisper-1`. Keys, limits and errors are those of `llm`; `no_timestamps`.
    """

    Config = AudioTranscriptionConfig

    def run(self, node: NodeInput[AudioTranscriptionConfig], lent: Lent) -> NodeOutput:
        config = node.config
        request = TranscribeRequest(
            model=hearing_model(config.provider, config.model),
            audio=llm.read_audio(config.audio_source, lent, field="audioSource"),
            translate=config.task == "translate",
            language=config.language.lower() if config.language else None,
            prompt=config.prompt,
            temperature=config.temperature,
            words=config.timestamps,
            segments=config.timestamps or config.output_format in {"srt", "vtt"},
        )
        data, usage = transcribe(lent, config, request)
        written = data["text"] if config.output_format == "text" else None
        if config.output_format in {"srt", "vtt"}:
            segments = data["segments"]
            assert segments is None or isinstance(segments, list)  # noqa: S101 -- for the type checker
            written = subtitles(segments, "srt" if config.output_format == "srt" else "vtt", model=request.model)
        return NodeOutput(data={**data, "transcription": written, "format": config.output_format}, usage=usage)
