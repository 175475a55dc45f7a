"""Text as speech."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import AliasChoices, Field

from handlers.base import Effect, JSONObject, Lane, NodeHandler, NodeInput, NodeOutput
from handlers.llm import SPEAKING_MODELS, AccessFields, MediaFields, Name, SpeakRequest, speak, speaking_model
from handlers.ports import Lent
from handlers.registry import node_type
from handlers.retries import FOR_MODELS
from handlers.values import Text


class AudioOutputConfig(AccessFields, MediaFields):
    model: Name = Field(
        None, description=f"Left out: {', '.join(SPEAKING_MODELS.values())} of {', '.join(SPEAKING_MODELS)}."
    )
    text_input: Text = Field(min_length=1, validation_alias=AliasChoices("textInput", "text", "input"))
    voice: Name = Field(None, description="The provider's name or id of it; elevenlabs needs one.")
    speed: float = Field(1, ge=0.25, le=4)
    stability: float = Field(0.5, ge=0, le=1, description="elevenlabs: low is lively, high is even.")
    similarity_boost: float = Field(0.75, ge=0, le=1, description="elevenlabs: how close to the voice.")
    output_format: Literal["mp3", "wav", "opus"] = Field("mp3", description="google: wav only.")


@node_type(
    "audioOutput", category="outputs", title="Audio output", effect=Effect.EFFECT, lane=Lane.IO, retry=FOR_MODELS
)
class AudioOutput(NodeHandler[AudioOutputConfig]):
    """Say a text.

    Output: `{"audio", "format", "characters", "model", "provider"}`. The audio is a file of the workspace (`{"path",
    "name", "size", "contentType"}`), in a folder of the run unless `filename` says otherwise; as `base64` (`returnAs`)
    it is `{"base64", "contentType", "size"}`, up to 4 MB (`too_large_for_output`). `returnAsUrl: false` of existing
    workflows means `base64`.

    Providers: `openai` (up to 4,096 characters), `elevenlabs` (10,000; needs a `voice`, speeds 0.7 to 1.2), `deepgram`
    (2,000; the model is the voice, speed 1 only), `google` (30,000; wav only), and others with OpenAI's protocol. Keys,
    limits and errors are those of `llm`.
    """

    Config = AudioOutputConfig

    def run(self, node: NodeInput[AudioOutputConfig], lent: Lent) -> NodeOutput:
        config = node.config
        request = SpeakRequest(
            model=speaking_model(config.provider, config.model),
            text=config.text_input,
            voice=config.voice,
            format=config.output_format,
            speed=config.speed,
            stability=config.stability,
            similarity_boost=config.similarity_boost,
        )
        return NodeOutput(data=speak(node, lent, config, config, request))

    @classmethod
    def implied(cls, drawn_as: str, config: Mapping[str, Any]) -> JSONObject:
        del drawn_as
        return {"returnAs": "base64"} if config.get("returnAsUrl") is False and "returnAs" not in config else {}
