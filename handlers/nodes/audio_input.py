"""A recording that the run was started with, as text."""

from __future__ import annotations

from pydantic import AliasChoices, Field

from handlers import llm
from handlers.base import Effect, Lane, NodeHandler, NodeInput, NodeOutput
from handlers.errors import ConfigError, InputError
from handlers.llm import HEARING_MODELS, AccessFields, Name, TranscribeRequest, hearing_model, transcribe
from handlers.ports import Lent
from handlers.registry import node_type
from handlers.retries import FOR_MODELS


class AudioInputConfig(AccessFields):
    input_name: str = Field(
        "audio",
        min_length=1,
        validation_alias=AliasChoices("inputName", "inputVariable"),
        description="The input with the recording.",
    )
    model: Name = Field(
        None, description=f"Left out: {', '.join(HEARING_MODELS.values())} of {', '.join(HEARING_MODELS)}."
    )
    language: Name = Field(None, description="Such as en or en-US; guessed if left out.")
    punctuate: bool = Field(True, description="deepgram: with commas and full stops; others always write them.")
    diarize: bool = Field(False, description="deepgram: tell who speaks.")


@node_type(
    "audioInput",
    category="inputs",
    title="Audio input",
    effect=Effect.EFFECT,
    lane=Lane.IO,
    source=True,
    takes_inputs=True,
    retry=FOR_MODELS,
)
class AudioInput(NodeHandler[AudioInputConfig]):
    """Write down what is said in a recording that the run was started with. Takes part in every run.

    The input is a path in the workspace, a URL, a `data:` URL, base64, or a file as other nodes give it: MP3, WAV, Ogg,
    FLAC, M4A or WebM of up to 25 MB. Without it the node fails with `missing_input`.

    Output: `{"text", "language", "duration", "segments", "words", "model", "provider"}`; with `diarize` the segments
    (`{"start", "end", "text", "speaker"}`, in seconds) tell who speaks, otherwise they are null.

    Providers: `openai`, `deepgram`, `groq`, `google`, and others with OpenAI's protocol; `diarize` is deepgram's. Keys,
    limits and errors are those of `llm`.
    """

    Config = AudioInputConfig

    def run(self, node: NodeInput[AudioInputConfig], lent: Lent) -> NodeOutput:
        config = node.config
        given = node.inputs.get(config.input_name)
        if given in (None, "", []):
            raise InputError(f"The run was started without the input {config.input_name!r}.", code="missing_input")
        if config.diarize and config.provider != "deepgram":
            raise ConfigError(f"diarize: {config.provider} does not tell who speaks; deepgram does.")
        request = TranscribeRequest(
            model=hearing_model(config.provider, config.model),
            audio=llm.read_audio(given, lent, field=config.input_name),
            language=config.language,
            punctuate=config.punctuate,
            diarize=config.diarize,
        )
        data, usage = transcribe(lent, config, request)
        return NodeOutput(data=data, usage=usage)
