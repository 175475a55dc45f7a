"""Pictures made of a text."""

from __future__ import annotations

from typing import Final

from pydantic import Field

from handlers.base import Effect, Lane, NodeHandler, NodeInput, NodeOutput
from handlers.errors import ConfigError
from handlers.llm import AccessFields, DrawRequest, MediaFields, Name, draw
from handlers.ports import Lent
from handlers.registry import node_type
from handlers.retries import FOR_MODELS
from handlers.values import Text

# Newer than those of the existing product, which its provider has shut down.
MODELS: Final = {"openai": "gpt-image-2.5-flare", "google": "gemini-2.5-flash-image", "xai": "grok-2-image"}


class ImageGenerationConfig(AccessFields, MediaFields):
    model: Name = Field(None, description=f"Left out: {', '.join(MODELS.values())} of {', '.join(MODELS)}.")
    prompt: Text = Field(min_length=1, max_length=32_000)
    size: Name = Field(None, description="Such as 1024x1024; the model's own if left out.")
    quality: Name = Field(None, description="Such as low, medium, high.")
    style: Name = Field(None, description="Such as vivid, natural, where the model knows styles.")
    background: Name = Field(None, description="Such as transparent, opaque.")
    n: int = Field(1, ge=1, le=10, description="How many.")


@node_type(
    "imageGeneration", category="ai", title="Image generation", effect=Effect.EFFECT, lane=Lane.IO, retry=FOR_MODELS
)
class ImageGeneration(NodeHandler[ImageGenerationConfig]):
    """Have a model make pictures.

    Output: `{"images", "revisedPrompt", "usage", "model", "provider"}`. Each picture is a file of the workspace
    (`{"path", "name", "size", "contentType"}`), in a folder of the run unless `filename` says otherwise; as `base64`
    (`returnAs`) it is `{"base64", "contentType", "size"}`, up to 4 MB (`too_large_for_output`).

    Providers: `openai`, `google`, `xai`, and others with OpenAI's protocol that draw. Keys, limits and errors are those
    of `llm`.
    """

    Config = ImageGenerationConfig

    def run(self, node: NodeInput[ImageGenerationConfig], lent: Lent) -> NodeOutput:
        config = node.config
        model = config.model or MODELS.get(config.provider)
        if model is None:
            raise ConfigError(f"model: name one of {config.provider} that draws.")
        request = DrawRequest(
            model=model,
            prompt=config.prompt,
            count=config.n,
            size=config.size,
            quality=config.quality,
            style=config.style,
            background=config.background,
        )
        data, usage = draw(node, lent, config, config, request)
        return NodeOutput(data=data, usage=usage)
